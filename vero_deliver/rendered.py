"""Final, personalised content: all that a channel ever sees.

`at` is the moment it was rendered for (the injected clock, timezone-aware): Date headers and
timestamps come from it, so the same message, user, data, key and clock give the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import datetime
from pickle import PickleBuffer
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self, SupportsIndex, cast

import msgspec

from vero_deliver import mime
from vero_deliver.mime.chunks import Printed
from vero_deliver.mime.signer import Signer
from vero_deliver.user import Device

ContentName = Literal["email", "push", "sms", "http"]
Kind = Literal["transactional", "marketing"]


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox. `email` has been checked; `name` may hold any text."""

    email: str
    name: str = ""

    def __reduce__(self) -> tuple[type[Address], tuple[str, str]]:
        return Address, (self.email, self.name)  # what dataclasses do takes four times as long


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


class _InMime(NamedTuple):
    """A body that is read back from the message's bytes, which hold it anyway.

    ends_line: whether the text ends with a line break; its part of a message always does.
    """

    subtype: Literal["html", "plain"]
    ends_line: bool

    def read(self, raw: bytes) -> str:
        from email import message_from_bytes, policy

        part = message_from_bytes(raw, policy=policy.default).get_body((self.subtype,))
        assert part is not None  # noqa: S101  # it was built in
        text = cast(bytes, part.get_payload(decode=True)).decode().replace("\r\n", "\n")
        return text if self.ends_line else text.removesuffix("\n")


_Body = Printed | bytes | _InMime | None


@dataclass(frozen=True, kw_only=True)
class RenderedEmail(_Rendered):
    """One email for one user.

    headers: extra header fields, name to unencoded value; never From, To, Subject and the like.
    track_opens, track_clicks: None leaves it to the channel's account.
    tracked: its links tell us of opens and clicks; those two then only switch the account's own
        tracking off, where one message can.
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
    tracked: bool = False
    # what html and text are made of once they are read: pieces; out of a pickle, UTF-8 or the
    # bytes of the whole message
    _html: _Body = field(default=None, init=False, repr=False, compare=False)
    _text: _Body = field(default=None, init=False, repr=False, compare=False)
    # the message by its key, and its signatures by key and the signers' fingerprints
    _mime: dict[tuple[str, ...], bytes] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def of_pieces(
        cls, *, html: str | Printed = "", text: str | Printed = "", **others: Any
    ) -> Self:
        """The email whose html, text or both a template printed in pieces.

        It is equal to the one made of the whole texts and reads the same; `mime` is several
        times as fast, its quoted-printable broken into other lines. `dataclasses.replace` and
        pickle give one without pieces.
        """
        values = others
        values |= {"_html": None, "_text": None, "_mime": {}}
        if values.keys() != _GIVEN:
            values = {**_DEFAULTS, "headers": {}, "metadata": {}, **values}
        if values.keys() != _GIVEN:
            cls(**others)  # says what is missing or unknown
        values["_html" if isinstance(html, Printed) else "html"] = html
        values["_text" if isinstance(text, Printed) else "text"] = text
        return cls._of(values)

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Self:
        """What the constructor of a frozen class makes field by field, in a third of the time.

        values: of every field, but that html and text may be left out: see _Joined.
        """
        email = object.__new__(cls)
        for name in _Rendered.__slots__:
            object.__setattr__(email, name, values.pop(name))
        email.__dict__.update(values)
        return email

    @property
    def recipients(self) -> tuple[str, ...]:
        """The envelope: every address once, Bcc included, in order."""
        return tuple(dict.fromkeys(a.email for a in (*self.to, *self.cc, *self.bcc)))

    def mime(self, key: str) -> bytes:
        """The message as it goes over the wire, CRLF line ends; computed once per key."""
        if (key,) not in self._mime:
            html = self._html if isinstance(self._html, Printed) else None
            text = self._text if isinstance(self._text, Printed) else None
            self._mime[key,] = mime.build(self, key, html=html, text=text)
        return self._mime[key,]

    def signed(self, key: str, signers: Sequence[Signer]) -> bytes:
        """`mime(key)` with its `signature` in front. Errors as `mime.sign`."""
        return self.signature(key, signers) + self.mime(key)

    def signature(self, key: str, signers: Sequence[Signer]) -> bytes:
        """DKIM signatures of `mime(key)` and the moment `at`; computed once per key and signers.

        Empty without signers. Errors as `mime.signatures`.
        """
        raw = self.mime(key)
        if not signers:
            return b""
        name = (key, *[signer.fingerprint for signer in signers])
        if name not in self._mime:
            self._mime[name] = mime.signatures(raw, signers, self.at)
        return self._mime[name]

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        # bytes that exist travel, so another process sends the same ones; a template does not
        built: dict[tuple[str, ...], Any] = self._mime
        if protocol.__index__() >= 5:  # large ones beside the pickle, where that is asked for
            built = {
                name: PickleBuffer(raw) if len(name) == 1 else raw for name, raw in built.items()
            }
        own = self.__dict__
        others = {name: own[name] for name, usual in _RARE if own[name] is not usual}
        if self.tags or self.metadata or self.kind != "transactional":
            others |= {"tags": self.tags, "metadata": self.metadata, "kind": self.kind}
        if self.headers:
            others["headers"] = self.headers
        bodies = self._body("html", self._html), self._body("text", self._text)
        fields = (self.from_, self.to, self.subject, self.at)
        return _unpickled, (*fields, built, *bodies, others)

    def _body(self, name: str, body: _Body) -> bytes | bool:
        """The text; where the message's bytes hold it, only whether it ends with a line break."""
        if isinstance(body, bytes):
            return body
        if isinstance(body, _InMime):
            return body.ends_line
        if body and self._mime and body.reads_back():
            return body.ends_line()
        text: str = getattr(self, name)
        return text.encode("utf-8", "surrogatepass")


