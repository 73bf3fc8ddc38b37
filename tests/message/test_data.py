"""The [data] table: what senders must pass."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_strategies import declarations, json_values, names

from vero_deliver.data import check_data, check_declaration
from vero_deliver.errors import DataError, MessageError

SECRET = "reset-token-5fb1"

GOOD: list[tuple[Any, Any, Any]] = [
    ("string", "x", "x"),
    ("integer", "42", 42),
    ("integer", 42, 42),
    ("number", "812.40", 812.4),
    ("number", "7", 7),
    ("number", Decimal("1.10"), Decimal("1.10")),
    ("decimal", "812.40", Decimal("812.40")),
    ("decimal", 0.1, Decimal("0.1")),
    ("boolean", "Yes", True),
    ("boolean", "0", False),
    ("boolean", False, False),
    ("date", "2026-05-01", date(2026, 5, 1)),
    ("datetime", "2026-05-01T10:00:00Z", datetime(2026, 5, 1, 10, tzinfo=UTC)),
    ("datetime", date(2026, 5, 1), datetime(2026, 5, 1)),
    ("list", '["a", 1]', ["a", 1]),
    ("object", '{"a": 1}', {"a": 1}),
    ("any", None, None),
    ({"type": "integer"}, "1", 1),
    ({"type": "string", "default": "d"}, None, "d"),
    ({"type": "date", "default": "2026-05-01"}, None, date(2026, 5, 1)),
    ({"a": "integer"}, {"a": "1", "more": 2}, {"a": 1, "more": 2}),
    ({"a": "integer"}, '{"a": "1"}', {"a": 1}),
    ([{"a": "integer"}], [{"a": "1"}], [{"a": 1}]),
    (["date"], '["2026-05-01"]', [date(2026, 5, 1)]),
    ({"a": {"type": "string", "default": "x"}}, None, {"a": "x"}),
]


@pytest.mark.parametrize(("declared", "value", "expected"), GOOD)
def test_values_become_their_declared_type(declared: Any, value: Any, expected: Any) -> None:
    """Text from CSV and JSON is read as the type says; defaults fill in."""
    checked = check_data({"x": declared}, {"x": value})["x"]
    assert checked == expected
    assert type(checked) is type(expected)


BAD: list[tuple[Any, Any, str]] = [
    ("string", 1, "x: expected a string, got an integer"),
    ("integer", True, "x: expected an integer, got a boolean"),
    ("integer", SECRET, "x: expected an integer, got a string that is none"),
    ("integer", "9" * 5000, "x: expected an integer"),
    ("integer", 1.5, "x: expected an integer, got a number"),
    ("number", "nan", "x: expected a number"),
    ("number", float("inf"), "x: expected a number"),
    ("decimal", SECRET, "x: expected a decimal"),
    ("decimal", "Infinity", "x: expected a decimal"),
    ("boolean", 1, "x: expected a boolean, got an integer"),
    ("date", "2026-13-01", "x: expected a date"),
    ("date", datetime(2026, 1, 1), "x: expected a date, got a date and time"),
    ("list", "a,b", "x: expected a list"),
    ("list", "[1", "x: expected a list"),
    ("object", [], "x: expected an object, got a list"),
    ({"a": "integer"}, {"a": SECRET}, "x.a: expected an integer"),
    ({"a": "integer"}, SECRET, "x: expected an object, got a string"),
    ([{"a": "integer"}], [{"a": 1}, {}], "x[1].a: is missing"),
    ([{"a": "integer"}], {}, "x: expected a list, got an object"),
    ({"a": "integer"}, "{", "x: expected JSON"),
]


@pytest.mark.parametrize(("declared", "value", "words"), BAD)
def test_wrong_values_are_named_and_never_quoted(declared: Any, value: Any, words: str) -> None:
    """A value may be a secret: the error says its path and kind only."""
    with pytest.raises(DataError) as raised:
        check_data({"x": declared}, {"x": value})
    assert words in str(raised.value)
    assert SECRET not in str(raised.value)


def test_all_problems_are_told_at_once_with_who_and_where() -> None:
    """Missing and wrong ones together, each with its near name."""
    declared = {"month": "string", "total": "number", "shop": {"name": "string"}}
    with pytest.raises(DataError) as raised:
        check_data(declared, {"mnth": "May", "total": []}, who="ada", where="m.toml")
    assert str(raised.value) == (
        "m.toml: month: is missing; did you mean 'mnth'?\n"
        "total: expected a number, got a list\n"
        "shop.name: is missing (for ada)"
    )


def test_names_that_are_not_declared_are_kept() -> None:
    """Senders may pass more than a message uses."""
    assert check_data({"a": "string"}, {"a": "x", "more": 1}) == {"a": "x", "more": 1}


def test_defaults_are_not_shared_between_users() -> None:
    """A list that one rendering changes is new for the next."""
    declared = {"x": {"type": "list", "default": [[]]}}
    check_data(declared, {})["x"][0].append(1)
    assert check_data(declared, {})["x"] == [[]]


DECLARATIONS: list[tuple[Any, str]] = [
    ("strin", "data.x: unknown type 'strin'; did you mean 'string'?"),
    ("qqq", "data.x: unknown type 'qqq'; known are string, integer"),
    (5, "data.x: expected a type name or a table, got an integer"),
    ([], "data.x: a list declares one element"),
    ({"type": "strin", "default": 1}, "data.x: unknown type 'strin'"),
    ({"type": "integer", "default": "many"}, "data.x.default: the default is no integer"),
    ({"a": {"b": "strin"}}, "data.x.a.b: unknown type 'strin'"),
    ([{"a": 1}], "data.x[0].a: expected a type name"),
]


@pytest.mark.parametrize(("declared", "words"), DECLARATIONS)
def test_a_malformed_declaration_is_the_message_s_error(declared: Any, words: str) -> None:
    """It is wrong for every sender, whoever checks first."""
    with pytest.raises(MessageError) as raised:
        check_declaration({"x": declared}, lambda _: "m.toml:3")
    assert str(raised.value).startswith("m.toml:3: ")
    assert words in str(raised.value)
    with pytest.raises(MessageError):
        check_data({"x": declared}, {"x": 1})


def test_an_object_may_have_a_member_named_type() -> None:
    """Only type and default alone make a type."""
    declared = {"x": {"type": "string", "size": "integer"}}
    assert check_data(declared, {"x": {"type": "a", "size": 1}})["x"] == {"type": "a", "size": 1}


@given(st.dictionaries(names, declarations, max_size=3), st.dictionaries(names, json_values))
def test_no_data_crashes_the_check(declared: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Checked values pass again unchanged, and everything else is a DataError."""
    try:
        checked = check_data(declared, values)
    except DataError:
        return
    assert check_data(declared, checked) == checked


