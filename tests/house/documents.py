"""The documents of the project, as text with headings, code blocks and tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
MARKDOWN: Final = sorted(
    [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("channels/*.md"), *ROOT.glob("push*/*.md")]
)


def read(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next one of any level."""
    found = re.search(
        rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", blanked(text), re.MULTILINE | re.DOTALL
    )
    assert found, f"there is no heading {heading!r}"
    return text[found.start(1) : found.end(1)]


def blanked(text: str) -> str:
    """The text with code blocks made blank, so that a comment in one is no heading."""
    return re.sub(
        r"^```.*?^```",
        lambda block: re.sub(r"[^\n]", " ", block[0]),
        text,
        flags=re.MULTILINE | re.DOTALL,
    )


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def rows(text: str) -> dict[str, list[str]]:
    """The rows of the tables: each name in the first cell, in backquotes, to its other cells."""
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return {name: rest for first, *rest in cells for name in re.findall(r"`([^`]+)`", first)}
