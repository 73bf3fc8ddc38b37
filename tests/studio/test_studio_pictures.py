"""The pictures in docs/studio are there for every tab, small, and of this studio."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from studio.studio_server import ROOT, chromium
from vero_deliver.studio.state import TABS

KEPT = ROOT / "docs/studio"
MOST = 150_000  # bytes


@pytest.mark.parametrize("tab", [*TABS, "dark", "trouble", "phone"])
def test_every_tab_has_its_picture(tab: str) -> None:
    """None is missing, none is large."""
    picture = KEPT / f"{tab}.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < MOST


def test_they_can_be_made_anew(tmp_path: Path) -> None:
    """The script makes the ones that are kept, and no other."""
    with chromium():  # skips where there is none
        pass
    script = str(ROOT / "scripts/studio-pictures")
    subprocess.run([sys.executable, script, str(tmp_path)], check=True)
    made = {file.name for file in tmp_path.iterdir()}
    assert made == {file.name for file in KEPT.iterdir()}
