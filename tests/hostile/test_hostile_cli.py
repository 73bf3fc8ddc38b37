"""Hostile files on the command line: an exit code and a sentence, never a traceback."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from attacks import ATTACKS, MANY, changed, json_values, leaves, texts
from click.testing import CliRunner, Result
from hostile_examples import EXAMPLES, samples
from hypothesis import given
from hypothesis import strategies as st

from vero_deliver.cli import cli

Run = Callable[..., Result]
STEERING = {"\x1b", "\x07", "\x9b", "\x00", "\u202e"}
COMMANDS: tuple[Sequence[str], ...] = (
    ("render", "--all"),
    ("render", "--all", "-f", "json", "-o", "out/"),
    ("preview", "--terminal", "--all"),
    ("send", "--yes"),
    ("send", "--yes", "--json"),
    ("send", "--dry-run"),
    ("send", "--dry-run", "--json"),
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the examples; `dev` captures what is sent."""
    root = tmp_path_factory.mktemp("hostile") / "project"
    shutil.copytree(EXAMPLES, root, ignore=shutil.ignore_patterns("captured"))
    return root


def run(root: Path, command: Sequence[str], message: str, file: str, data: bytes) -> Result:
    """One command about the users of a file, which it writes first."""
    (root / file).write_bytes(data)
    words = [command[0], message, "--data", str(root / file), *command[1:]]
    words = [str(root / "out") + "/" if word == "out/" else word for word in words]
    done = CliRunner().invoke(cli, ["-C", str(root), *words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code in {0, 1, 2}
    assert not STEERING & set(done.stderr)
    assert command[0] != "preview" or not (STEERING - {"\u202e"}) & set(done.stdout)
    assert done.exit_code == 0 or done.stderr
    return done


def encoded(value: Any) -> bytes:
    """JSON as a careless program writes it: NaN, lone surrogates and all."""
    return json.dumps(value, ensure_ascii=True).encode()


SPOTS = [(name, document, path) for name, document in samples() for path in leaves(document)]


@MANY
@given(spot=st.sampled_from(SPOTS), value=json_values, command=st.sampled_from(COMMANDS))
def test_poisoned_sample(root: Path, spot: Any, value: Any, command: Sequence[str]) -> None:
    """A sample with any JSON value in place of any of its strings."""
    name, document, path = spot
    poisoned = changed(document, path, lambda _: value)
    run(root, command, name, "users.json", encoded(poisoned))


@MANY
@given(document=json_values, command=st.sampled_from(COMMANDS), many=st.booleans())
def test_any_json(root: Path, document: Any, command: Sequence[str], many: bool) -> None:
    """Any JSON at all, as a document or as lines."""
    lines = b"\n".join([encoded(document)] * 2)
    file, data = ("users.jsonl", lines) if many else ("users.json", encoded(document))
    run(root, command, "order-shipped", file, data)


CELLS = ("id", "email", "phone", "locale", "timezone", "first_name", "order.id", "order.carrier",
         "order.tracking", "order.tracking_link", "order.due")  # fmt: skip
ROW = ("1", "ada@example.com", "+1", "en", "UTC", "Ada", "7", "Mail", "T1", "https://a.example/",
       "2026-11-26")  # fmt: skip


@MANY
@given(at=st.integers(0, len(CELLS) - 1), x=texts, command=st.sampled_from(COMMANDS))
def test_poisoned_cell(root: Path, at: int, x: str, command: Sequence[str]) -> None:
    """A CSV table with any text in any of its cells."""
    table = io.StringIO()
    row = [*ROW[:at], x, *ROW[at + 1 :]]
    csv.writer(table).writerows([CELLS, row, ROW])
    run(root, command, "order-shipped", "users.csv", table.getvalue().encode("utf-8", "replace"))


@MANY
@given(
    header=st.lists(texts, max_size=4),
    row=st.lists(texts, max_size=4),
    command=st.sampled_from(COMMANDS),
)
def test_any_csv(root: Path, header: list[str], row: list[str], command: Sequence[str]) -> None:
    """A CSV table with any names of columns."""
    text = "\n".join([",".join(header), ",".join(row)])
    run(root, command, "order-shipped", "users.csv", text.encode("utf-8", "replace"))


@MANY
@given(
    raw=st.binary(max_size=60),
    command=st.sampled_from(COMMANDS),
    file=st.sampled_from(("a.json", "a.jsonl", "a.csv")),
)
def test_any_bytes(root: Path, raw: bytes, command: Sequence[str], file: str) -> None:
    """Any bytes in a file of any kind."""
    run(root, command, "order-shipped", file, raw)


LISTS = (
    '["\\ud800"]',
    '[{"name": "\\ud800"}]',
    "[" * 5_000,
    "[1e999]",
    "[NaN]",
    '{"a": 1, "a": 2}',
)


@pytest.mark.parametrize("cell", LISTS)
@pytest.mark.parametrize("command", COMMANDS)
def test_json_in_a_cell(root: Path, cell: str, command: Sequence[str]) -> None:
    """A cell that holds JSON may hold what a JSON file may not."""
    folder = root / "messages/hook"
    folder.mkdir(exist_ok=True)
    (folder / "message.toml").write_text(
        'title = "Hook"\n[http]\nurl = "https://a.example/"\njson = { l = "{{ l }}" }\n'
        '[push]\ntitle = "t"\nios = { l = "{{ l }}" }\n[sms]\nbody = "{{ l }}"\n'
        '[data]\nl = "list"\n'
    )
    table = io.StringIO()
    csv.writer(table).writerows([("id", "l"), ("1", cell)])
    run(root, command, "hook", "users.csv", table.getvalue().encode())


@pytest.mark.parametrize("attack", ATTACKS)
def test_message_ids_and_names_stay_inside(root: Path, attack: str) -> None:
    """A hostile message id, name for init, row for --to, key and clock: exit 2 or plain files."""
    before = sorted(root.parent.iterdir())
    for words in (
        ("render", attack),
        ("init", attack),
        ("render", "order-shipped", "--to", attack),
        ("render", "order-shipped", "--key", attack),
        ("render", "order-shipped", "--now", attack),
        ("send", "order-shipped", "--yes", "--to", attack),
        ("--env", attack, "send", "order-shipped", "--to", "a@b.example"),
    ):
        done = CliRunner().invoke(
            cli,
            ["-C", str(root), "--", *words] if words[0][0] != "-" else ["-C", str(root), *words],
        )
        assert done.exception is None or isinstance(done.exception, SystemExit), words
        assert done.exit_code in {0, 1, 2}
    assert sorted(root.parent.iterdir()) == before


def test_output_that_cannot_be_written(root: Path) -> None:
    """A folder that is not there is an error that names it."""
    done = CliRunner().invoke(
        cli, ["-C", str(root), "render", "newsletter", "-o", str(root / "no/such/file")]
    )
    assert done.exit_code == 2
    assert "no/such/file" in done.stderr
    assert isinstance(done.exception, SystemExit)


def test_labels_become_short_file_names(root: Path) -> None:
    """A user whose id is eighty wide letters still gets a file."""
    users = [{"user": {"id": "\U0001d49c" * 300, "email": "", "first_name": "A"}}]
    note = root / "messages/note"
    note.mkdir(exist_ok=True)
    (note / "message.toml").write_text('title = "N"\n[email]\nto = "a@b.example"\nsubject = "s"\n')
    (note / "email.txt").write_text("Hi")
    done = run(root, ("render", "--all", "-o", "out/"), "note", "users.json", encoded(users))
    assert done.exit_code == 0, done.stderr


def test_no_traceback_in_a_process(root: Path) -> None:
    """A process of its own, its real streams, arguments and input that are no UTF-8."""
    for words in ((b"send", b"order-shipped", b"--yes", b"--json", b"--to", b"\xff\xfe@x.example"),
                  (b"render", b"order-shipped", b"--data", b"-"),
                  (b"render", b"\xff", b"--key", b"\xff")):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "vero_deliver.cli", "-C", str(root), *words],
            input=b'\xff{"user": \x1b[2J}',
            capture_output=True,
            check=False,
        )
        assert done.returncode in {1, 2}, done.stderr
        assert b"Traceback" not in done.stderr
        assert b"\x1b" not in done.stderr
