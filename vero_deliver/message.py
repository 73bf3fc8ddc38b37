"""The templated version of what is sent: a Message holds one content per channel.

Every string is a Jinja template unless its description says otherwise. The same Message comes
from Python, from a message folder (loader.py) and from Vero's JSON (resource.py); the JSON
Schema that editors use is made from these classes and their descriptions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from vero_deliver.rendered import ContentName, Kind
from vero_deliver.source import Source

_Locale = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*$")]


class _Model(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Strict, immutable, and written without the fields that are at their default."""


class Attachment(_Model, frozen=True, kw_only=True):
    """A file sent with the email; with a cid, an inline image shown by `<img src="cid:...">`."""

    filename: Annotated[str, Meta(description="Name the recipient sees. May be a template.")] = ""
    content: Annotated[bytes, Meta(description="The bytes, base64 in JSON.")] = b""
    content_from: Annotated[
        str,
        Meta(description="Name of the data value that holds the bytes (base64 in JSON data)."),
    ] = ""
    content_type: Annotated[
        str, Meta(description="MIME type; guessed from the filename where left out.")
    ] = ""
    cid: Annotated[str, Meta(description="Content-ID of an inline image, without < >.")] = ""

    def __post_init__(self) -> None:
        if isinstance(self.content, str):
            raise TypeError("content takes bytes: content=b'...' or path.read_bytes()")


class EmailVariant(_Model, frozen=True, kw_only=True):
    """What differs in one locale; whatever is left out comes from the email itself."""

    subject: str = ""
    preheader: str = ""
    mjml: str = ""
    html: str = ""
    text: str = ""


class Email(_Model, frozen=True, kw_only=True, rename={"from_": "from"}):
    """The email of a message. The body is MJML or HTML; the text part is derived unless given."""

    from_: Annotated[
        str, Meta(description='Sender, "Vero Shop <shop@example.com>". Default: the project\'s.')
    ] = ""
    to: Annotated[tuple[str, ...], Meta(description="Recipients, one address each.")] = (
        "{{ user.email }}",
    )
    cc: tuple[str, ...] = ()
    bcc: Annotated[tuple[str, ...], Meta(description="In the envelope only.")] = ()
    reply_to: tuple[str, ...] = ()
    subject: str
    preheader: Annotated[
        str, Meta(description="Text after the subject in the inbox list; hidden in the mail.")
    ] = ""
    mjml: Annotated[str, Meta(description="Body as MJML. In a folder: email.mjml.")] = ""
    html: Annotated[str, Meta(description="Body as HTML. In a folder: email.html.")] = ""
    text: Annotated[str, Meta(description="Text part. In a folder: email.txt.")] = ""
    layout: Annotated[
        str,
        Meta(description="Name of a file in _layouts/ whose block `content` the body fills."),
    ] = ""
    headers: Annotated[
        Mapping[str, str], Meta(description="Extra header fields. Names are no templates.")
    ] = {}
    attachments: tuple[Attachment, ...] = ()
    track_opens: Annotated[
        bool | None, Meta(description="Open tracking; left out: as the channel's account says.")
    ] = None
    track_clicks: Annotated[
        bool | None, Meta(description="Click tracking; left out: as the channel's account says.")
    ] = None
    variants: Annotated[
        Mapping[_Locale, EmailVariant],
        Meta(description="Per locale. In a folder also: email.cs.mjml."),
    ] = {}

    def __post_init__(self) -> None:
        for name in ("to", "cc", "bcc", "reply_to"):
            if isinstance(getattr(self, name), str):
                raise TypeError(f"{name} takes a tuple of addresses: {name}=('ada@example.com',)")
        bodies: tuple[Email | EmailVariant, ...] = (self, *self.variants.values())
        for body in bodies:
            if body.mjml and body.html:
                raise ValueError("an email's body is mjml or html, not both")


class PushAction(_Model, frozen=True, kw_only=True):
    """A button under the notification."""

    id: str
    title: str
    link: str = ""


