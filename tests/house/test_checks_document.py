"""docs/checks.md has every rule with its why, as the code says it."""

from __future__ import annotations

import pytest
from documents import read, rows, section

from vero_deliver.check import CLIENTS, Rule, rules
from vero_deliver.check.formats import FORMATS
from vero_deliver.check.rule import FAMILIES

NEEDS = {"": "", "online": " Only with `--online`.", "spam": " Only with `--spam`."}


def row(rule: Rule) -> str:
    """A rule's line in the table of its family."""
    parts = " Parts: `" + rule.id + "-...`." if rule.parts else ""
    words = f"{rule.title}. {rule.why}{NEEDS[rule.needs]}{parts}".replace("|", "\\|")
    return f"| `{rule.id}` | {rule.severity} | {words} |"


@pytest.mark.parametrize("family", FAMILIES)
def test_each_rule_has_its_row(family: str) -> None:
    """In the order of the code, and no other."""
    wanted = [row(rule) for rule in rules([family])]
    found = [line for line in section(read("checks.md"), family).splitlines() if "| `" in line]
    text = "\n".join(wanted)
    assert found == wanted, f"below the heading {family} in docs/checks.md stands:\n{text}"


def test_each_format_has_a_row() -> None:
    """Of the command's --format."""
    assert set(rows(section(read("checks.md"), "Formats"))) == set(FORMATS)


def test_the_default_clients_are_told() -> None:
    """As they are written."""
    assert ", ".join(f"`{client}`" for client in CLIENTS) in read("checks.md")
