"""Contents of which only the first reachable is sent: what happens to the next one.

Those of a later rank are held back, queued without a time, until those before have ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, select, update

from vero_deliver.outbox.records import Leased
from vero_deliver.outbox.schema import deliveries
from vero_deliver.states import OPEN, UNREACHABLE

_c = deliveries.c


def chained(leased: Iterable[Leased]) -> set[str]:
    """The sends of those of which only the first reachable content is sent."""
    return {one.send_key for one in leased if one.rank is not None}


def hold(connection: Connection, env: str, send_keys: Collection[str]) -> None:
    """Lock all deliveries of these sends in the order of their ids, before anything is written.

    Two devices of one content may end at the same time, and each then looks at the other.
    """
    if send_keys:
        mine = (_c.env == env, _c.send_key.in_(send_keys), _c.rank.is_not(None))
        connection.execute(select(_c.id).where(*mine).order_by(_c.id).with_for_update()).all()


def follow_up(connection: Connection, env: str, send_keys: Collection[str], now: int) -> None:
    """After deliveries of these sends have ended: let the next rank go, or call it off."""
    if not send_keys:
        return
    query = (
        select(_c.id, _c.send_key, _c.rank, _c.state, _c.next_attempt_at)
        .where(_c.env == env, _c.send_key.in_(send_keys), _c.rank.is_not(None))
        .order_by(_c.id)
        .with_for_update()
    )
    sends = defaultdict(list)
    for row in connection.execute(query):
        sends[row.send_key].append(row)
    go: list[int] = []
    call_off: list[int] = []
    for rows in sends.values():
        _decide(rows, go, call_off)
    ready = {"next_attempt_at": now, "updated_at": now}
    off = {"state": "cancelled", "error": "another content was sent", "updated_at": now}
    for ids, values in ((go, ready), (call_off, off)):
        if ids:
            connection.execute(update(deliveries).where(_c.id.in_(ids)).values(values))


def _decide(rows: Sequence[Any], go: list[int], call_off: list[int]) -> None:
    held = [row for row in rows if row.state == "queued" and row.next_attempt_at is None]
    if not held:
        return
    rank = min(row.rank for row in held)
    before = [row.state for row in rows if row.rank < rank]
    if any(state in OPEN for state in before):
        return
    if all(state in UNREACHABLE for state in before):
        go += [row.id for row in held if row.rank == rank]
    else:
        call_off += [row.id for row in held]
