"""channels/README.md keeps up with the drivers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from vero_channels.transport.capabilities import Capabilities
from vero_deliver.registry import DRIVERS, Driver

README = (Path(__file__).parents[2] / "channels/README.md").read_text("utf-8")
ROWS = {
    row[0].strip("`"): row
    for line in README.splitlines()
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


COLUMNS = [field.name for field in fields(Capabilities)]


def cell(value: object) -> str:
    """A feature as the matrix shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "no limit" if value is None else f"{value:,}"


def matrix() -> Iterator[str]:
    """The features of every email API, as its driver declares them."""
    apis = [driver for driver in DRIVERS.values() if hasattr(driver.load(), "capabilities")]
    yield f"| feature | {' | '.join(f'`{driver.name}`' for driver in apis)} |"
    yield "|---" * (len(apis) + 1) + "|"
    for column in COLUMNS:
        cells = [cell(getattr(driver.load().capabilities, column)) for driver in apis]
        yield f"| `{column}` | {' | '.join(cells)} |"


def test_feature_matrix_is_what_drivers_declare() -> None:
    """The table below "Email APIs" is made of the drivers' capabilities."""
    expected = "\n".join(matrix())
    assert expected in README, f"paste this into channels/README.md:\n{expected}"


@pytest.mark.parametrize("column", COLUMNS)
def test_every_feature_is_told(column: str) -> None:
    """Those whose names do not say it all are explained where they are declared."""
    assert column in (Capabilities.__doc__ or "") or column in README


def test_idempotent_rows_are_true() -> None:
    """The first matrix says of each email API what the channel says of itself."""
    for driver in DRIVERS.values():
        made = driver.load()
        if hasattr(made, "capabilities"):
            own = "yes" if made.idempotent.fget(None) else "no"
            assert ROWS[driver.name][3] == own
