"""TypedDicts of the data that messages need: type checkers hold senders to [data]."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vero_deliver import Message
from vero_deliver.project import Project
from vero_deliver.schema.typed_dicts import typed_dicts

EXAMPLES = Project.find(Path(__file__).parents[2] / "examples")
ODD: dict[str, Any] = {
    "class": "string",
    "order-id": "integer",
    "date": "date",
    "str": {"type": "string", "default": ""},
    'say "hi"\\': "any",
    "příliš": "boolean",
    "__x": "list",
    "empty": {},
    "rows": [["decimal"]],
    "inner": {"Any": "any", "plain": "datetime"},
}


def module(*messages: Message) -> dict[str, Any]:
    """The module's names, once it has run."""
    found: dict[str, Any] = {}
    exec(compile(typed_dicts(messages), "mail.py", "exec"), found)
    return found


def mypy(folder: Path, text: str) -> str:
    """What `mypy --strict` says of a program beside the module; empty where all is well."""
    (folder / "program.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "program.py", "mail.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout


def test_senders_are_held_to_what_messages_need(tmp_path: Path) -> None:
    """mypy --strict takes the module and right data, and finds what is missing or of no type."""
    messages = [EXAMPLES.message(name) for name in EXAMPLES.message_ids()]
    odd = Message(id="odd", title="Odd", data=ODD)
    (tmp_path / "mail.py").write_text(typed_dicts([*messages, odd]))
    right = (
        "from decimal import Decimal\n"
        "from collections.abc import Mapping\n"
        "from typing import Any\n"
        "import mail\n"
        "line: mail.OrderReceiptOrderLinesItem = {\n"
        "    'name': 'Twine', 'quantity': 3, 'price': Decimal('4.50')}\n"
        "data: mail.OrderReceipt = {'order': {\n"
        "    'id': '1', 'placed': '2026-05-01', 'currency': 'GBP', 'lines': [line],\n"
        "    'shipping': 0, 'total': '4.50'}}\n"
        "sent: Mapping[str, Any] = data  # what send() takes\n"
    )
    assert mypy(tmp_path, right) == ""
    wrong = right.replace("'quantity': 3", "'quantity': 'three'").replace("'id': '1', ", "")
    found = mypy(tmp_path, wrong)
    assert 'item "quantity"' in found
    assert 'Missing key "id"' in found


def test_names_of_any_kind_are_members() -> None:
    """Keywords, dashes, quotes and names that would hide a type are written as a call."""
    odd = module(Message(id="odd", title="Odd", data=ODD))["Odd"]
    assert set(odd.__annotations__) == set(ODD)
    assert odd.__optional_keys__ == {"str"}


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        (("billing/overdue",), ("BillingOverdue",)),
        (("a-b", "a/b", "aB"), ("AB", "AB2", "AB3")),
        (("2fa",), ("Data2fa",)),
        (("any",), ("Any2",)),
        (("a/b/order", "a"), ("ABOrder", "A", "ABOrder2")),
    ],
)
def test_each_message_has_a_name_of_its_own(ids: tuple[str, ...], names: tuple[str, ...]) -> None:
    """Even where two of them become the same in Python, or that of a type."""
    data = {"b": {"order": {"x": "string"}}} if "a" in ids else {"x": "string"}
    found = module(*(Message(id=name, title="T", data=data) for name in ids))
    assert set(names) <= set(found)


def test_same_messages_give_the_same_text() -> None:
    """So that a second run changes nothing, and review shows what did."""
    messages = [EXAMPLES.message(name) for name in EXAMPLES.message_ids()]
    assert typed_dicts(messages) == typed_dicts(messages)


def test_nothing_to_declare_is_an_empty_module() -> None:
    """Messages without [data] have no TypedDict, and nothing is imported."""
    text = typed_dicts([Message(title="T")])
    assert "import" not in text
    assert text.endswith('"""\n')


def test_message_of_any_name_is_python() -> None:
    """A name with quotes does not end the docstring."""
    module(Message(id='a"""\nimport os', title="T", data={"x": "string"}))
