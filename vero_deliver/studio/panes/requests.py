"""The exact request of every configured channel that can carry what was rendered."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from vero_deliver.errors import VeroDeliverError
from vero_deliver.project import Project
from vero_deliver.registry import find
from vero_deliver.rendered import ContentName, RenderedEmail, RenderedHttp, RenderedPush, Skipped
from vero_deliver.studio.look import Look
from vero_deliver.studio.made import Item, Made
from vero_deliver.wire import request

_MOST: Final = 60_000  # characters that are shown; a longer one is not offered as curl
_PUSH: Final = {"apns": "ios", "fcm": "android", "fcm-admin": "android", "webpush": "web"}
_FILES: Final = frozenset(("eml", "json", "memory"))


@dataclass(frozen=True, slots=True)
class Request:
    """What one channel would send. raw: the octets, or None and why there are none."""

    content: ContentName
    channel: str
    driver: str
    carries: bool
    raw: bytes | None
    note: str = ""

    @property
    def text(self) -> str:
        """The octets, as far as people can read them."""
        return (self.raw or b"")[:_MOST].decode("utf-8", "replace").replace("\r\n", "\n")

    @property
    def left(self) -> int:
        """Bytes that are not shown."""
        return max(len(self.raw or b"") - _MOST, 0)

    @property
    def pretty(self) -> str:
        """The body indented, where it is JSON; else empty."""
        body = (self.raw or b"").partition(b"\r\n\r\n")[2]
        try:
            found = json.loads(body) if len(body) <= _MOST else None
        except ValueError:
            return ""
        return json.dumps(found, ensure_ascii=False, indent=2) if found is not None else ""

    @property
    def curl(self) -> str:
        """A command that sends the same; credentials stay masked, to be filled in."""
        if self.raw is None or len(self.raw) > _MOST:
            return ""
        return curl(self.raw)


def requests(look: Look, made: Made) -> Mapping[str, Any]:
    """Every request, those of the environment's own channels first."""
    found = list(all_requests(look.reading.project, made))
    found.sort(key=lambda one: not one.carries)
    return {"requests": found, "env": look.reading.project.env}


def all_requests(project: Project, made: Made) -> Iterator[Request]:
    """What each channel would send of each content, every device of its platform once."""
    for content in get_args(ContentName):
        items = made.rendered(content)
        if not items:
            continue
        found = [one for item in items for one in _of_channels(project, item)]
        yield from found or [_plain(item) for item in items]


def _of_channels(project: Project, item: Item) -> Iterator[Request]:
    carriers = _carriers(project, item.content)
    for name, table in project.settings.channels.items():
        driver = str(table.get("driver", ""))
        if driver in _FILES or not _carries(driver, item):
            continue
        ours = name in carriers
        try:
            raw = _request(project, name, table, item)
        except VeroDeliverError as error:
            yield Request(item.content, name, driver, ours, None, str(error))
            continue
        note = "" if raw is not None else _session(item)
        yield Request(item.content, name, driver, ours, raw, note)


def _carriers(project: Project, content: ContentName) -> set[str]:
    """The channel or route of the environment, and all that a route leads to."""
    found: set[str] = set()
    names = [project.settings.env.get(project.env, {}).get(content, "")]
    while names:
        name = names.pop()
        route = project.settings.routes.get(name)
        if name not in found and route:
            names += route.members.values()
        found.add(name)
    return found


def _carries(driver: str, item: Item) -> bool:
    if isinstance(item.outcome, RenderedPush):
        device = item.outcome.device
        return driver in _PUSH and (device is None or _PUSH[driver] == device.platform)
    try:
        return find(driver).carries(item.content)
    except VeroDeliverError:
        return False


def _request(project: Project, name: str, table: Mapping[str, Any], item: Item) -> bytes | None:
    outcome = item.outcome
    if isinstance(outcome, (Skipped, Exception)):
        return None
    if isinstance(outcome, RenderedPush):
        return request(outcome, item.key, push_settings=table)
    return request(outcome, item.key, channel=project.channel(name, item.content))


def _plain(item: Item) -> Request:
    """Where no channel is configured: the request of a push or of an HTTP content itself."""
    if isinstance(item.outcome, (RenderedPush, RenderedHttp)):
        platform = getattr(getattr(item.outcome, "device", None), "platform", "android")
        service = {"ios": "APNs", "android": "FCM", "web": "Web Push"}[platform]
        driver = service if item.content == "push" else "the message's own"
        try:
            return Request(item.content, "", driver, False, request(item.outcome, item.key))
        except VeroDeliverError as error:
            return Request(item.content, "", driver, False, None, str(error))
    note = "No channel for this content is configured; write [channels.NAME] in the project's file."
    return Request(item.content, "", "", False, None, note)


def _session(item: Item) -> str:
    """What a channel without a request does."""
    email = item.outcome
    if not isinstance(email, RenderedEmail):
        return "This channel makes no HTTP request."
    sender = item.domains.return_path(email, item.key)
    lines = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{to}>" for to in email.recipients)]
    return "\n".join([*lines, f"DATA ({len(item.raw):,} bytes: the tab Source has them)"])


def curl(raw: bytes) -> str:
    """The command for a request as HTTP/1.1 has it."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    method, _, rest = first.partition(" ")
    target = rest.rpartition(" ")[0]
    fields = [line.partition(": ")[::2] for line in lines]
    host = next((value for name, value in fields if name.lower() == "host"), "")
    url = target if "://" in target else f"https://{host}{target}"
    given = [
        f"-H {shlex.quote(f'{name}: {value}')}"
        for name, value in fields
        if name.lower() not in ("host", "content-length")
    ]
    version = "--http2" if first.endswith("HTTP/2") else ""
    parts = [f"curl -X {method}", version, shlex.quote(url), *given]
    command = " \\\n  ".join(filter(None, parts))
    if not body:
        return command
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" not in text:
        return f"{command} \\\n  --data-binary {shlex.quote(text)}"
    encoded = base64.b64encode(body).decode()
    return f"printf %s {encoded} | base64 -d | {command} \\\n  --data-binary @-"
