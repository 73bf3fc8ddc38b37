"""What code under test has sent, and assertions about it; see pytest_plugin.py."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args
from unittest.mock import patch

from vero_deliver import registry
from vero_deliver.deliver import Deliverer
from vero_deliver.errors import DeliveryError
from vero_deliver.project import Project
from vero_deliver.rendered import (
    ContentName,
    Rendered,
    RenderedEmail,
    RenderedHttp,
    RenderedPush,
    RenderedSms,
)
from vero_deliver.tracking import Tracking

_TRACKING: Final = "only the tests sign with this"
_SHOWN: Final = 20  # of what was sent, in a failure
_WHOLE: Final = ("content", "to", "key", "subject", "title")  # compared whole; others may hold it


@dataclass(frozen=True, slots=True)
class Sent:
    """One message that was sent. fields: what it is asked for by, as text."""

    rendered: Rendered
    key: str
    fields: Mapping[str, tuple[str, ...]]

    def __str__(self) -> str:
        to = ", ".join(self.fields.get("to", ()))
        words = next((self.fields[name][0] for name in ("subject", "title", "body", "url")
                      if self.fields.get(name)), "")  # fmt: skip
        return f"{self.rendered.content} to {to or '(nobody)'}: {words[:80]!r} [{self.key}]"

    def fits(self, wanted: Mapping[str, Any]) -> bool:
        """Whether every field asked for is as asked: equal, contained, or matching a pattern."""
        return all(
            any(_fits(name, value, found) for found in self.fields.get(name, ()))
            for name, value in wanted.items()
        )


@dataclass
class Captured:
    """What was sent, in order.

    Assertions take any of: content ("email", "push", "sms", "http"), to (an address, a number, a
    device's token), key, and of what is sent subject, title, text, html, body, url, link. Of
    content, to, key, subject and title the whole counts, of the others any part; a compiled pattern
    is searched for.
    """

    sent: list[Sent] = field(default_factory=list)
    _errors: list[DeliveryError] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sent)

    def clear(self) -> None:
        """Forget it."""
        self.sent.clear()

    def fail(self, error: DeliveryError, times: int = 1) -> None:
        """Let the next sends raise that error."""
        self._errors += [error] * times

    def assert_sent(self, *, count: int = 1, **wanted: Any) -> Sent:
        """Just so many of those were sent; the first of them."""
        __tracebackhide__ = True
        found = self._found(wanted)
        if len(found) != count:
            raise AssertionError(
                f"{len(found)} sent of {_asked(wanted)}, {count} expected; {self._listed()}"
            )
        if not found:
            raise ValueError("count=0 finds nothing to give back: use assert_not_sent()")
        return found[0]

    def assert_not_sent(self, **wanted: Any) -> None:
        """None of those was sent; without arguments: nothing at all."""
        __tracebackhide__ = True
        if self._found(wanted):
            raise AssertionError(f"{_asked(wanted)} was sent; {self._listed()}")

    def _found(self, wanted: Mapping[str, Any]) -> list[Sent]:
        known = {name for fields in _FIELDS.values() for name in fields} | {"content", "key"}
        if unknown := set(wanted) - known:
            raise TypeError(f"{min(unknown)!r} is none of {', '.join(sorted(known))}")
        return [one for one in self.sent if one.fits(wanted)]

    def _listed(self) -> str:
        if not self.sent:
            return "nothing was sent"
        more = f"\n  and {len(self.sent) - _SHOWN} more" if len(self.sent) > _SHOWN else ""
        return "sent was:" + "".join(f"\n  {one}" for one in self.sent[:_SHOWN]) + more

    def _take(self, rendered: Rendered, key: str) -> None:
        if self._errors:
            raise self._errors.pop(0).with_traceback(None)
        fields = _FIELDS[rendered.content]
        told = {name: _texts(rendered, attribute) for name, attribute in fields.items()}
        told |= {"content": (rendered.content,), "key": (key,)}
        self.sent.append(Sent(rendered, key, told))


_FIELDS: Final[dict[ContentName, dict[str, str]]] = {
    "email": {name: name for name in ("to", "cc", "bcc", "subject", "text", "html")},
    "push": {name: name for name in ("title", "body", "link")} | {"to": "device"},
    "sms": {"to": "to", "body": "body", "text": "body"},
    "http": {"url": "url", "to": "url", "body": "body", "method": "method"},
}


@contextmanager
def capturing(folder: Path) -> Iterator[Captured]:
    """Capture what every Deliverer sends. folder: for the outbox of a project that has one."""
    captured = Captured()
    made = Deliverer.__init__

    def init(self: Deliverer, *arguments: Any, **options: Any) -> None:
        made(self, *arguments, **options)
        channels: dict[Any, Any] = dict.fromkeys(get_args(ContentName), _channel(captured))
        self.channels = channels

    def outbox(project: Project) -> Any:
        if project.settings.outbox is None:
            return None
        from vero_deliver.outbox.store import Outbox

        own = Outbox(f"sqlite:///{folder}/vero-deliver-outbox.db", env=project.env)
        own.create()
        return own

    def tracking(project: Project) -> Tracking | None:
        table = project.settings.tracking
        if table is None:
            return None
        return Tracking(
            url=table.url,
            secrets=[_TRACKING],
            env=project.env,
            opens=table.opens,
            clicks=table.clicks,
            utm=dict(table.utm),
        )

    def channel(project: Project, name: str, content: ContentName, *_: Any) -> Any:
        del project, name, content
        return _channel(captured)

    with ExitStack() as stack:
        for owner, name, replacement in (
            (Deliverer, "__init__", init),
            (Project, "_channel", channel),
            (Project, "outbox", outbox),
            (Project, "tracking", tracking),
        ):
            stack.enter_context(patch.object(owner, name, replacement))
        yield captured


def _channel(captured: Captured) -> Any:
    """The driver `memory`, which tells of what it is given."""
    memory = registry.find("memory").load()

    class Capturing(memory):  # type: ignore[misc, valid-type]
        async def send(self, rendered: Rendered, key: str) -> Any:
            captured._take(rendered, key)  # noqa: SLF001  # our own class
            return await super().send(rendered, key)

    return Capturing(name="captured")


def _texts(rendered: Rendered, attribute: str) -> tuple[str, ...]:
    value: Any = getattr(rendered, attribute)
    match rendered:
        case RenderedEmail() if attribute in ("to", "cc", "bcc"):
            return tuple(address.email for address in value)
        case RenderedPush() if attribute == "device":
            return (value.token,) if value else ()
        case RenderedHttp() if attribute == "body":
            return (value.decode("utf-8", "replace"),)
        case RenderedSms() | RenderedEmail() | RenderedPush() | RenderedHttp():
            return (value,)
    raise TypeError(rendered)


def _fits(name: str, wanted: Any, found: str) -> bool:
    if isinstance(wanted, re.Pattern):
        return bool(wanted.search(found))
    if name == "to" and "@" in found:
        return str(wanted).lower() == found.lower()
    return str(wanted) == found if name in _WHOLE else str(wanted) in found


def _asked(wanted: Mapping[str, Any]) -> str:
    words = [
        f"{name}={value.pattern if isinstance(value, re.Pattern) else value!r}"
        for name, value in wanted.items()
    ]
    return ", ".join(words) or "anything"
