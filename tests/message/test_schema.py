"""The JSON Schema that editors use for message.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from message_strategies import messages

from vero_deliver import Message
from vero_deliver.errors import MessageError
from vero_deliver.loader import load_message, save_message
from vero_deliver.schema import generated_text, message_schema, schema_text

VALIDATOR = Draft7Validator(message_schema())
EMAIL = 'title = "T"\n[email]\nsubject = "s"\n'


def loads(folder: Path, text: str) -> bool:
    folder.mkdir(exist_ok=True)
    (folder / "a.png").write_bytes(b"")
    (folder / "message.toml").write_text(text, encoding="utf-8", newline="")
    try:
        load_message(folder)
    except MessageError:
        return False
    return True


def test_the_shipped_file_is_what_the_models_say() -> None:
    """If not: python -m vero_deliver.schema"""
    assert schema_text() == generated_text()


def test_it_is_a_draft_07_schema() -> None:
    """Editors for TOML know no later draft."""
    Draft7Validator.check_schema(message_schema())
    assert "$defs" not in schema_text()
    assert '"null"' not in schema_text()


def test_descriptions_reach_the_editor() -> None:
    """What a field is for is said where it is typed."""
    email = message_schema()["definitions"]["Email"]["properties"]
    assert email["bcc"]["description"] == "In the envelope only."


GOOD = [
    'title = "T"',
    EMAIL + 'to = "a@x.example"\ncc = ["b@x.example"]\nhtml = "<p>"\nmjml = ""',
    EMAIL + '[[email.attachments]]\nfile = "a.png"\ncid = "a"\n',
    EMAIL + '[[email.attachments]]\ncontent_from = "pdf"\n',
    'locales = ["cs"]\n' + EMAIL + '[email.variants.cs]\nsubject = "s"\n[email.headers]\nX-A = "b"',
    'title = "T"\n[push]\ntitle = "p"\nbadge = 1\nttl = "2h"\n[push.ios]\na = [1]',
    'title = "T"\n[http]\nurl = "u"\nmethod = "PUT"\njson = { a = 1 }',
    'title = "T"\n[check]\nignore = ["client/css"]',
    'title = "T"\n[data]\na = "string"\nb = { type = "date", default = 2026-01-01 }\n'
    'c = { d = "any" }\ne = [{ f = "list" }]\ng = ["integer"]\nh = {}',
]
BAD = [
    "",
    'title = 1\nkind = "transactional"',
    'title = "T"\nid = "x"',
    'title = "T"\nkind = "marketting"',
    'title = "T"\nlocales = ["c"]',
    'title = "T"\n[email]\n',
    EMAIL + "to = [1]",
    EMAIL + 'html = "a"\nmjml = "b"',
    EMAIL + '[email.variants.cs]\nhtml = "a"\nmjml = "b"',
    EMAIL + '[email.variants."c!"]',
    EMAIL + '[[email.attachments]]\ncid = "a"\n',
    EMAIL + '[[email.attachments]]\nfile = "a.png"\ncontent = "AA=="\n',
    EMAIL + "[email.headers]\nX-A = 1",
    'title = "T"\n[sms]\nbody = "b"\nmax_segments = 0',
    'title = "T"\n[http]\nurl = "u"\njson = 1\nbody = "b"',
    'title = "T"\n[check]\nignroe = []',
    'title = "T"\n[data]\na = "strin"',
    'title = "T"\n[data]\na = 1',
    'title = "T"\n[data]\na = ["string", "string"]',
    'title = "T"\n[data]\na = { type = "strin", default = 1 }',
]


@pytest.mark.parametrize(
    ("text", "right"), [*((t, True) for t in GOOD), *((t, False) for t in BAD)]
)
def test_schema_and_loader_agree(tmp_path: Path, text: str, right: bool) -> None:
    """What an editor underlines is what the loader refuses, and nothing else."""
    assert VALIDATOR.is_valid(tomllib.loads(text)) == right
    assert loads(tmp_path / "m", text) == right


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(message=messages, data=st.data())
def test_they_agree_on_every_message_and_its_typos(
    tmp_path_factory: pytest.TempPathFactory, message: Message, data: Any
) -> None:
    """A saved message is valid; with a key of it misspelt it is not."""
    folder = tmp_path_factory.mktemp("m") / "x"
    save_message(message, folder)
    text = (folder / "message.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    assert VALIDATOR.is_valid(document)
    tables = [document, *(document[n] for n in ("email", "push", "sms", "http") if document.get(n))]
    table = data.draw(st.sampled_from(tables))
    table["x" + data.draw(st.sampled_from(sorted(table)))] = "x"
    assert not VALIDATOR.is_valid(document)
