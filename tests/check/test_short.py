"""What is said of text messages: what to write, and for whom it is right as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from check.projects import Change, report
from vero_deliver.check import Finding


def sms(root: Path, body: str, **samples: Change) -> list[Finding]:
    change: dict[str, Change] = {
        "message.toml": (
            "[data.order]",
            f'[sms]\nbody = "{body}"\nmax_segments = 3\n\n[data.order]',
        )
    }
    for name, new in samples.items():
        change[f"samples/{name}.json"] = new
    return [f for f in report(root, change).findings if f.rule == "sms/gsm7"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("It’s there – really", "write smart_encoding = true in [sms], or the plain ones"),
        ("Dear Jiří, it is there", "write r for ř, i for í"),
        ("It is there 🎉", "write nothing for 🎉"),
        ("It’s there, Ján", "write ' for ’, a for á"),
    ],
)
def test_what_to_write(tmp_path: Path, text: str, hint: str) -> None:
    """A switch where that is enough, else each character's plain one."""
    [finding] = sms(tmp_path, text)
    assert finding.hint == hint
    assert finding.severity == "info"  # it still fits into one segment


def test_what_costs_more_is_a_warning(tmp_path: Path) -> None:
    """One segment without the character, two with it."""
    [finding] = sms(tmp_path, "It’s there. " + "We are on our way. " * 4)
    assert (finding.severity, finding.detail) == ("warning", "2 segments, 1 without")


def test_a_language_with_its_own_letters(tmp_path: Path) -> None:
    """Czech is written with them; English with one name is not."""
    czech: Change = ('"id": "2"', '"id": "2", "locale": "cs"')
    change: dict[str, Change] = {
        "message.toml": [
            ('title = "Order shipped"\n', 'title = "Order shipped"\nlocales = ["cs"]\n'),
            ("[data.order]", '[sms]\nbody = "Zásilka je na cestě"\n\n[data.order]'),
        ],
        "samples/jana.json": czech,
    }
    assert not [f for f in report(tmp_path, change).findings if f.rule == "sms/gsm7"]


@pytest.mark.parametrize("text", ["Ваша посылка в пути", "您的包裹", "£5 off @ Vero, it's €"])
def test_other_scripts_and_gsm7_are_right(tmp_path: Path, text: str) -> None:
    """Nothing plainer says the same."""
    assert sms(tmp_path, text) == []
