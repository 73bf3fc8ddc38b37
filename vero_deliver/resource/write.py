"""A Message as Vero's JSON."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import date, time
from typing import Any, Final

from vero_deliver.address_list import join_addresses
from vero_deliver.decode import error, to_plain
from vero_deliver.message import Message
from vero_deliver.plain import unwritable
from vero_deliver.resource.shape import ADDRESS_LISTS, TRACKING

_SAME: Final = ("locales", "tags", "metadata", "data")  # named and shaped as in Message
_VERO_NAMES: Final = {"preheader": "preheader_text", "html": "body", "text": "plain_text"}


def to_resource(message: Message) -> dict[str, Any]:
    """The message as Vero's JSON; from_resource gives the same message back.

    Dates in [data] become ISO 8601 text, which means the same there. Raises MessageError where
    the message holds what JSON cannot.
    """
    plain = _json_ready(to_plain(message))
    resource: dict[str, Any] = {"object": "message"}
    if message.id:
        resource["id"] = plain["id"]
    resource["title"] = plain["title"]
    resource["transactional"] = message.kind == "transactional"
    resource |= {name: plain[name] for name in _SAME if name in plain}
    resource["contents"] = [
        {"type": kind, kind: content} for kind, content in _contents(message, plain)
    ]
    problems = list(unwritable(resource, "JSON"))
    if problems:
        raise error(problems)
    return resource


def _contents(message: Message, plain: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    if message.email:
        email = plain["email"]
        yield "email", _email_resource({**email, "to": list(message.email.to)})
        for locale, variant in email.get("variants", {}).items():
            yield "email", {"locale": locale, **_email_resource(variant)}
    for kind in message.contents:
        if kind != "email":
            yield kind, plain[kind]


def _email_resource(email: dict[str, Any]) -> dict[str, Any]:
    renamed = {_VERO_NAMES.get(name, name): value for name, value in email.items()}
    renamed.pop("variants", None)
    options = {name: renamed.pop(name) for name in TRACKING if name in renamed}
    for name in ADDRESS_LISTS:
        if name in renamed:
            renamed[name] = join_addresses(renamed[name])
    if "mjml" in renamed:
        renamed["processor"] = {"type": "mjml", "mjml": renamed.pop("mjml")}
    if "headers" in renamed:
        renamed["headers"] = json.dumps(renamed["headers"], ensure_ascii=False)
    return {**renamed, "options": options} if options else renamed


def _json_ready(value: Any) -> Any:
    match value:
        case dict():
            return {key: _json_ready(member) for key, member in value.items()}
        case list():
            return [_json_ready(member) for member in value]
        case bytes():
            return base64.b64encode(value).decode()
        case date() | time():  # a datetime is a date
            return value.isoformat()
    return value