class Push(_Model, frozen=True, kw_only=True):
    """The push notification of a message, the same for every platform."""

    title: str
    subtitle: str = ""
    body: str = ""
    image: Annotated[str, Meta(description="https URL of a picture.")] = ""
    link: Annotated[str, Meta(description="What a tap opens: a deep link or an URL.")] = ""
    data: Annotated[Mapping[str, str], Meta(description="Flat values for the app.")] = {}
    badge: Annotated[
        int | str | None, Meta(description="Number on the app's icon, or a template for one.")
    ] = None
    sound: str = ""
    collapse: Annotated[str, Meta(description="A later push of this name replaces it.")] = ""
    ttl: Annotated[
        int | str | None, Meta(description="Seconds, or 30s, 15m, 2h, 7d. No template.")
    ] = None
    priority: Literal["normal", "high"] = "high"
    category: Annotated[
        str, Meta(description="Notification category (iOS), channel (Android).")
    ] = ""
    actions: tuple[PushAction, ...] = ()
    ios: Annotated[Mapping[str, Any], Meta(description="Raw extras, merged last.")] = {}
    android: Annotated[Mapping[str, Any], Meta(description="Raw extras, merged last.")] = {}
    web: Annotated[Mapping[str, Any], Meta(description="Raw extras, merged last.")] = {}


class Sms(_Model, frozen=True, kw_only=True, rename={"from_": "from"}):
    """The text message of a message."""

    body: str
    to: str = "{{ user.phone }}"
    from_: Annotated[str, Meta(description="Sender id or number. Default: the project's.")] = ""
    max_segments: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="It is an error where the body takes more."),
    ] = None
    smart_encoding: Annotated[
        bool,
        Meta(description="Quotes, dashes and blanks that GSM-7 lacks become the plain ones."),
    ] = False


class Http(_Model, frozen=True, kw_only=True):
    """An HTTP request. `json` is a value whose strings are templates; `body` is one template."""

    url: Annotated[str, Meta(description="Left out: the channel's own, if it has one.")] = ""
    method: Literal["POST", "PUT", "PATCH", "DELETE", "GET"] = "POST"
    headers: Annotated[
        Mapping[str, str], Meta(description="Header fields. Names are no templates.")
    ] = {}
    json: Annotated[
        Any,
        Meta(
            description="JSON value. A string that is one {{ expression }} keeps that "
            "value's type. In a folder also: http.json."
        ),
    ] = None
    body: Annotated[
        str,
        Meta(
            description="Body text; values are escaped for JSON where the Content-Type says "
            "JSON. In a folder also: http.txt."
        ),
    ] = ""

    def __post_init__(self) -> None:
        if self.json is not None and self.body:
            raise ValueError("an http content has json or body, not both")


class Message(_Model, frozen=True, kw_only=True, dict=True):  # dict: for what is cached
    """A message: what is sent, over each of its channels.

    Equal messages have equal fields, however they were made. `version` names the content.
    """

    id: Annotated[str, Meta(description="The folder's path below messages/.")] = ""
    title: Annotated[str, Meta(description="Name shown in lists and reports. Never sent.")]
    kind: Annotated[
        Kind,
        Meta(description="marketing asks for consent and carries one-click unsubscribe."),
    ] = "transactional"
    topic: Annotated[
        str,
        Meta(
            max_length=100,
            description='What users may unsubscribe from by itself, "news"; for marketing.',
        ),
    ] = ""
    locales: Annotated[
        tuple[_Locale, ...],
        Meta(description="Languages it is written in; the first is the default."),
    ] = ()
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = {}
    email: Email | None = None
    push: Push | None = None
    sms: Sms | None = None
    http: Http | None = None
    data: Annotated[
        Mapping[str, Any],
        Meta(
            description="What the sender must pass: a type name (string, integer, number, "
            "boolean, date, datetime, list, object, any), a table with type and default, or a "
            "table of such."
        ),
    ] = {}

    @cached_property
    def contents(self) -> tuple[ContentName, ...]:
        """The contents it has, in a fixed order."""
        names: tuple[ContentName, ...] = ("email", "push", "sms", "http")
        return tuple(name for name in names if getattr(self, name) is not None)

    @cached_property
    def version(self) -> str:
        """16 hex digits that change with any field but the id."""
        fields = to_builtins(self)
        fields.pop("id", None)
        digest = hashlib.sha256(msgspec.json.encode(fields, order="deterministic"))
        return digest.hexdigest()[:16]


def to_builtins(model: _Model) -> dict[str, Any]:
    """The model as plain dicts, lists and str; defaults left out, bytes as base64."""
    plain: dict[str, Any] = msgspec.to_builtins(model, str_keys=True, enc_hook=_plain)
    return plain


def _plain(value: Any) -> str:
    if isinstance(value, Source):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a message")
