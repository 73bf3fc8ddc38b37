"""The JSON Schema that editors use for a message's samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from vero_deliver import Message
from vero_deliver.audience import samples
from vero_deliver.data import TYPE_NAMES, check_data
from vero_deliver.errors import DataError
from vero_deliver.project import Project
from vero_deliver.schema.sample import sample_schema, sample_schema_text

EXAMPLES = Project.find(Path(__file__).parents[2] / "examples")


def fits(declared: dict[str, Any], sample: Any) -> bool:
    schema = json.loads(sample_schema_text(Message(title="T", data=declared)))
    Draft7Validator.check_schema(schema)
    return bool(Draft7Validator(schema).is_valid(sample))


def is_taken(declared: dict[str, Any], values: dict[str, Any]) -> bool:
    try:
        check_data(declared, values)
    except DataError:
        return False
    return True


@pytest.mark.parametrize("name", EXAMPLES.message_ids())
def test_samples_of_the_examples_fit(name: str) -> None:
    """What the loader reads, the schema allows."""
    message = EXAMPLES.message(name)
    assert samples(EXAMPLES.folder(name), declared=message.data)
    for path in (EXAMPLES.folder(name) / "samples").glob("*.json"):
        Draft7Validator(sample_schema(message)).validate(json.loads(path.read_text()))


DECLARED: dict[str, Any] = {
    "month": "string",
    "spent": {"type": "decimal", "default": "0"},
    "items": [{"name": "string", "count": "integer"}],
    "order": {"id": "string", "note": {"type": "string", "default": ""}},
    "extra": {"note": {"type": "string", "default": "x"}},
}
WHOLE = {"month": "May", "items": [{"name": "a", "count": 1}], "order": {"id": "1"}}


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"user": {"id": 1, "email": "a@x.example", "first_name": "A", "vip": True}}, True),
        ({"user": {"devices": [{"token": "t", "platform": "ios"}], "locale": None}}, True),
        ({"event": {"name": "Order completed"}, "$schema": "x.json"}, True),
        ({"spent": "12.50", "extra": {"note": None}}, True),
        ({"undeclared": [1, {}]}, True),
        ({"items": [{"name": "a", "count": "12"}]}, True),
        ({"month": 5}, False),
        ({"spent": "much"}, False),
        ({"items": [{"name": "a"}]}, False),
        ({"items": {"name": "a", "count": 1}}, False),
        ({"order": {}}, False),
        ({"user": {"devices": [{"token": "t", "platform": "phone"}]}}, False),
        ({"user": {"email": 5}}, False),
    ],
)
def test_sample_is_checked_as_it_will_be(change: dict[str, Any], good: bool) -> None:
    """Alone and in a list, as a file of samples may hold it."""
    assert fits(DECLARED, {**WHOLE, **change}) is good
    assert fits(DECLARED, [WHOLE, {**WHOLE, **change}]) is good


def test_what_has_no_default_is_required() -> None:
    """An object all of whose members have defaults is not."""
    for name in DECLARED:
        without = {key: value for key, value in WHOLE.items() if key != name}
        assert fits(DECLARED, without) is (name not in WHOLE)


VALUES: list[Any] = [
    "text", "", "12", "12.50", "-3", "true", "no", "2026-05-01", "2026-05-01T10:00:00Z", 0, 12,
    12.5, True, False, [], [1], {}, {"a": 1}, "1e3", "x12",
]  # fmt: skip


@pytest.mark.parametrize("type_name", TYPE_NAMES)
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_what_fits_a_type_is_taken(type_name: str, value: Any) -> None:
    """The schema allows nothing that a send would refuse."""
    if fits({"x": type_name}, {"x": value}):
        assert is_taken({"x": type_name}, {"x": value})


@pytest.mark.parametrize(
    ("type_name", "value"),
    [
        ("string", "x"), ("integer", 1), ("number", 1.5), ("decimal", "12.50"), ("boolean", True),
        ("date", "2026-05-01"), ("datetime", "2026-05-01T10:00:00Z"), ("list", [1]),
        ("object", {"a": 1}), ("any", None),
    ],
)  # fmt: skip
def test_usual_value_of_each_type_fits(type_name: str, value: Any) -> None:
    """What people write is not underlined."""
    assert fits({"x": type_name}, {"x": value})


def test_default_reaches_the_editor() -> None:
    """Also one that JSON has no literal for."""
    schema = json.loads(sample_schema_text(Message(title="T", data=DECLARED)))
    assert schema["definitions"]["Recipient"]["properties"]["spent"]["default"] == "0"
