"""The JSON Schema of a message's samples, so that editors complete and check them. Draft-07."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from vero_deliver.message import Message
from vero_deliver.schema.declared import Declared, taken_apart
from vero_deliver.user import User

_NUMBER: Final = {
    "type": ["number", "string"],
    "pattern": r"^\s*[-+]?[0-9]+(\.[0-9]+)?\s*$",
}
_TYPES: Final[Mapping[str, Mapping[str, Any]]] = {  # what data.py takes, as JSON has it
    "string": {"type": "string"},
    "integer": {"type": ["integer", "string"], "pattern": r"^\s*[-+]?[0-9]+\s*$"},
    "number": _NUMBER,
    "decimal": _NUMBER,
    "boolean": {"enum": [True, False, "true", "yes", "1", "false", "no", "0"]},
    "date": {"type": "string", "pattern": r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*$"},
    "datetime": {"type": "string", "pattern": r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?$"},
    "list": {"type": "array"},
    "object": {"type": "object"},
    "any": {},
}
_ABOUT: Final = {"$ref": "#/definitions/User"}


def sample_schema(message: Message) -> dict[str, Any]:
    """The schema of samples/*.json: one recipient, or a list of them.

    Names that [data] does not declare may be there, as they may in data that is sent.
    """
    data = {name: taken_apart(value) for name, value in message.data.items()}
    recipient = _object(data)
    recipient["properties"] = {
        "$schema": {"type": "string"},
        "user": _ABOUT,
        "event": {"type": "object"},
        **recipient["properties"],
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Samples of {message.id or message.title}",
        "anyOf": [
            {"$ref": "#/definitions/Recipient"},
            {"type": "array", "items": {"$ref": "#/definitions/Recipient"}},
        ],
        "definitions": {"Recipient": recipient, **_user()},
    }


def sample_schema_text(message: Message) -> str:
    """The schema as a file."""
    # a default may be a date, which TOML has and JSON has not
    return json.dumps(sample_schema(message), indent=2, ensure_ascii=False, default=str) + "\n"


def _user() -> dict[str, Any]:
    """A user is flat: the known fields, and any attribute beside them."""
    _, models = msgspec.json.schema_components((User,), ref_template="#/definitions/{name}")
    user = models["User"]
    del user["properties"]["attributes"], user["additionalProperties"]
    user["properties"]["id"] = {"type": ["string", "integer"]}
    for name, field in user["properties"].items():
        field.pop("default", None)
        user["properties"][name] = {"anyOf": [field, {"type": "null"}]}
    return models


def _schema(declared: Declared) -> dict[str, Any]:
    if declared.type:
        shape = dict(_TYPES[declared.type])
    elif declared.element is not None:
        shape = {"type": "array", "items": _schema(declared.element)}
    else:
        shape = _object(declared.members)
    if declared.optional and shape:
        shape = {"anyOf": [shape, {"type": "null"}]}  # which counts as left out
    if declared.default is not None:
        shape["default"] = declared.default
    return shape


def _object(members: Mapping[str, Declared]) -> dict[str, Any]:
    required = [name for name, member in members.items() if not member.optional]
    shape: dict[str, Any] = {
        "type": "object",
        "properties": {name: _schema(member) for name, member in members.items()},
    }
    return {**shape, "required": required} if required else shape
