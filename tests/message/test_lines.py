"""The lines of keys and values in TOML and JSON texts."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st
from message_strategies import extras, json_values, without_null

from vero_deliver.json_lines import json_lines, repeated_key
from vero_deliver.plain import KeyPath
from vero_deliver.toml_lines import toml_lines

TOML = '''title = "T" # [not a table]
a.b = 1
"quoted.key" = 1979-05-27 07:32:00.5
[email]
subject = """
First
[sms] = not a table \\""" nor an end""""
to = [
  "one", # a comment, with a comma
  """two
lines""",
]
inline = { x = 1, y.z = ["""
deep"""] }
[[email.attachments]]
file = 'a'
[[email.attachments]]
file = 'b'
[email.attachments.more]
last = true
'''


def paths(value: Any, at: KeyPath = ()) -> set[KeyPath]:
    """Every key path of a plain value."""
    members: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        members = list(value.items() if isinstance(value, dict) else enumerate(value))
    return {at}.union(*(paths(member, (*at, key)) for key, member in members))


def test_every_kind_of_toml_key_has_its_line() -> None:
    """Tables, dotted and quoted keys, arrays of tables, inline tables, multi-line strings."""
    lines = toml_lines(TOML)
    assert {
        ("title",): 1, ("a", "b"): 2, ("quoted.key",): 3, ("email",): 4, ("email", "subject"): 6,
        ("email", "to"): 8, ("email", "to", 0): 9, ("email", "to", 1): 10,
        ("email", "inline", "x"): 13, ("email", "inline", "y", "z", 0): 14,
        ("email", "attachments", 0, "file"): 16, ("email", "attachments", 1, "file"): 18,
        ("email", "attachments", 1, "more", "last"): 20,
    }.items() <= lines.items()  # fmt: skip
    assert set(lines) == paths(tomllib.loads(TOML)) - {()}


@given(extras, st.booleans())
@settings(deadline=None)
def test_every_toml_value_has_a_line(document: dict[str, Any], multiline: bool) -> None:
    """The line finder sees exactly the keys that tomllib sees, whatever the text holds."""
    document = without_null(document)
    text = tomli_w.dumps(document, multiline_strings=multiline)
    assert set(toml_lines(text)) == paths(tomllib.loads(text)) - {()}


def test_a_long_toml_string_is_read_in_one_pass() -> None:
    """Two megabytes of quotes and backslashes do not make it slow."""
    text = "a = '''\n" + "''x\\" * 250_000 + "'''\nb = \"\"\"" + '""x\\\\' * 200_000 + '"""\nc = 1'
    tomllib.loads(text)
    assert toml_lines(text)[("c",)] == 4


@given(json_values)
def test_every_json_value_has_the_line_it_stands_on(value: Any) -> None:
    """With one token a line, a value's line begins with that value."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    rows, lines = text.split("\n"), json_lines(text)
    assert set(lines) == paths(value)
    for path, line in lines.items():
        below: Any = value
        for part in path:
            below = below[part]
        start = json.dumps(below, indent=1, ensure_ascii=False).split("\n")[0]
        assert start in rows[line - 1]


def test_a_repeated_key_is_found_where_it_is() -> None:
    """The same name in another object is no repetition."""
    assert repeated_key('{"a": [{"a": 1}, {"a": 2}]}') is None
    assert repeated_key('{"a": [{"a": 1,\n"b": 1,\n"a": 2}]}') == (("a", 0, "a"), 3)
