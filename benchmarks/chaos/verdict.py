"""What the providers saw against what the outbox says, delivery by delivery."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks.chaos.lines import AT_LEAST_ONCE, IDEMPOTENT
from vero_deliver import Outbox
from vero_deliver.outbox.schema import attempts, deliveries
from vero_deliver.states import OPEN


@dataclass
class Verdict:
    """Deliveries by what is wrong with them; the last fields are no mistakes.

    lost: promised and not in the outbox, never settled, or called accepted and never delivered.
    doubled_unmarked: delivered more often than attempts in doubt allow, or than once where the
    policy is at_most_once.
    doubled_idempotent: delivered twice by a provider that keeps keys, or its key with another body.
    misfiled: said to be refused, and delivered.
    doubled_marked: delivered again after doubt, as the policy allowed.
    """

    lost: int = 0
    doubled_unmarked: int = 0
    doubled_idempotent: int = 0
    misfiled: int = 0
    uncertain: int = 0
    doubled_marked: int = 0
    states: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    @property
    def mistakes(self) -> int:
        """How many deliveries went wrong."""
        return self.lost + self.doubled_unmarked + self.doubled_idempotent + self.misfiled

    def add(self, what: str, told: str) -> None:
        """Count one, and keep the first few."""
        setattr(self, what, getattr(self, what) + 1)
        if len(self.examples) < 10:
            self.examples.append(f"{what}: {told}")

    def shown(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def judge(outbox: Outbox, promised: dict[str, int], logs: dict[str, Path]) -> Verdict:
    """Look at every delivery. promised: how many of each line, numbered from 0."""
    found = Verdict()
    for line, many in promised.items():
        _judge(found, outbox, line, many, logs[line])
    return found


def _judge(found: Verdict, outbox: Outbox, line: str, many: int, log: Path) -> None:
    seen: dict[int, Counter[str]] = defaultdict(Counter)
    for text in log.read_text().splitlines():
        entry = json.loads(text)
        seen[entry["number"]][entry["event"]] += 1
    records, doubts = _filed(outbox, line)
    for number in range(many):
        events, state = seen[number], records.get(number)
        told = f"{line} {number}: {state}, the provider has {dict(events)}"
        found.states[state or "missing"] = found.states.get(state or "missing", 0) + 1
        delivered = events["delivered"]
        if state is None or state in OPEN or (state == "accepted" and not delivered):
            found.add("lost", told)
        if state == "uncertain":
            found.uncertain += 1
        if state in ("refused", "gone", "expired", "unrendered", "skipped") and delivered:
            found.add("misfiled", told)
        if line in IDEMPOTENT:
            if delivered > 1 or events["changed"]:
                found.add("doubled_idempotent", told)
        elif delivered > 1 + (doubts[number] if line in AT_LEAST_ONCE else 0):
            found.add("doubled_unmarked", f"{told}, {doubts[number]} attempts in doubt")
        elif delivered > 1:
            found.doubled_marked += 1


def _filed(outbox: Outbox, line: str) -> tuple[dict[int, str], Counter[int]]:
    """State of each number, and how many of its attempts were in doubt.

    Those without an answer, and those whose answer came when the next had begun: that one could
    only begin because the earlier was given up for lost.
    """
    c = deliveries.c
    unanswered = attempts.c.state == "uncertain"
    late = (attempts.c.state == "accepted") & (attempts.c.number < c.attempts)
    with outbox.database.reading() as connection:
        query = select(c.send_key, c.state).where(c.env == line)
        records = {_number(key): state for key, state in connection.execute(query)}
        doubtful = (
            select(c.send_key)
            .join(attempts, attempts.c.delivery_id == c.id)
            .where(c.env == line, unanswered | late)
        )
        doubts = Counter(_number(key) for key in connection.execute(doubtful).scalars())
    return records, doubts


def _number(key: str) -> int:
    return int(key.rpartition("-")[2])
