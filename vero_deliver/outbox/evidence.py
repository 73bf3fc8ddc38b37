"""What feedback says of a delivery's state: whatever the order it comes in, the end is the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, bindparam, select, update

from vero_deliver.feedback import Kind
from vero_deliver.outbox.chains import follow_up
from vero_deliver.outbox.given import given_json, given_rows
from vero_deliver.outbox.matching import Row
from vero_deliver.outbox.schema import attempts, deliveries
from vero_deliver.states import FOLLOWS, State

SAYS: Final[Mapping[Kind, State]] = {
    "accepted": "accepted",
    "sent": "accepted",
    "deferred": "accepted",  # the provider tries again by itself
    "delivered": "delivered",
    "opened": "delivered",
    "clicked": "delivered",
    "bounced": "bounced",
    "rejected": "bounced",
    "failed": "bounced",
    "complained": "complained",
}
_IN_ORDER: Final[tuple[State, ...]] = ("accepted", "delivered", "bounced", "complained")
_CHANGED: Final = ("id", "state", "channel", "provider_id", "error", "code", "accepted_at")
_c, _a = deliveries.c, attempts.c


def weigh(state: State, kinds: Iterable[Kind]) -> State:
    """The state once all of it is known; the same where none of it may follow."""
    said = {SAYS[kind] for kind in kinds if kind in SAYS}
    for one in _IN_ORDER:
        if one in said and one in FOLLOWS[state]:
            state = one
    return state


def undecided(delivery: Any) -> bool:
    """True while feedback has to wait: somebody is sending it, or it was not sent at all.

    What is leased again, and not handed over yet, is settled by what is told of earlier attempts.
    """
    if delivery.state == "sending":
        return delivery.started_at is not None or not delivery.attempts
    return bool(delivery.state == "queued")


def apply(connection: Connection, env: str, rows: Sequence[Row], now: int) -> None:
    """Let the states follow what is told of deliveries that wait for no result."""
    told: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        decided = row["delivery"] is not None and row["pending_since"] is None
        if decided and row["kind"] in SAYS:
            told[row["delivery_id"]].append(row)
    _drop_earlier(connection, told)
    changes: list[Row] = []
    chains: set[str] = set()
    for its in filter(None, told.values()):
        delivery = its[0]["delivery"]
        state = weigh(delivery.state, (row["kind"] for row in its))
        if state == delivery.state:
            continue
        changes.append(_change(delivery, state, [row for row in its if SAYS[row["kind"]] == state]))
        if delivery.rank is not None:
            chains.add(delivery.send_key)
    if changes:
        connection.execute(_changing(connection.dialect.name), given_json(changes, now=now))
        follow_up(connection, env, chains, now)


def _change(delivery: Any, state: str, told: Sequence[Row]) -> Row:
    last = max(told, key=lambda row: (row["at"], row["id"]))
    failed = state in ("bounced", "complained")
    code = f"{last['smtp_code'] or ''} {last['enhanced_status']}".strip()
    return {
        "id": delivery.id,
        "state": state,
        "channel": delivery.channel or last["channel"],
        "provider_id": delivery.provider_id or last["provider_id"],
        "error": (last["diagnostic"] or last["reason"] or last["kind"]) if failed else "",
        "code": code if failed else "",
        "accepted_at": delivery.accepted_at or min(last["at"], last["received_at"]),
    }


def _drop_earlier(connection: Connection, told: Mapping[int, list[Row]]) -> None:
    """A bounce of an attempt that was followed by another says nothing of that one."""
    repeated = [
        id_
        for id_, its in told.items()
        if its[0]["delivery"].attempts > 1
        and any(SAYS[row["kind"]] == "bounced" and row["provider_id"] for row in its)
    ]
    if not repeated:
        return
    query = select(_a.delivery_id, _a.number, _a.provider_id).where(_a.delivery_id.in_(repeated))
    of: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(query.order_by(_a.number)):
        of[row.delivery_id][row.provider_id] = row.number
    for id_ in repeated:
        last = told[id_][0]["delivery"].attempts
        told[id_][:] = [
            row
            for row in told[id_]
            if SAYS[row["kind"]] != "bounced" or of[id_].get(row["provider_id"], last) == last
        ]


@cache
def _changing(dialect: str) -> Any:
    given = given_rows(dialect, deliveries, _CHANGED)
    values = {name: given.c[name] for name in _CHANGED if name != "id"}
    over = {"next_attempt_at": None, "lease": None, "lease_until": None, "in_doubt": False}
    return (
        update(deliveries)
        .where(_c.id == given.c.id)
        .values(**values, **over, updated_at=bindparam("now", type_=BigInteger))
    )