def _unpickled(
    from_: Address,
    to: tuple[Address, ...],
    subject: str,
    at: datetime,
    built: dict[tuple[str, ...], bytes],
    html: bytes | bool,
    text: bytes | bool,
    others: dict[str, Any],
) -> RenderedEmail:
    values = {**_DEFAULTS, "headers": {}, "metadata": {}, **others, "_mime": built}
    values |= {"from_": from_, "to": to, "subject": subject, "at": at}
    # decoded when somebody asks, see _Joined
    values["_html"] = _InMime("html", html) if isinstance(html, bool) else html
    values["_text"] = _InMime("plain", text) if isinstance(text, bool) else text
    return RenderedEmail._of(values)  # noqa: SLF001  # our own class


class _Joined:
    """A text that is put together from its pieces when it is first read."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, email: RenderedEmail | None, owner: type) -> str:
        if email is None:
            return ""  # the field's default
        body = email.__dict__[f"_{self._name}"]
        if isinstance(body, _InMime):
            text = body.read(next(iter(email._mime.values())))  # noqa: SLF001  # our own class
        else:
            text = body.decode("utf-8", "surrogatepass") if isinstance(body, bytes) else str(body)
        email.__dict__[self._name] = text
        return text


_GIVEN: Final = {each.name for each in fields(RenderedEmail)} - {"html", "text"}
_DEFAULTS: Final = {
    each.name: each.default
    for each in fields(RenderedEmail)
    if each.default is not MISSING and each.name in _GIVEN
}
_RARE: Final = [  # what few emails have
    (name, _DEFAULTS[name])
    for name in ("cc", "bcc", "reply_to", "attachments", "track_opens", "track_clicks", "tracked")
]
for _name in ("html", "text"):
    setattr(RenderedEmail, _name, _Joined(_name))


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
    timezone: the recipient's, an IANA name; empty where it is not known.
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
    timezone: str = ""
    ios: Mapping[str, Any] = field(default_factory=dict)
    android: Mapping[str, Any] = field(default_factory=dict)
    web: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedSms(_Rendered):
    """One text message. max_segments: None for no limit.

    timezone: the recipient's, an IANA name; empty where it is not known.
    """

    content: ClassVar[ContentName] = "sms"

    to: str
    body: str
    from_: str = ""
    max_segments: int | None = None
    timezone: str = ""


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
    # a copy has no pieces and no bytes
    shown = msgspec.to_builtins(replace(rendered), str_keys=True, enc_hook=_plain)
    for name in ("_html", "_text", "_mime"):
        shown.pop(name, None)
    if isinstance(rendered, RenderedHttp):
        shown["body"] = _body(rendered.body)
    return {"content": rendered.content, **shown}


def digest(rendered: Rendered, key: str) -> str:
    """SHA-256 of an email's bytes before signatures, or of the JSON of another content.

    It is what the outbox records and the studio shows. Raises as `document`.
    """
    if isinstance(rendered, RenderedEmail):
        raw = rendered.mime(key)
    else:
        raw = json.dumps(document(rendered), sort_keys=True).encode()
    return hashlib.sha256(raw).hexdigest()


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
