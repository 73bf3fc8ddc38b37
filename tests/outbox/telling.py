"""Feedback for the outbox tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from promising import NEWS, Clock, order

from vero_deliver import Outbox
from vero_deliver.feedback import Feedback, Kind
from vero_deliver.outbox.records import Leased, Result, Start
from vero_deliver.states import State

START = datetime.fromtimestamp(1_800_000_000, UTC)
_ids = count(1)


def told(kind: Kind, key: str = "", **changes: Any) -> Feedback:
    """One thing that was told just now, with an id of its own."""
    values: dict[str, Any] = {"channel": "c", "id": f"e{next(_ids)}", "at": START}
    return Feedback(kind=kind, key=key, **(values | changes))


def clocked(outbox: Outbox) -> tuple[Outbox, Clock]:
    """The same tables, over a clock that stands still."""
    clock = Clock()
    return Outbox(outbox.database.engine, clock=clock), clock


def started(outbox: Outbox, key: str, *, repeatable: bool = False) -> Leased:
    """A delivery that has just been handed to channel c."""
    outbox.add(NEWS, [order(outbox, key)])
    [leased] = outbox.claim(["sms"], 1)
    assert outbox.file([Start(leased, "c", repeatable)], []).held
    return leased


def end(outbox: Outbox, leased: Leased, state: State, **changes: Any) -> bool:
    """File what became of it; False where it changed nothing."""
    now = outbox.now()
    values: dict[str, Any] = {"ended_at": now, "started_at": now, "channel": "c"}
    if state == "deferred":
        values["next_attempt_at"] = now
    return bool(outbox.file([], [Result(leased=leased, state=state, **(values | changes))]).held)


def accepted(outbox: Outbox, key: str, provider_id: str = "") -> None:
    """A delivery that channel c has accepted."""
    assert end(outbox, started(outbox, key), "accepted", provider_id=provider_id)


def state(outbox: Outbox, key: str) -> State:
    record = outbox.get(key)
    assert record
    return record.state


SECOND = timedelta(seconds=1)
