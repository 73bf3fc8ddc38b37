"""Final, personalised content: all that a channel ever sees.

`at` is the moment it was rendered for (the injected clock, timezone-aware): Date headers and
timestamps come from it, so the same message, user, data, key and clock give the same bytes.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

import msgspec

from vero_deliver import mime
from vero_deliver.user import Device

ContentName = Literal["email", "push", "sms", "http"]
Kind = Literal["transactional", "marketing"]


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox. `email` has been checked; `name` may hold any text."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """An attachment; with a `cid`, an inline image that the HTML shows as `cid:<cid>`."""

    filename: str
    content: bytes = field(repr=False)
    content_type: str
    cid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rendered:
    """What every content carries beside its own fields."""

    at: datetime
    kind: Kind = "transactional"
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RenderedEmail(_Rendered):
    """One email for one user.

    headers: extra header fields, name to unencoded value; never From, To, Subject and the like.
    track_opens, track_clicks: None leaves it to the channel's account.
    """

    content: ClassVar[ContentName] = "email"

    from_: Address
    to: tuple[Address, ...]
    subject: str
    html: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: tuple[File, ...] = ()
    track_opens: bool | None = None
    track_clicks: bool | None = None
    _mime: dict[str, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def recipients(self) -> tuple[str, ...]:
        """The envelope: every address once, Bcc included, in order."""
        return tuple(dict.fromkeys(a.email for a in (*self.to, *self.cc, *self.bcc)))

    def mime(self, key: str) -> bytes:
        """The message as it goes over the wire, CRLF line ends; computed once per key."""
        if key not in self._mime:
            self._mime[key] = mime.build(self, key)
        return self._mime[key]


@dataclass(frozen=True, slots=True)
class Action:
    """A button under a push."""

    id: str
    title: str
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPush(_Rendered):
    """One push for one device; `device` is None while nobody has been chosen (a preview).

    ttl: seconds the provider may keep it; None leaves the provider's default.
    ios, android, web: raw extras of that platform, merged last into the provider's body.
    """

    content: ClassVar[ContentName] = "push"

    title: str
    device: Device | None = None
    subtitle: str = ""
    body: str = ""
    image: str = ""
    link: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    badge: int | None = None
    sound: str = ""
    collapse: str = ""
    ttl: int | None = None
    priority: Literal["normal", "high"] = "high"
    category: str = ""
    actions: tuple[Action, ...] = ()
    ios: Mapping[str, Any] = field(default_factory=dict)
    android: Mapping[str, Any] = field(default_factory=dict)
    web: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedSms(_Rendered):
    """One text message. max_segments: None for no limit."""

    content: ClassVar[ContentName] = "sms"

    to: str
    body: str
    from_: str = ""
    max_segments: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedHttp(_Rendered):
    """One HTTP request, body ready."""

    content: ClassVar[ContentName] = "http"

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Rendered = RenderedEmail | RenderedPush | RenderedSms | RenderedHttp


@dataclass(frozen=True, slots=True)
class Skipped:
    """Nothing to send to this user, and why: the template's `abort("reason")`, or no address."""

    reason: str


def document(rendered: Rendered) -> dict[str, Any]:
    """The fields as JSON has them: bytes as base64, but an HTTP body as text where it is UTF-8.

    Raises TypeError where raw extras hold what JSON cannot.
    """
    fields = msgspec.to_builtins(rendered, str_keys=True, enc_hook=_plain)
    fields.pop("_mime", None)
    if isinstance(rendered, RenderedHttp):
        fields["body"] = _body(rendered.body)
    return {"content": rendered.content, **fields}


def _body(body: bytes) -> str | dict[str, str]:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str):  # template text that knows its file
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no place in JSON")
