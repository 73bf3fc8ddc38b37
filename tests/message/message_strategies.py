"""Messages of every kind, for properties that must hold for all of them."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from msgspec import structs

from vero_deliver import Attachment, Email, EmailVariant, Http, Message, Push, PushAction, Sms

HOSTILE = (
    "\r\n",
    "a\r\nb\n\n",
    "\ufeff<mjml>",
    '"""',
    "'''\\",
    "\x00\x7f\x85\u2028",
    "{% raw %}{{ a, b }}{% endraw %}",
    "x@y.example, z@y.example",
    '"Smith, J" <j@example.com>',
    " padded ",
    "../../etc/passwd",
)
texts = st.text(max_size=12) | st.sampled_from(HOSTILE)
keys = st.text(min_size=1, max_size=8) | st.sampled_from(("a b", "a.b", "X-Ünï", '"', ""))
locales = st.from_regex(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,2}", fullmatch=True)
short_maps = st.dictionaries(keys, texts, max_size=3)
lists = st.lists(texts, max_size=3).map(tuple)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
extras = st.dictionaries(keys, json_values, max_size=3)


def without_null(value: Any) -> Any:
    """A JSON value as TOML can hold it."""
    if isinstance(value, dict):
        return {key: without_null(member) for key, member in value.items()}
    if isinstance(value, list):
        return [without_null(member) for member in value]
    return "" if value is None else value


def some(model: Callable[..., Any], required: dict[str, Any], **optional: Any) -> Any:
    """Instances of the model, with any of the optional fields."""
    return st.fixed_dictionaries(required, optional=optional).map(lambda kw: model(**kw))


names = st.text(string.ascii_lowercase, min_size=1, max_size=3)  # too short for "type"
type_names = st.sampled_from(("string", "integer", "number", "decimal", "boolean", "list", "any"))
declarations: Any = st.recursive(
    type_names
    | st.builds(lambda text: {"type": "string", "default": text}, texts)
    | st.builds(lambda number: {"type": "integer", "default": number}, st.integers()),
    lambda inner: (
        st.dictionaries(names, inner, max_size=3) | st.lists(inner, min_size=1, max_size=1)
    ),
    max_leaves=6,
)

variants = some(EmailVariant, {}, subject=texts, preheader=texts, html=texts, text=texts) | some(
    EmailVariant, {}, subject=texts, mjml=texts
)
attachments = some(
    Attachment,
    {},
    filename=texts,
    content=st.binary(max_size=8),
    content_from=texts,
    content_type=texts,
    cid=texts,
)
email_fields = {
    "from_": texts,
    "to": lists,
    "cc": lists,
    "bcc": lists,
    "reply_to": lists,
    "preheader": texts,
    "text": texts,
    "layout": texts,
    "headers": short_maps,
    "attachments": st.lists(attachments, max_size=3).map(tuple),
    "track_opens": st.none() | st.booleans(),
    "track_clicks": st.none() | st.booleans(),
    "variants": st.dictionaries(locales | st.sampled_from(("cs", "CS")), variants, max_size=3),
}
emails = some(Email, {"subject": texts}, mjml=texts, **email_fields) | some(
    Email, {"subject": texts}, html=texts, **email_fields
)
numbers = st.none() | st.integers() | texts
pushes = some(
    Push,
    {"title": texts},
    subtitle=texts,
    body=texts,
    data=short_maps,
    badge=numbers,
    ttl=numbers,
    priority=st.sampled_from(("normal", "high")),
    actions=st.lists(some(PushAction, {"id": texts, "title": texts}, link=texts), max_size=2).map(
        tuple
    ),
    ios=extras,
    android=extras,
    web=extras,
)
texts_sms = some(
    Sms, {"body": texts}, to=texts, from_=texts, max_segments=st.none() | st.integers(1, 9)
)
https = some(Http, {"url": texts}, headers=short_maps, json=json_values) | some(
    Http, {"url": texts}, method=st.sampled_from(("GET", "PUT")), body=texts
)


def declared(message: Message) -> Message:
    """The message with the locales of its variants among its own."""
    variants = message.email.variants if message.email else {}
    spare = [locale for locale in variants if locale not in message.locales]
    return structs.replace(message, locales=(*message.locales, *spare))


messages: st.SearchStrategy[Message] = some(
    Message,
    {"title": texts},
    id=st.just("shop/order"),
    kind=st.sampled_from(("transactional", "marketing")),
    locales=st.lists(locales, max_size=3).map(tuple),
    tags=lists,
    metadata=short_maps,
    email=emails,
    push=pushes,
    sms=texts_sms,
    http=https,
    data=st.dictionaries(names, declarations, max_size=3),
).map(declared)
