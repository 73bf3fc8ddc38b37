"""Options of the fuzz, and its counts at the end of the run."""

from __future__ import annotations

import os
from collections import Counter

import pytest

TALLY = pytest.StashKey[Counter[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known where tests/once is named on the command line; the variables are read everywhere."""
    group = parser.getgroup("compile once")
    group.addoption("--fuzz-rounds", type=int, help="mutants per document; VERO_FUZZ_ROUNDS")
    group.addoption("--fuzz-seed", help="another seed gives other mutants; VERO_FUZZ_SEED")
    group.addoption("--shrink", action="store_true", help="make failing templates small")


def fuzz_rounds(config: pytest.Config) -> int:
    """Mutants per document."""
    given = config.getoption("--fuzz-rounds", None)
    return given or int(os.environ.get("VERO_FUZZ_ROUNDS", "20"))


def fuzz_seed(config: pytest.Config) -> str:
    """What all mutants are drawn from."""
    return config.getoption("--fuzz-seed", None) or os.environ.get("VERO_FUZZ_SEED", "1")


def pytest_configure(config: pytest.Config) -> None:
    """The counts start at nothing."""
    config.stash[TALLY] = Counter()


@pytest.fixture
def tally(pytestconfig: pytest.Config) -> Counter[str]:
    """Outcomes of this run."""
    return pytestconfig.stash[TALLY]


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Says what was compared, since a run that accepts nothing passes too."""
    counts = config.stash[TALLY]
    if counts["templates"]:
        terminalreporter.write_line(
            f"compile once: {counts['templates']:,} templates, {counts['accepted']:,} accepted "
            f"({counts['renders']:,} renders compared), {counts['fallback']:,} fell back, "
            f"{counts['refused']:,} refused; seed {fuzz_seed(config)}"
        )
