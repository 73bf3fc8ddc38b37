"""Random templates: whoever gets a message compiled once gets what the plain pipeline gives.

More of them, from a seed that nobody looked at: `pytest tests/once --fuzz-rounds 200
--fuzz-seed held-out`. A failing one, small: `pytest 'tests/once/test_fuzz.py::...' --shrink`.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest

from once.conftest import fuzz_rounds, fuzz_seed
from once.engines import HAS_ENGINE
from once.judge import Judgement, judge
from once.mutate import DOCUMENTS, Mutant, mutate
from once.shrink import shrink


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "drawn" not in metafunc.fixturenames:
        return
    seed, rounds = fuzz_seed(metafunc.config), fuzz_rounds(metafunc.config)
    drawn = [(document, f"{seed}/{n}") for document in DOCUMENTS for n in range(rounds)]
    metafunc.parametrize("drawn", drawn, ids=[f"{document}-{s}" for document, s in drawn])


def test_compiled_once_is_the_same(
    drawn: tuple[str, str],
    tally: Counter[str],
    request: pytest.FixtureRequest,
) -> None:
    """Subject, text part, DOM and errors, for every user, accepted or not."""
    mutant = mutate(*drawn)
    found = judge(mutant.source, mutant.ending, mutant.contexts)
    tally.update(("templates", found.outcome))
    if found.outcome == "accepted":
        tally["renders"] += found.renders
    if found.wrong:
        smaller = request.config.getoption("--shrink", default=False)
        source = _small(mutant, found) if smaller else mutant.source
        pytest.fail(_report(request.node.nodeid, drawn[1], found, source), pytrace=False)


def test_the_fuzz_says_something(tally: Counter[str]) -> None:
    """Mutants are valid, and a fair part of them is compiled: else equality would mean nothing."""
    if tally["templates"] < 100:
        pytest.skip("needs the whole fuzz before it")
    assert tally["refused"] < tally["templates"] / 5
    assert tally["accepted"] > tally["templates"] / 4


@pytest.mark.skipif(not HAS_ENGINE, reason="there is one pipeline only")
def test_what_falls_back_says_why() -> None:
    """Each mutant that is not compiled has a reason with a line of its file."""
    for document in DOCUMENTS[:8]:
        for seed in ("why/1", "why/2", "why/3"):
            mutant = mutate(document, seed)
            found = judge(mutant.source, mutant.ending, mutant.contexts[:1])
            if found.outcome == "fallback":
                assert found.reasons
                assert all(f"email.{mutant.ending}" in reason.where for reason in found.reasons)


def _small(mutant: Mutant, found: Judgement) -> str:
    """A template that fails in the same part: error, subject, text or html."""
    part = found.wrong.partition(",")[0].partition(":")[0]
    data = [found.data or {}]
    return shrink(
        mutant.source, lambda text: judge(text, mutant.ending, data).wrong.startswith(part)
    )


def _report(node: str, seed: str, found: Judgement, source: str) -> str:
    numbered = "\n".join(f"{n:4} {line}" for n, line in enumerate(source.splitlines(), 1))
    again = f"pytest '{node}' --fuzz-seed {seed.partition('/')[0]} --fuzz-rounds {seed_round(seed)}"
    data = json.dumps(found.data, ensure_ascii=False, indent=1, default=str)
    return f"{found.wrong}\n\n{again}\n\n{numbered}\n\n{found.outcome}, for {data}"


def seed_round(seed: str) -> int:
    """How many rounds it takes to come to that one."""
    return int(seed.rpartition("/")[2]) + 1
