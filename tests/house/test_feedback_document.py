"""docs/feedback.md has what the code has."""

from __future__ import annotations

import dataclasses
import importlib
from typing import Any, get_args

import pytest
from documents import ROOT, read, rows, section

from vero_deliver.feedback import MEANING, Feedback, Kind, Reason

READERS = rows(section(read("feedback.md"), "Providers"))
TARGETS = {name: row for name, row in READERS.items() if ":" in name}


def test_every_kind_has_a_true_row() -> None:
    """The table of kinds says what the code says."""
    found = rows(section(read("feedback.md"), "Kinds"))
    del found["kind"]
    said = {kind: row[0].replace("`", "") for kind, row in found.items()}
    assert said == {kind: f"{text[0].upper()}{text[1:]}." for kind, text in MEANING.items()}
    assert set(said) == set(get_args(Kind))


def test_every_field_has_a_row() -> None:
    """The table of fields is Feedback's."""
    found = rows(section(read("feedback.md"), "Fields"))
    assert set(found) == {field.name for field in dataclasses.fields(Feedback)}
    assert not [
        reason for reason in get_args(Reason) if f"`{reason}`" not in f"``{found['reason']}"
    ]


def test_every_reader_has_a_row() -> None:
    """Each module of a provider is in the table."""
    modules = {path.stem for path in (ROOT / "channels/vero_channels/feedback").glob("*.py")}
    listed = {target.partition(":")[0].rpartition(".")[2] for target in TARGETS}
    assert listed == modules - {"__init__", "app"}


@pytest.mark.parametrize("target", TARGETS)
def test_every_option_is_in_its_row(target: str) -> None:
    """A reader's row has its options; every one has a name."""
    module, _, name = target.partition(":")
    reader: Any = getattr(importlib.import_module(module), name)
    options = {field.name for field in dataclasses.fields(reader) if field.init}
    assert options - {"name"} == set(TARGETS[target][0].strip("`").split("`, `"))
    assert "name" in options