def test_a_declaration_nested_too_deeply_is_refused() -> None:
    """No RecursionError reaches the sender."""
    deep: Any = "any"
    for _ in range(2000):
        deep = {"a": deep}
    with pytest.raises(MessageError, match="nested too deeply"):
        check_data({"x": deep}, {"x": {}})


class Dict(dict[str, Any]):
    """A mapping of the sender's own."""


class List(list[Any]):
    """A list of the sender's own."""


def of_its_own(value: Any) -> Any:
    """The value with every object and list in it of a class of the sender's own."""
    if isinstance(value, dict):
        return Dict({name: of_its_own(member) for name, member in value.items()})
    return List(map(of_its_own, value)) if isinstance(value, list) else value


def outcome(declared: Any, values: Any) -> Any:
    """The checked values, or what is wrong with them."""
    try:
        return check_data(declared, values)
    except DataError as error:
        return str(error)


LINES = [{"name": "string", "price": "number", "count": "integer", "on": ["date"], "x": "any"}]
LINE = {"name": "x", "price": 1.5, "count": 2, "on": [date(2026, 5, 1)], "x": None}


@given(st.dictionaries(st.sampled_from([*LINE, "more"]), json_values | st.dates()))
def test_the_class_of_an_object_changes_nothing(changed: dict[str, Any]) -> None:
    """dict and list take a shorter way than other mappings and sequences, to the same end."""
    values: Any = {"lines": [LINE, LINE | changed]}
    assert outcome({"lines": LINES}, values) == outcome({"lines": LINES}, of_its_own(values))
