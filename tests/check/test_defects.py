"""Defects that are planted are found, all of them, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from check.defects import planted
from check.projects import Defect, places, report
from vero_deliver.check import rules

DEFECTS = planted()


def test_a_flawless_message_has_no_findings(tmp_path: Path) -> None:
    """What the defects are planted in is without one."""
    assert places(report(tmp_path).findings) == []


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: f"{d.name}-{d.words or d.at}")
def test_a_planted_defect_is_found(tmp_path: Path, defect: Defect) -> None:
    """With its name, in its file and line, for those it concerns; and nothing besides."""
    found = report(tmp_path, defect.change, options=defect.options).findings
    own = [
        finding
        for finding in found
        if places((finding,)) == [(defect.name, defect.at)] and defect.words in finding.text
    ]
    assert own, f"not found among {places(found)}"
    assert {sample for finding in own for sample in finding.samples} >= set(defect.who)
    strangers = {finding.name for finding in found} - {defect.name, *defect.also}
    assert not strangers, [f"{f.place} {f.name} {f.text}" for f in found]


def test_every_rule_is_planted() -> None:
    """A rule that nobody has seen work is none."""
    asked = {rule.id for rule in rules() if not rule.needs}
    names = {defect.name for defect in DEFECTS}
    unseen = {rule for rule in asked if not any(name.startswith(rule) for name in names)}
    assert unseen == {"check/broken-rule"}, "test_engine.py breaks one"
    assert len(DEFECTS) >= 40
