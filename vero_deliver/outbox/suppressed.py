"""Suppressions as people and programs handle them: Outbox.suppressions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from vero_deliver.outbox import suppressions
from vero_deliver.outbox.records import milliseconds, moment
from vero_deliver.outbox.schema import deliveries
from vero_deliver.outbox.suppressions import Entry
from vero_deliver.rendered import ContentName
from vero_deliver.suppression import (
    LONGEST_TOPIC,
    REASONS,
    Reason,
    Suppression,
    comparable,
    digest_of,
)

if TYPE_CHECKING:
    from vero_deliver.outbox.store import Outbox


class Suppressions:
    """Whom an outbox's environment must not send to. Blocking; thread-safe.

    address: an email address, a number in E.164, or a device's token; in any spelling.
    Every method raises OutboxError where the database fails.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def add(
        self,
        content: ContentName,
        address: str,
        reason: Reason = "manual",
        *,
        topic: str = "",
        source: str = "",
        note: str = "",
        since: datetime | None = None,
    ) -> Suppression:
        """Send nothing to the address from now on. Idempotent.

        reason: what it forbids, see docs/suppression.md. topic: of "unsubscribed" only; empty for
        all. ValueError where the address is empty or the reason has no topic.
        """
        made = suppression(
            content, address, reason, topic=topic, source=source, note=note, since=since
        )
        with self._outbox.database.writing() as connection:
            if since is None:
                made = replace(made, since=moment(self._now(connection, made.digest, reason)))
            suppressions.write(connection, self._outbox.env, [_entry(made)])
        return made

    def add_many(self, found: Iterable[Suppression]) -> None:
        """All of them or none, each since the moment that it names."""
        with self._outbox.database.writing() as connection:
            suppressions.write(connection, self._outbox.env, [_entry(one) for one in found])

    def remove(
        self, content: ContentName, address: str, reasons: Collection[Reason] = REASONS
    ) -> list[Suppression]:
        """Send to the address again; what held against it until now. What is told later counts.

        Of a device's token it is noted though nothing held: the provider may tell tomorrow that
        it was dead yesterday, before it was registered again.
        """
        digest, env = digest_of(content, address), self._outbox.env
        with self._outbox.database.writing() as connection:
            found = suppressions.find(connection, env, digest)
            held = [one for one in found if one.reason in reasons]
            lifted: set[tuple[Reason, str]] = {(one.reason, one.topic) for one in held}
            if content == "push" and "gone" in reasons:
                lifted.add(("gone", ""))
            lifts = [
                Entry(
                    content=content,
                    digest=digest,
                    reason=reason,
                    topic=topic,
                    lifted=self._now(connection, digest, reason),
                )
                for reason, topic in lifted
            ]
            suppressions.write(connection, env, lifts)
        return held

    def choose(
        self,
        content: ContentName,
        address: str,
        wanted: Mapping[str, bool],
        *,
        digest: str = "",
        source: str = "",
        at: datetime | None = None,
    ) -> None:
        """Note what somebody chose: topic to whether it is wanted; "" stands for all of them.

        digest: of the address, where that itself is not known.
        """
        digest = digest or digest_of(content, address)
        with self._outbox.database.writing() as connection:
            if at is None:
                chosen = self._now(connection, digest, "unsubscribed")
            else:
                chosen = milliseconds(at)
            entries = [
                Entry(
                    content=content,
                    digest=digest,
                    reason="unsubscribed",
                    topic=topic,
                    address=address,
                    # what lifts all unsubscriptions at that moment leaves these
                    since=None if yes else chosen + bool(wanted.get("")),
                    lifted=chosen if yes else None,
                    source=source,
                )
                for topic, yes in wanted.items()
            ]
            suppressions.write(connection, self._outbox.env, entries)

    def find(self, content: ContentName, address: str) -> list[Suppression]:
        """The reasons that hold against an address; empty where it may be sent to."""
        with self._outbox.database.reading() as connection:
            return suppressions.find(connection, self._outbox.env, digest_of(content, address))

    def against(self, key: str) -> list[Suppression]:
        """The reasons that hold against those whom the delivery of that key went to."""
        with self._outbox.database.reading() as connection:
            mine = (deliveries.c.env == self._outbox.env, deliveries.c.key == key)
            recipients = connection.execute(select(deliveries.c.recipients).where(*mine)).scalar()
            return [
                one
                for digest in (recipients or "").split()
                for one in suppressions.find(connection, self._outbox.env, digest)
            ]

    def topics(self, content: ContentName, address: str, *, digest: str = "") -> dict[str, bool]:
        """What the address has ever unsubscribed from, to whether it still is; "" for all."""
        with self._outbox.database.reading() as connection:
            digest = digest or digest_of(content, address)
            return dict(suppressions.topics(connection, self._outbox.env, digest))

    def list(
        self,
        *,
        contents: Collection[ContentName] = (),
        reasons: Collection[Reason] = (),
        limit: int | None = None,
    ) -> list[Suppression]:
        """Those that hold, the latest first."""
        with self._outbox.database.reading() as connection:
            found = suppressions.search(
                connection, self._outbox.env, contents=contents, reasons=reasons, limit=limit
            )
            return [*found]

    def _now(self, connection: Connection, digest: str, reason: Reason) -> int:
        """The clock, or what is after all that is known of that reason."""
        known = suppressions.latest(connection, self._outbox.env, digest, reason)
        return max(self._outbox.now(), known + 1)


def _entry(one: Suppression) -> Entry:
    return Entry(
        content=one.content,
        digest=one.digest,
        reason=one.reason,
        topic=one.topic,
        address=one.address,
        since=milliseconds(one.since),
        source=one.source,
        note=one.note,
    )


def suppression(
    content: ContentName,
    address: str,
    reason: Reason = "manual",
    *,
    topic: str = "",
    source: str = "",
    note: str = "",
    since: datetime | None = None,
) -> Suppression:
    """One to add; since: now where left out. ValueError where it says nothing that could hold."""
    if not comparable(content, address):
        raise ValueError("the address is empty")
    if content == "email" and not address.rpartition("@")[0].strip():
        raise ValueError(f"{address[:80]!r} is no email address")
    if topic and reason != "unsubscribed":
        raise ValueError(f"{reason} has no topic: it forbids everything")
    if len(topic) > LONGEST_TOPIC:
        raise ValueError(f"a topic has at most {LONGEST_TOPIC} characters")
    return Suppression(
        content=content,
        address="" if content == "push" else address.strip(),
        digest=digest_of(content, address),
        reason=reason,
        topic=topic,
        since=since or datetime.now(UTC),
        source=source,
        note=note,
    )
