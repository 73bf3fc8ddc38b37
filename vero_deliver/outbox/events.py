"""Feedback in the outbox: kept once, matched to its delivery, weighed against its state.

It finds its delivery by key, else by the key's digest, else by channel and the provider's id. What
comes too early, before the worker has filed its result, is pending until that is there.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    Connection,
    Text,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    true,
    union_all,
    update,
)

from vero_deliver.feedback import Feedback, Kind
from vero_deliver.mime import key_digest
from vero_deliver.outbox.evidence import apply, undecided
from vero_deliver.outbox.given import given_json, given_rows, insert
from vero_deliver.outbox.matching import Row, match, stand
from vero_deliver.outbox.records import Result, milliseconds
from vero_deliver.outbox.rows import LONGEST_NAME, fit
from vero_deliver.outbox.schema import attempts, events, hash_of
from vero_deliver.outbox.suppressions import Entry, Told, learn

PERSONAL: Final[Mapping[str, str]] = {
    "provider_id": "", "recipient": "", "diagnostic": "", "text": "", "url": "", "user_agent": "",
    "ip": "", "tags": "[]", "metadata": "{}", "raw": "{}",
}  # fmt: skip
_FIELDS: Final = {"email": "email", "sms": "phone"}  # of a user, by content
_LONGEST_TEXT: Final = 20_000
_LARGEST_CODE: Final = 999
_DIGEST: Final = re.compile("[0-9a-f]{32}")
_e, _a = events.c, attempts.c
_PENDING: Final = _e.pending_since.is_not(None)
_WRITTEN: Final = tuple(one.name for one in events.c if one.name not in ("number", "env"))


class New(NamedTuple):
    """Feedback that was not told before. key: of its delivery, where there is one."""

    kind: Kind
    channel: str
    key: str


class Taken(NamedTuple):
    """What was new, and which addresses the whole of it suppresses or lifts."""

    new: list[New]
    learnt: list[Entry]


def take(connection: Connection, env: str, feedback: Iterable[Feedback], now: int) -> Taken:
    """Keep what was not told before; let deliveries and suppressions know."""
    unique = {(row["channel"], row["id"]): row for row in (_row_of(one, now) for one in feedback)}
    # in one order, so that no two block each other
    rows = [unique[name] for name in sorted(unique)]
    if not rows:
        return Taken([], [])
    match(connection, env, rows)
    standing = stand(connection, [row["delivery_id"] for row in rows])
    for row in rows:
        delivery = standing.get(row["delivery_id"])
        row["delivery"] = delivery
        waits = undecided(delivery) if delivery is not None else _named(row)
        row["pending_since"] = now if waits else None
        if delivery is not None and not delivery.user_id:
            row.update(PERSONAL)  # of a user who was erased
    written = [{name: row[name] for name in _WRITTEN} for row in rows]
    statement = _keep(connection.dialect.name)
    told = {
        (row.channel, row.id) for row in connection.execute(statement, given_json(written, env=env))
    }
    new = [row for row in rows if (row["channel"], row["id"]) in told]
    apply(connection, env, new, now)
    learnt = learn(connection, env, map(_told, rows))
    return Taken([_new(row) for row in new], learnt)


def settle(connection: Connection, env: str, results: Sequence[Result], now: int) -> None:
    """After results were filed: weigh what was told of these deliveries before that."""
    if connection.execute(_any_pending(), {"env": env}).first() is None:
        return
    wanted = [
        {
            "delivery_id": one.leased.id,
            "key_hash": hash_of(key_digest(one.leased.key)),
            "provider_id": fit(one.provider_id, LONGEST_NAME) or None,
        }
        for one in results
    ]
    statement = _early(connection.dialect.name)
    found = connection.execute(statement, given_json(wanted, env=env)).mappings().all()
    again(connection, env, [dict(row) for row in found], now)


def settle_ids(connection: Connection, env: str, ids: Collection[int], now: int) -> None:
    """The same for deliveries that a lost worker had."""
    if ids:
        query = select(events).where(_e.delivery_id.in_(ids), _PENDING)
        rows = [dict(row) for row in connection.execute(query).mappings()]
        again(connection, env, rows, now)


def settle_strange(connection: Connection, env: str, since: int, now: int) -> None:
    """Match what came in the same moment as the result that names it: neither saw the other."""
    query = (
        select(events)
        .join(attempts, _a.provider_id == _e.provider_id)
        .where(_e.env == env, _PENDING, _e.delivery_id.is_(None), _e.key_hash.is_(None))
        .where(_e.received_at >= since, _a.provider_id != literal_column("''"))
    )
    rows = {row["number"]: dict(row) for row in connection.execute(query).mappings()}
    again(connection, env, list(rows.values()), now)


def again(connection: Connection, env: str, rows: list[Row], now: int) -> int:
    """Match and weigh what is kept already; how much of it has a delivery."""
    if not rows:
        return 0
    match(connection, env, [row for row in rows if row["delivery_id"] is None])
    standing = stand(connection, [row["delivery_id"] for row in rows])
    found: list[Row] = []
    for row in rows:
        delivery = standing.get(row["delivery_id"])
        if delivery is None:
            continue
        since = now if undecided(delivery) else None
        new = {"delivery_id": delivery.id, "pending_since": since}
        if not delivery.user_id:
            new |= PERSONAL
        connection.execute(update(events).where(_e.number == row["number"]).values(new))
        found.append({**row, **new, "delivery": delivery})
    apply(connection, env, found, now)
    learn(connection, env, map(_told, found))
    return len(found)


def erase(connection: Connection, ids: Collection[int]) -> None:
    """Blank what tells of the users of these deliveries."""
    connection.execute(update(events).where(_e.delivery_id.in_(ids)).values(PERSONAL))


def erase_strange(connection: Connection, env: str, addresses: Collection[str]) -> None:
    """Blank what no delivery matches and one of these addresses, in lower case, stands in."""
    strange = (_e.delivery_id.is_(None), func.lower(_e.recipient).in_(addresses))
    connection.execute(update(events).where(_e.env == env, *strange).values(PERSONAL))


def purge(connection: Connection, env: str, before: int, limit: int) -> int:
    """Delete some of what came before that moment and has no delivery; how many."""
    strange = (_e.env == env, _e.delivery_id.is_(None), _e.received_at < before)
    some = select(_e.number).where(*strange).limit(limit)
    return connection.execute(delete(events).where(_e.number.in_(some))).rowcount


def _row_of(one: Feedback, now: int) -> Row:
    digest = one.digest if _DIGEST.fullmatch(one.digest) else ""
    if one.key:
        digest = key_digest(one.key)
    code = one.smtp_code
    return {
        "received_at": now,
        "delivery_id": None,
        "key_hash": hash_of(digest) if digest else None,
        "kind": one.kind,
        "channel": _name(one.channel),
        "id": _name(one.id),
        "at": milliseconds(one.at),
        "key": fit(one.key, LONGEST_NAME),
        "digest": digest,
        "provider_id": fit(one.provider_id, LONGEST_NAME),
        "recipient": fit(one.recipient),
        "reason": one.reason,
        "permanent": one.permanent,
        "smtp_code": code if code is not None and 0 <= code <= _LARGEST_CODE else None,
        "enhanced_status": fit(one.enhanced_status),
        "diagnostic": fit(one.diagnostic),
        "text": fit(one.text, _LONGEST_TEXT),
        "url": fit(one.url),
        "user_agent": fit(one.user_agent),
        "ip": fit(one.ip),
        "topic": fit(one.topic),
        "machine": one.machine,
        "tags": json.dumps(one.tags),
        "metadata": json.dumps(dict(one.metadata)),
        "raw": json.dumps(dict(one.raw), default=str),
    }


def _told(row: Row) -> Told:
    """What suppressions learn of it."""
    delivery = row["delivery"]
    known = tuple(delivery.recipients.split()) if delivery is not None else ()
    return Told(
        kind=row["kind"],
        recipient=row["recipient"] or _address_of(delivery),
        at=min(row["at"], row["received_at"]),  # a clock that is ahead decides nothing
        id=f"{row['channel']} {row['id']}",
        permanent=row["permanent"],
        content=delivery.content if delivery is not None else None,
        recipients=known or None,  # of what was sent before they were noted, nobody knows
        source=delivery.key if delivery is not None else row["channel"],
        topic=row["topic"],
    )


def _new(row: Row) -> New:
    delivery = row["delivery"]
    return New(row["kind"], row["channel"], row["key"] if delivery is None else delivery.key)


def _address_of(delivery: Any) -> str:
    """The user's own, where feedback names nobody: a click, a page of ours."""
    if delivery is None or delivery.content not in _FIELDS:
        return ""
    return str(json.loads(delivery.user).get(_FIELDS[delivery.content]) or "")


