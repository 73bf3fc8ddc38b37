"""The shape of Vero's JSON: what each object may hold, before it becomes part of a Message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from vero_deliver.message import Attachment
from vero_deliver.rendered import ContentName

BOOKKEEPING: Final = frozenset(
    {"id", "object", "created_at", "updated_at", "provider", "campaign", "meta"}
)
TRACKING: Final = ("track_opens", "track_clicks")
ADDRESS_LISTS: Final = ("to", "cc", "bcc", "reply_to")

_LOCALE: Final = r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*"
_Locale = Annotated[str, Meta(pattern=f"^{_LOCALE}$")]
_LocaleOrNone = Annotated[str, Meta(pattern=f"^({_LOCALE})?$")]
_Addresses = str | tuple[str, ...] | None


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Strict, as the models are."""


class ProcessorPart(Part, frozen=True, kw_only=True):
    type: Literal["mjml"]
    mjml: str


class OptionsPart(Part, frozen=True, kw_only=True):
    track_opens: bool | None = None
    track_clicks: bool | None = None
    tracking: bool | None = None


class AnyEmailPart(Part, frozen=True, kw_only=True, rename={"from_": "from"}):
    locale: _LocaleOrNone = ""
    from_: str = ""
    to: _Addresses = None
    cc: _Addresses = None
    bcc: _Addresses = None
    reply_to: _Addresses = None
    preheader_text: str = ""
    body: str = ""
    plain_text: str = ""
    processor: ProcessorPart | None = None
    layout: str = ""
    headers: str | Mapping[str, str] = {}
    attachments: tuple[Attachment, ...] = ()
    options: OptionsPart | None = None


class EmailPart(AnyEmailPart, frozen=True, kw_only=True, rename={"from_": "from"}):
    subject: str


class VariantPart(AnyEmailPart, frozen=True, kw_only=True, rename={"from_": "from"}):
    subject: str = ""


class ContentPart(Part, frozen=True, kw_only=True):
    type: ContentName
    email: Mapping[str, Any] | None = None
    push: Mapping[str, Any] | None = None
    sms: Mapping[str, Any] | None = None
    http: Mapping[str, Any] | None = None


class ResourcePart(Part, frozen=True, kw_only=True):
    id: str = ""
    title: str
    transactional: bool = True
    locales: tuple[_Locale, ...] = ()
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = {}
    data: Mapping[str, Any] = {}
    contents: tuple[ContentPart, ...] = ()


class HeadersPart(Part, frozen=True, kw_only=True):
    headers: Mapping[str, str]
