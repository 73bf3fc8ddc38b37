"""Messages rendered on both sides of a comparison: for two recipients, or at two versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vero_deliver.audience import Recipient
from vero_deliver.diff.compare import Difference, Outcome, compare
from vero_deliver.errors import MessageError, RenderError
from vero_deliver.message import Message
from vero_deliver.project import Project
from vero_deliver.render import About, Renderer
from vero_deliver.rendered import ContentName

Outcomes = Mapping[ContentName, Outcome]
People = Callable[[Project, Message], Sequence[Recipient]]

_KEY = "diff"  # a derived one would differ with every change, and with it every link


@dataclass(frozen=True, slots=True)
class Asked:
    """What is compared. contents: only these, all where empty; key, now: of both sides."""

    contents: Sequence[ContentName] = ()
    key: str = _KEY
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def made(self, renderer: Renderer, message: Message, who: Recipient) -> Outcomes:
        """The contents of a message for one recipient, or why one cannot be made."""
        made: dict[ContentName, Outcome] = {}
        about: About = {"data": who.data, "event": who.event, "who": who.label}
        about |= {"key": self.key, "now": self.now}
        for content in message.contents:
            if content in (self.contents or message.contents):
                try:
                    made[content] = renderer.render(message, who.user, content, **about)
                except RenderError as error:
                    made[content] = error
                except MessageError as error:
                    made[content] = RenderError(error.detail, where=error.where)
        return made


@dataclass(frozen=True, slots=True)
class Change:
    """One message on both sides, whether or not it differs. before, after: what the sides are."""

    message: str
    who: str
    before: str
    after: str
    old: Outcomes
    new: Outcomes

    @property
    def differences(self) -> list[Difference]:
        """The fields that differ."""
        return compare(self.old, self.new)


def between(project: Project, name: str, one: Recipient, other: Recipient, asked: Asked) -> Change:
    """One message for two recipients. Raises ConfigError, MessageError."""
    message, renderer = project.message(name), project.renderer()
    old, new = (asked.made(renderer, message, who) for who in (one, other))
    return Change(message.id, other.label, one.label, other.label, old, new)


def since(
    project: Project,
    earlier: Project,
    revision: str,
    names: Sequence[str],
    people: People,
    asked: Asked,
) -> Iterator[Change]:
    """Each message for each of its people, as it was and as it is; their data is that of today.

    names: all messages of both where empty. Of a message that is no longer there they are the
    people that it had. Raises ConfigError, MessageError.
    """
    here, there = project.message_ids(), earlier.message_ids()
    renderers = project.renderer(), earlier.renderer()
    for name in names or sorted({*here, *there}):
        is_here = name in here or name not in there
        source = project if is_here else earlier
        message = source.message(name)
        before = _earlier(earlier, message.id) if message.id in there else None
        for who in people(source, message):
            new = asked.made(renderers[0], message, who) if is_here else {}
            if isinstance(before, MessageError):
                old: Outcomes = {key: RenderError(str(before)) for key in message.contents}
            else:
                old = asked.made(renderers[1], before, who) if before else {}
            yield Change(message.id, who.label, f"{who.label} at {revision}", who.label, old, new)


def _earlier(earlier: Project, name: str) -> Message | MessageError:
    try:
        return earlier.message(name)
    except MessageError as error:
        return error