def _named(row: Row) -> bool:
    """True where a delivery that is not there yet may match."""
    return row["key_hash"] is not None or row["provider_id"] != ""


def _name(given: str) -> str:
    """What is looked up, as an index takes it; the same for the same."""
    fitting = fit(given, LONGEST_NAME)
    if len(given) <= LONGEST_NAME:
        return fitting
    return f"sha256-{hashlib.sha256(given.encode('utf-8', 'surrogatepass')).hexdigest()}"


@cache
def _keep(dialect: str) -> Any:
    given = given_rows(dialect, events, _WRITTEN)
    source = select(bindparam("env", type_=Text), *[given.c[name] for name in _WRITTEN]).where(
        true()
    )
    statement = insert(dialect, events).from_select(["env", *_WRITTEN], source)
    return statement.on_conflict_do_nothing(index_elements=["env", "channel", "id"]).returning(
        _e.channel, _e.id
    )


@cache
def _early(dialect: str) -> Any:
    given = given_rows(dialect, events, ("delivery_id", "key_hash", "provider_id"))
    waits = (_e.env == bindparam("env", type_=Text), _PENDING, _e.delivery_id.is_(None))
    return union_all(
        select(events).where(_e.delivery_id.in_(select(given.c.delivery_id)), _PENDING),
        select(events).where(_e.key_hash.in_(select(given.c.key_hash)), *waits),
        select(events).where(
            _e.provider_id.in_(select(given.c.provider_id)), _e.key_hash.is_(None), *waits
        ),
    )


@cache
def _any_pending() -> Any:
    mine = _e.env == bindparam("env", type_=Text)
    return select(_e.number).where(mine, _PENDING).limit(1)
