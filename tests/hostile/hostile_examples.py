"""The example messages, and their samples as documents that a test can poison."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from vero_deliver import Message, Project, User

EXAMPLES = Path(__file__).parents[2] / "examples"
PROJECT = Project.find(EXAMPLES)


@lru_cache
def message(name: str) -> Message:
    """One example."""
    return PROJECT.message(name)


def samples() -> list[tuple[str, Any]]:
    """Message id and sample document, of every example."""
    found = sorted((EXAMPLES / "messages").rglob("samples/*.json"))
    return [(path.parents[1].name, json.loads(path.read_text())) for path in found]


def split(document: Any) -> tuple[User, dict[str, Any]]:
    """The user, built as Python code builds one (nothing is checked), and the sender's data."""
    flat = dict(document["user"])
    known = {name: flat.pop(name) for name in User.__struct_fields__ if name in flat}
    known.pop("devices", None)
    data = {name: value for name, value in document.items() if name != "user"}
    return User(**known, attributes=flat), data
