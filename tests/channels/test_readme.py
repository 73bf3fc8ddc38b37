"""channels/README.md keeps up with the drivers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vero_deliver.registry import DRIVERS, Driver

ROWS = {
    row[0].strip("`"): row
    for line in (Path(__file__).parents[2] / "channels/README.md").read_text("utf-8").splitlines()
    if len(row := [cell.strip() for cell in line.strip("|").split("|")]) == 5
}


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=lambda driver: driver.name)
def test_every_driver_has_a_true_row(driver: Driver) -> None:
    """The matrix names each driver's class and what it carries."""
    _, target, carries, idempotent, notes = ROWS[driver.name]
    assert target == f"`{driver.target}`"
    assert tuple(re.split(", ", carries)) == driver.contents
    assert idempotent in ("yes", "no")
    assert notes
