"""Contents of which only the first reachable is sent: what happens to the next one.

Those of a later rank are held back, queued without a time, until those before have ended. Where
they have `fallback_after`, they wait that long for a delivery of what was accepted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, select, update

from vero_deliver.outbox.records import Leased
from vero_deliver.outbox.schema import deliveries
from vero_deliver.states import OPEN, REACHED, UNDELIVERED, UNREACHABLE

_ENOUGH: Final = (*REACHED, "cancelled")  # by a person, who means the send
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
        select(_c.id, _c.send_key, _c.rank, _c.state, _c.next_attempt_at, _c.fallback_after)
        .where(_c.env == env, _c.send_key.in_(send_keys), _c.rank.is_not(None))
        .order_by(_c.id)
        .with_for_update()
    )
    sends = defaultdict(list)
    for row in connection.execute(query):
        sends[row.send_key].append(row)
    for rows in sends.values():
        _decide(connection, rows, now)


def _decide(connection: Connection, rows: Sequence[Any], now: int) -> None:
    """Of one send."""
    held = [row for row in rows if row.state == "queued" and _is_held(row)]
    if not held:
        return
    rank = min(row.rank for row in held)
    before = [row.state for row in rows if row.rank < rank]
    next_ = [row for row in held if row.rank == rank]
    patience = next_[0].fallback_after
    if any(state in OPEN for state in before):
        return
    if all(state in UNREACHABLE for state in before):
        _change(connection, next_, now, {"next_attempt_at": now})
    elif patience is None or any(state in _ENOUGH for state in before):
        off = {"state": "cancelled", "error": "another content was sent", "next_attempt_at": None}
        _change(connection, held, now, off)
    elif any(state in UNDELIVERED for state in before):
        untimed = [row for row in next_ if row.next_attempt_at is None]
        _change(connection, untimed, now, {"next_attempt_at": now + patience})
    else:
        _change(connection, next_, now, {"next_attempt_at": now})


def _is_held(row: Any) -> bool:
    """Waits for what becomes of those before it, or for their time to be over."""
    return row.rank > 0 and (row.next_attempt_at is None or row.fallback_after is not None)


def _change(connection: Connection, rows: Sequence[Any], now: int, values: dict[str, Any]) -> None:
    if rows:
        mine = update(deliveries).where(_c.id.in_([row.id for row in rows]))
        connection.execute(mine.values(values | {"updated_at": now}))
