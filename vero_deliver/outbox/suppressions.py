"""Suppressions as statements over one connection: check, learn, add, lift, find.

A reason has the latest moment at which it was told and the latest at which it was lifted, so what
is told twice, or in another order, ends the same.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Connection,
    String,
    any_,
    bindparam,
    case,
    delete,
    func,
    select,
    update,
)

from vero_deliver.feedback import Kind
from vero_deliver.outbox.given import insert
from vero_deliver.outbox.records import Result, Start, moment
from vero_deliver.outbox.rows import fit
from vero_deliver.outbox.schema import soft_bounces, suppressions
from vero_deliver.phone import E164
from vero_deliver.rendered import ContentName
from vero_deliver.suppression import (
    REASONS,
    SOFT_BOUNCES,
    SOFT_DAYS,
    Reason,
    Suppression,
    digest_of,
    forbids,
)

_SOFT: Final = timedelta(days=SOFT_DAYS) // timedelta(milliseconds=1)
_KEY: Final = ("env", "digest", "reason", "topic")
_s, _b = suppressions.c, soft_bounces.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A reason to write, told or lifted at a moment (milliseconds). address: what may be shown."""

    content: ContentName
    digest: str
    reason: Reason
    topic: str = ""
    address: str = ""
    since: int | None = None
    lifted: int | None = None
    source: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What feedback says of one recipient.

    id: the same when it is told again. recipients: digests of whom its delivery went to; None
    where no delivery is known. topic: what was unsubscribed from; empty for all.
    """

    kind: Kind
    recipient: str
    at: int
    id: str
    permanent: bool | None = None
    content: ContentName | None = None
    recipients: tuple[str, ...] | None = None
    source: str = ""
    topic: str = ""


def check(connection: Connection, env: str, starts: Iterable[Start]) -> dict[tuple[int, str], str]:
    """Of those that must not be sent, id and lease, and why."""
    asked = [start for start in starts if start.recipients]
    wanted = {digest for start in asked for digest in start.recipients}
    found = _active(connection, env, wanted) if wanted else {}
    if not found:
        return {}
    forbidden: dict[tuple[int, str], str] = {}
    for start in asked:
        leased = start.leased
        for one in (one for digest in start.recipients for one in found.get(digest, ())):
            if forbids(
                one.reason,
                one.topic,
                content=leased.content,
                kind=leased.kind,
                topic=start.topic,
            ):
                forbidden[leased.id, leased.lease] = f"{one}; see `vero-deliver suppress list`"
                break
    return forbidden


def learn(connection: Connection, env: str, told: Iterable[Told]) -> list[Entry]:
    """Suppress, or lift, what feedback asks for; what was written. Idempotent, in any order."""
    entries: list[Entry] = []
    soft: dict[str, Entry] = {}
    for one in told:
        entry = _entry(one)
        if entry is None:
            continue
        if entry.reason == "soft_bounced":
            values = {"env": env, "digest": entry.digest, "told": one.id, "at": one.at}
            statement = insert(connection.dialect.name, soft_bounces).on_conflict_do_nothing()
            connection.execute(statement, values)
            soft[entry.digest] = entry
        else:
            entries.append(entry)
    entries += _often(connection, env, soft)
    write(connection, env, entries)
    return entries


def learn_dead(connection: Connection, env: str, results: Iterable[Result]) -> None:
    """Suppress what a channel has called dead. Of several recipients nobody knows which it is.

    Since the moment that the provider names: a token that was registered again after it lives.
    """
    entries = [
        Entry(
            content=one.leased.content,
            digest=one.recipients[0],
            reason="gone",
            since=one.ended_at if one.dead_since is None else min(one.dead_since, one.ended_at),
            source=one.leased.key,
            note=fit(one.error),
        )
        for one in results
        if one.state == "gone" and len(one.recipients) == 1
    ]
    write(connection, env, entries)


def write(connection: Connection, env: str, entries: Sequence[Entry]) -> None:
    """Write reasons; of what is there already the later moments count."""
    if not entries:
        return
    statement = _write(connection.dialect.name)
    for one in sorted(entries, key=lambda one: (one.digest, one.reason, one.topic)):
        values = {
            "env": env,
            "digest": one.digest,
            "reason": one.reason,
            "topic": one.topic,
            "content": one.content,
            "address": "" if one.content == "push" else fit(one.address),
            "since": one.since,
            "lifted": one.lifted,
            "source": fit(one.source),
            "note": fit(one.note),
        }
        connection.execute(statement, values)


def find(connection: Connection, env: str, digest: str) -> list[Suppression]:
    """The reasons that hold against an address."""
    return _active(connection, env, [digest]).get(digest, [])


def latest(connection: Connection, env: str, digest: str, reason: Reason) -> int:
    """The last moment at which a reason was told or lifted, of any topic; 0 where it never was.

    Whoever decides now decides after it, whatever the clocks of two machines say.
    """
    mine = (_s.env == env, _s.digest == digest, _s.reason == reason)
    moments = connection.execute(select(func.max(_s.since), func.max(_s.lifted)).where(*mine))
    return max(moment or 0 for moment in moments.one())


def topics(connection: Connection, env: str, digest: str) -> Mapping[str, bool]:
    """What an address was ever unsubscribed from, topic to whether it still is; "" for all."""
    mine = (_s.env == env, _s.digest == digest, _s.reason == "unsubscribed")
    known = connection.execute(select(_s.topic).where(*mine)).scalars()
    held = {one.topic for one in find(connection, env, digest) if one.reason == "unsubscribed"}
    return {topic: topic in held for topic in known}


def search(
    connection: Connection,
    env: str,
    *,
    contents: Collection[ContentName] = (),
    reasons: Collection[Reason] = (),
    limit: int | None = None,
) -> Iterator[Suppression]:
    """Those that hold, the latest first."""
    query = select(suppressions).where(_s.env == env, _s.since.is_not(None))
    if contents:
        query = query.where(_s.content.in_(contents))
    if reasons:
        query = query.where(_s.reason.in_(reasons))
    found = connection.execute(query.order_by(_s.since.desc(), _s.digest)).mappings().all()
    lifted = _lifted_for_all(connection, env)
    held = (row for row in found if _holds(row, lifted.get(row["digest"])))
    for number, row in enumerate(held):
        if limit is not None and number >= limit:
            return
        yield _suppression(row)


def forget(connection: Connection, env: str, digests: Collection[str]) -> None:
    """Blank the addresses and words of erased users; that they must not be sent to stays."""
    mine = (_s.env == env, _s.digest.in_(digests))
    blank = {"address": "", "source": "", "note": ""}
    connection.execute(update(suppressions).where(*mine).values(blank))


def purge(connection: Connection, env: str, now: int) -> None:
    """Forget soft bounces that no longer count."""
    connection.execute(delete(soft_bounces).where(_b.env == env, _b.at < now - _SOFT))


def _active(
    connection: Connection, env: str, digests: Collection[str]
) -> dict[str, list[Suppression]]:
    name = connection.dialect.name
    asked = list(digests) if name == "postgresql" else json.dumps([*digests])
    rows = connection.execute(_of(name), {"env": env, "asked": asked}).mappings().all()
    lifted = {row["digest"]: row["lifted"] for row in rows if _is_all(row)}
    found: defaultdict[str, list[Suppression]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: REASONS.index(row["reason"])):
        if _holds(row, lifted.get(row["digest"])):
            found[row["digest"]].append(_suppression(row))
    return dict(found)


def _lifted_for_all(connection: Connection, env: str) -> dict[str, int]:
    mine = (_s.env == env, _s.reason == "unsubscribed", _s.topic == "", _s.lifted.is_not(None))
    return {
        row.digest: row.lifted
        for row in connection.execute(select(_s.digest, _s.lifted).where(*mine))
    }


def _is_all(row: Any) -> bool:
    return bool(row["reason"] == "unsubscribed" and not row["topic"])


def _holds(row: Any, lifted_for_all: int | None) -> bool:
    """lifted_for_all: when all unsubscriptions were lifted, those from a topic among them."""
    if row["since"] is None:
        return False
    lifts = [row["lifted"], lifted_for_all if row["reason"] == "unsubscribed" else None]
    return all(lift is None or row["since"] > lift for lift in lifts)


def _entry(told: Told) -> Entry | None:
    """What one piece of feedback asks for; None where it asks for nothing, or names nobody."""
    reason: Reason
    match told.kind:
        case "bounced" | "rejected" if told.permanent:
            reason = "bounced"
        case "bounced":
            reason = "soft_bounced"
        case "complained":
            reason = "complained"
        case "unsubscribed" | "resubscribed":
            reason = "unsubscribed"
        case _:
            return None
    content = told.content or _guessed(told.recipient)
    if content is None or (reason == "soft_bounced" and content != "email"):
        return None
    digest = digest_of(content, told.recipient) if told.recipient else ""
    address = told.recipient
    if told.recipients is not None and digest not in told.recipients:
        # whoever wrote the bounce may not choose whom it is about
        if len(told.recipients) != 1:
            return None
        [digest], address = told.recipients, ""
    if not digest:
        return None
    lifts = told.kind == "resubscribed"
    return Entry(
        content=content,
        digest=digest,
        reason=reason,
        topic=told.topic,
        address=address,
        since=None if lifts else told.at,
        lifted=told.at if lifts else None,
        source=told.source,
    )


def _guessed(recipient: str) -> ContentName | None:
    if "@" in recipient:
        return "email"
    return "sms" if E164.fullmatch(recipient) else None


def _often(connection: Connection, env: str, soft: Mapping[str, Entry]) -> list[Entry]:
    """The addresses whose mail has come back often enough."""
    if not soft:
        return []
    mine = (_b.env == env, _b.digest.in_(soft))
    query = select(_b.digest, _b.at).where(*mine).order_by(_b.digest, _b.at)
    times: defaultdict[str, list[int]] = defaultdict(list)
    for row in connection.execute(query):
        times[row.digest].append(row.at)
    lifted = (_s.env == env, _s.digest.in_(soft), _s.reason == "soft_bounced")
    rows = connection.execute(select(_s.digest, _s.lifted).where(*lifted))
    forgiven = {row.digest: row.lifted for row in rows}
    found: list[Entry] = []
    for digest, its in times.items():
        since = [at for at in its if at > (forgiven.get(digest) or 0)]
        for first, last in zip(since, since[SOFT_BOUNCES - 1 :], strict=False):
            if last - first <= _SOFT:
                entry = soft[digest]
                found.append(
                    Entry(
                        content=entry.content,
                        digest=digest,
                        reason="soft_bounced",
                        address=entry.address,
                        since=last,
                        source=entry.source,
                    )
                )
    return found


def _suppression(row: Any) -> Suppression:
    names = ("content", "address", "digest", "reason", "topic", "source", "note")
    return Suppression(**{name: row[name] for name in names}, since=moment(row["since"]))


@cache
def _of(dialect: str) -> Any:
    """The rows of `asked`, one parameter however many they are: many are slow to bind."""
    if dialect == "postgresql":
        those: Any = _s.digest == any_(bindparam("asked", type_=ARRAY(String)))
    else:
        each = func.json_each(bindparam("asked", type_=String)).table_valued("value")
        those = _s.digest.in_(select(each.c.value))
    return select(suppressions).where(_s.env == bindparam("env", type_=String), those)


@cache
def _write(dialect: str) -> Any:
    statement = insert(dialect, suppressions)
    new = statement.excluded
    later = new.since.is_not(None) & (_s.since.is_(None) | (new.since > _s.since))
    over: dict[str, Any] = {
        name: case((later, new[name]), else_=_s[name]) for name in ("since", "source", "note")
    }
    over["address"] = case((later & (new.address != ""), new.address), else_=_s.address)
    later = new.lifted.is_not(None) & (_s.lifted.is_(None) | (new.lifted > _s.lifted))
    over["lifted"] = case((later, new.lifted), else_=_s.lifted)
    return statement.on_conflict_do_update(index_elements=_KEY, set_=over)
