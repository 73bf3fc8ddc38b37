"""A short run of benchmarks.chaos: random kills and faults, and nothing is lost or doubled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from promising import NEWS, order

from benchmarks.chaos.run import run
from benchmarks.chaos.verdict import judge
from vero_deliver import Outbox
from vero_deliver.outbox.records import Result, Start
from vero_deliver.states import State


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled(database: str, tmp_path: Path) -> None:
    """Workers are killed ten times; every delivery is settled, and the providers' logs agree."""
    done = run(database, tmp_path, deliveries=800, kills=10, workers=2, seed="short")
    assert done.verdict.mistakes == 0, done.verdict.examples
    assert done.kills == 10
    assert set(done.verdict.states) <= {"accepted", "refused", "uncertain"}
    assert sum(done.verdict.states.values()) == 800


@pytest.mark.parametrize(
    ("line", "states", "delivered", "mistake"),
    [
        ("smtp", ["accepted"], 1, ""),
        ("smtp", ["uncertain"], 0, ""),
        ("smtp", ["accepted"], 0, "lost"),
        ("smtp", ["deferred"], 0, "lost"),
        ("smtp", [], 0, "lost"),
        ("smtp", ["refused"], 1, "misfiled"),
        ("smtp", ["accepted"], 2, "doubled_unmarked"),
        ("once", ["accepted"], 2, "doubled_idempotent"),
    ],
)
def test_the_judge_sees_what_is_wrong(
    database: str, tmp_path: Path, line: str, states: list[State], delivered: int, mistake: str
) -> None:
    """Outbox and log of one delivery that do not agree are counted, by what is wrong."""
    outbox = Outbox(database, env=line)
    outbox.create()
    for state in states:
        outbox.add(NEWS, [order(outbox, f"{line}-0")])
        [leased] = outbox.claim(["sms"], 1)
        outbox.file([Start(leased, line, repeatable=False)], [])
        now = outbox.now()
        how = {"leased": leased, "ended_at": now, "started_at": now, "next_attempt_at": now}
        outbox.file([], [Result(state=state, **how)])  # type: ignore[arg-type]
    log = tmp_path / "log"
    seen = {"number": 0, "key": "", "event": "delivered"}
    log.write_text(f"{json.dumps(seen)}\n" * delivered)
    found = judge(outbox, {line: 1}, {line: log})
    assert found.mistakes == bool(mistake)
    assert [one.partition(":")[0] for one in found.examples] == ([mistake] if mistake else [])
    outbox.close()
