"""The JSON Schema of message.toml, for editors. Draft-07, which is as far as they all go."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

import msgspec

from vero_deliver.data import TYPE_NAMES
from vero_deliver.message import Message

FILE_NAME: Final = "message.schema.json"

_STRING: Final = {"type": "string"}
_TEXT: Final = {"minLength": 1}
_DECLARATION: Final = {"$ref": "#/definitions/Declaration"}


def schema_text() -> str:
    """The schema as the wheel ships it, to be copied beside a project."""
    return (files(__name__) / FILE_NAME).read_text(encoding="utf-8")


def message_schema() -> dict[str, Any]:
    """The schema of message.toml, made from the models and what the loader accepts beyond them."""
    _, models = msgspec.json.schema_components((Message,), ref_template="#/definitions/{name}")
    models = {name: _plain_draft_07(model) for name, model in models.items()}
    message = models.pop("Message")
    del message["properties"]["id"]  # the folder's path
    message["properties"]["data"]["additionalProperties"] = _DECLARATION
    message["properties"]["check"] = _check_table()
    for field in ("to", "cc", "bcc", "reply_to"):
        _string_or_list(models["Email"]["properties"][field])
    _attached_file(models["Attachment"])
    for model in ("Email", "EmailVariant"):
        models[model]["not"] = {"required": ["mjml", "html"]} | _not_empty("mjml", "html")
    models["Http"]["not"] = {"required": ["json", "body"]} | _not_empty("body")
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **message,
        "title": "message.toml of Vero Deliver",
        "definitions": {**models, "Declaration": _declaration()},
    }


def generated_text() -> str:
    """The schema file as it must be; a test holds the shipped one against it."""
    return json.dumps(message_schema(), indent=2, ensure_ascii=False) + "\n"


def _plain_draft_07(value: Any) -> Any:
    """Without null, which TOML lacks, without empty defaults, and docstrings on one line."""
    if isinstance(value, list):
        return [_plain_draft_07(member) for member in value if member != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    plain = {key: _plain_draft_07(member) for key, member in value.items()}
    if plain.get("default", True) in (None, "", (), [], {}):
        del plain["default"]
    if isinstance(plain.get("description"), str):
        plain["description"] = " ".join(plain["description"].split())
    choices = plain.get("anyOf")
    if isinstance(choices, list) and len(choices) == 1:
        del plain["anyOf"]
        plain |= choices[0]
    return plain


def _string_or_list(field: dict[str, Any]) -> None:
    choices = [_STRING, {"type": field.pop("type"), "items": field.pop("items")}]
    field["anyOf"] = choices


def _attached_file(attachment: dict[str, Any]) -> None:
    described = "A file in the message's folder or the project. filename defaults to its name."
    attachment["properties"] = {
        "file": {**_STRING, "description": described},
        **attachment["properties"],
    }
    attachment["anyOf"] = [{"required": [key]} for key in ("file", "content", "content_from")]
    attachment["not"] = {"required": ["file", "content"]}


def _not_empty(*fields: str) -> dict[str, Any]:
    return {"properties": dict.fromkeys(fields, _TEXT)}


def _check_table() -> dict[str, Any]:
    rules = {"type": "array", "items": _STRING}
    return {
        "description": "The lints of this message: rules to leave out, or the only ones to run.",
        "type": "object",
        "properties": {"ignore": rules, "select": rules},
        "additionalProperties": False,
    }


def _declaration() -> dict[str, Any]:
    name = {"enum": list(TYPE_NAMES)}
    typed = {
        "type": "object",
        "properties": {"type": name, "default": {}},
        "required": ["type"],
        "additionalProperties": False,
    }
    return {
        "description": "A type name, a table with type and default, a table of such, or a list "
        "of one.",
        "anyOf": [
            name,
            typed,
            {"type": "object", "additionalProperties": _DECLARATION},
            {"type": "array", "items": _DECLARATION, "minItems": 1, "maxItems": 1},
        ],
    }
