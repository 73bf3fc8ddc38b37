"""What people ask of an outbox: look, decide about one delivery, erase a user, forget the old."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any, Final

from sqlalchemy import Connection, delete, func, select, update

from vero_deliver.mime import key_digest
from vero_deliver.observe import Backlog
from vero_deliver.outbox import events, suppressions
from vero_deliver.outbox.chains import follow_up
from vero_deliver.outbox.records import Attempt, Record, attempt_of, record_of
from vero_deliver.outbox.schema import attempts, deliveries, hash_of
from vero_deliver.outbox.schema import events as told
from vero_deliver.states import FOLLOWS, OPEN, State
from vero_deliver.suppression import digest_of

_AT_ONCE: Final = 1_000  # deliveries purged in one transaction, so that no worker waits for long
_NOBODY: Final = "{}"
_c = deliveries.c


def find(connection: Connection, env: str, keys: Collection[str]) -> dict[str, Record]:
    """The deliveries of those keys that are there."""
    query = select(deliveries).where(_c.env == env, _c.key.in_(keys))
    return {row["key"]: record_of(row) for row in connection.execute(query).mappings()}


def by_digest(connection: Connection, env: str, digest: str) -> Any | None:
    """The row of the delivery whose key has that digest; None where none has."""
    query = select(deliveries).where(_c.env == env, _c.key_hash == hash_of(digest))
    rows = connection.execute(query).mappings()
    return next((row for row in rows if key_digest(row["key"]) == digest), None)


def search(
    connection: Connection,
    env: str,
    *,
    states: Collection[State] = (),
    user_id: str = "",
    send_key: str = "",
    limit: int = 100,
) -> list[Record]:
    """The latest that match all that is given, newest first."""
    query = select(deliveries).where(_c.env == env).order_by(_c.id.desc()).limit(limit)
    if states:
        query = query.where(_c.state.in_(states))
    if user_id:
        query = query.where(_c.user_id == user_id)
    if send_key:
        query = query.where(_c.send_key == send_key)
    return [record_of(row) for row in connection.execute(query).mappings()]


def count(connection: Connection, env: str) -> dict[State, int]:
    """How many deliveries are in each state."""
    query = select(_c.state, func.count()).where(_c.env == env).group_by(_c.state)
    return {row[0]: row[1] for row in connection.execute(query)}


def backlog(connection: Connection, env: str, now: int) -> Backlog:
    """What is due, and since when."""
    due = (_c.env == env, _c.next_attempt_at <= now)
    found = select(func.count(), func.min(_c.next_attempt_at)).where(*due)
    number, first = connection.execute(found).one()
    return Backlog(number, 0.0 if first is None else (now - first) / 1000)


def attempts_of(connection: Connection, env: str, key: str) -> list[Attempt]:
    """Every handing over of one delivery, in order."""
    query = (
        select(attempts)
        .join(deliveries, _c.id == attempts.c.delivery_id)
        .where(_c.env == env, _c.key == key)
        .order_by(attempts.c.number)
    )
    return [attempt_of(row) for row in connection.execute(query).mappings()]


def cancel(connection: Connection, env: str, key: str, now: int) -> bool:
    """Call one off, unless it has been sent or may be under way; True where it was."""
    values = {"state": "cancelled", "error": "cancelled by a person"}
    return _decide(connection, env, key, "cancelled", values, now)


def retry(connection: Connection, env: str, key: str, now: int, expires_at: int) -> bool:
    """Queue one again that ended without being accepted, with a new deadline; True where it did.

    Of an uncertain one a person says hereby that it did not arrive, or may arrive twice.
    """
    values = {
        "state": "queued",
        "next_attempt_at": now,
        "expires_at": expires_at,
        "in_doubt": False,
        "error": "",
        "code": "",
    }
    return _decide(connection, env, key, "queued", values, now)


def erase(connection: Connection, env: str, user_id: str, now: int) -> int:
    """Remove what is known of a user; how many deliveries. Those that wait are cancelled.

    Keys, states, times and counts stay, so that nothing is sent again; so do suppressions, of
    which only a digest of the address is kept.
    """
    mine = (_c.env == env, _c.user_id == user_id)
    waiting = _c.state.in_(["queued", "deferred"])
    connection.execute(
        update(deliveries).where(*mine, waiting).values(state="cancelled", next_attempt_at=None)
    )
    users = connection.execute(select(_c.user).where(*mine).distinct()).scalars()
    addresses = {user_id.lower(), *chain.from_iterable(map(_addresses, users))}
    found = connection.execute(select(_c.id, _c.recipients).where(*mine)).all()
    ids = [row.id for row in found]
    events.erase_strange(connection, env, addresses)
    suppressions.forget(
        connection, env, {digest_of(one, who) for one in ("email", "sms") for who in addresses}
    )
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        blank = {"error": "", "code": "", "provider_id": ""}
        tried = update(attempts).where(attempts.c.delivery_id.in_(some))
        connection.execute(tried.values(blank))
        events.erase(connection, some)
        nobody = {"user_id": "", "user": _NOBODY, "about": _NOBODY, "updated_at": now}
        connection.execute(update(deliveries).where(_c.id.in_(some)).values(nobody | blank))
        known = {one for row in found[start : start + _AT_ONCE] for one in row.recipients.split()}
        suppressions.forget(connection, env, known)
    return len(ids)


def purge(connection: Connection, env: str, before: int) -> int:
    """Delete some of what ended before that moment, with all that is known of it; how many.

    Call again until it gives 0. What is purged is no longer known: its key would be sent again.
    Messages stay: they hold nobody's data.
    """
    ended = (_c.env == env, _c.state.not_in([*OPEN, "uncertain"]), _c.updated_at < before)
    old = select(_c.id).where(*ended).limit(_AT_ONCE).with_for_update(skip_locked=True)
    ids = connection.execute(old).scalars().all()
    connection.execute(delete(told).where(told.c.delivery_id.in_(ids)))
    connection.execute(delete(attempts).where(attempts.c.delivery_id.in_(ids)))
    connection.execute(delete(deliveries).where(_c.id.in_(ids)))
    return len(ids)


def purge_feedback(connection: Connection, env: str, before: int) -> int:
    """Delete some of the feedback that came before that moment and has no delivery; how much.

    Call again until it gives 0.
    """
    return events.purge(connection, env, before, _AT_ONCE)


def _addresses(user: str) -> Iterator[str]:
    """Where feedback may name a user, in lower case."""
    for name in ("email", "phone"):
        if address := json.loads(user).get(name):
            yield address.lower()


def _decide(
    connection: Connection, env: str, key: str, state: State, values: dict[str, Any], now: int
) -> bool:
    before = [name for name, after in FOLLOWS.items() if state in after and name != "sending"]
    mine = [_c.env == env, _c.key == key, _c.state.in_(before)]
    if state == "cancelled":
        mine.append(_c.in_doubt.is_(False) | (_c.state == "uncertain"))
    changed = (
        update(deliveries)
        .where(*mine)
        # the old lease ends: a late answer is evidence, the person has decided
        .values({"next_attempt_at": None, "lease": None, "updated_at": now} | values)
        .returning(_c.send_key, _c.rank)
    )
    row = connection.execute(changed).one_or_none()
    if row is not None and row.rank is not None:
        follow_up(connection, env, {row.send_key}, now)
    return row is not None
