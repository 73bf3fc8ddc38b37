"""The outbox's tables. Their names begin with vero_, for they may stand among an application's own.

Moments are milliseconds since 1970 in UTC. A change here needs a migration (migrations/versions).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

VERSION_TABLE: Final = "vero_schema"  # where Alembic keeps what was run
HEAD: Final = "0004"

metadata = MetaData()
_Id = BigInteger().with_variant(Integer(), "sqlite")  # only INTEGER counts up by itself there

messages = Table(
    "vero_messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Text, primary_key=True),
    Column("document", Text, nullable=False),  # as resource.py writes it
)

deliveries = Table(
    "vero_deliveries",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("env", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("send_key", Text, nullable=False),  # of all contents of one send
    Column("user_id", Text, nullable=False),  # id, else email, else phone
    Column("message_id", Text, nullable=False),
    Column("message_version", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),  # lower goes first, always
    Column("rank", SmallInteger),  # of contents of which only the first reachable is sent
    Column("fallback_after", BigInteger),  # that those of lower rank may go without being delivered
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),  # times it was handed to a channel
    Column("next_attempt_at", BigInteger),  # set while it waits, and is not held back by its rank
    Column("lease", Text),  # of one claim; a result without it comes too late
    Column("lease_until", BigInteger),
    Column("started_at", BigInteger),  # handed to the channel; null while only leased
    Column("repeatable", Boolean, nullable=False),  # an attempt without an answer may be repeated
    Column("in_doubt", Boolean, nullable=False),  # an earlier attempt may have arrived
    Column("channel", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of the rendered bytes
    Column("recipients", Text, nullable=False, server_default=""),  # digests of their addresses
    Column("error", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("rendered_for", BigInteger),  # the first attempt's clock, so that retries are equal
    Column("accepted_at", BigInteger),
    Column("expires_at", BigInteger, nullable=False),
    Column("user", Text, nullable=False),
    Column("about", Text, nullable=False),  # data, event, campaign, clock: where given
    Column("key_hash", BigInteger),  # of its digest, by which feedback without the key finds it
    UniqueConstraint("env", "key", name="vero_deliveries_key"),
)
_c = deliveries.c
_due = _c.next_attempt_at.is_not(None)
_leased = _c.lease_until.is_not(None)
Index(
    "vero_deliveries_due", _c.env, _c.priority, _c.next_attempt_at,
    sqlite_where=_due, postgresql_where=_due,
)  # fmt: skip
Index("vero_deliveries_lease", _c.lease_until, sqlite_where=_leased, postgresql_where=_leased)
Index("vero_deliveries_user", _c.env, _c.user_id)
Index("vero_deliveries_send", _c.env, _c.send_key)
Index("vero_deliveries_key_hash", _c.key_hash)

attempts = Table(
    "vero_attempts",
    metadata,
    Column(
        "delivery_id",
        _Id,
        ForeignKey("vero_deliveries.id", ondelete="CASCADE", name="vero_attempts_delivery"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("code", Text, nullable=False),
    sqlite_with_rowid=False,  # one tree instead of two
)
_named = text("provider_id <> ''")
Index(
    "vero_attempts_provider", attempts.c.provider_id,
    sqlite_where=_named, postgresql_where=_named,
)  # fmt: skip

events = Table(
    "vero_events",
    metadata,
    Column("number", _Id, primary_key=True),  # in the order of arrival
    Column("env", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column(
        "delivery_id",  # null while nothing matches
        _Id,
        ForeignKey("vero_deliveries.id", ondelete="CASCADE", name="vero_events_delivery"),
    ),
    Column("pending_since", BigInteger),  # set while it waits for a record or a worker's result
    Column("key_hash", BigInteger),
    # what follows is feedback.Feedback, field by field; tags, metadata and raw are JSON
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("key", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("provider_id", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("permanent", Boolean),
    Column("smtp_code", Integer),
    Column("enhanced_status", Text, nullable=False),
    Column("diagnostic", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("user_agent", Text, nullable=False),
    Column("ip", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("machine", Boolean),
    Column("tags", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("raw", Text, nullable=False),
    UniqueConstraint("env", "channel", "id", name="vero_events_told"),
)
_e = events.c
_matched = _e.delivery_id.is_not(None)
Index("vero_events_of", _e.delivery_id, sqlite_where=_matched, postgresql_where=_matched)
Index("vero_events_received", _e.env, _e.received_at, _e.number)
_waits = _e.pending_since.is_not(None)
for _name in ("key_hash", "provider_id"):
    Index(
        f"vero_events_{_name}", _e.env, _e[_name],
        sqlite_where=_waits, postgresql_where=_waits,
    )  # fmt: skip

circuits = Table(
    "vero_circuits",
    metadata,
    Column("env", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("period", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("openings", Integer, nullable=False),
    Column("open_until", BigInteger),  # null while the circuit is closed
    Column("probe_until", BigInteger),  # while one send tries
    Column("reason", Text, nullable=False),
    Column("misconfigured", Boolean, nullable=False),
)

warm_up = Table(
    "vero_warm_up",
    metadata,
    Column("env", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("provider", Text, primary_key=True),
    Column("start", Integer, nullable=False),  # days, as date.toordinal() counts them
    Column("day", Integer, nullable=False),
    Column("sent", Integer, nullable=False),  # on that day
)

quotas = Table(
    "vero_quotas",
    metadata,
    Column("env", Text, primary_key=True),
    Column("route", Text, primary_key=True),
    Column("label", Text, primary_key=True),  # of one limit: "quota of 50000/day to example.org"
    Column("slot", BigInteger, primary_key=True, autoincrement=False),  # number of a 24th of it
    Column("taken", BigInteger, nullable=False),
)

suppressions = Table(
    "vero_suppressions",
    metadata,
    Column("env", Text, primary_key=True),
    Column("digest", Text, primary_key=True),  # of content and address, see suppression.py
    Column("reason", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("content", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("since", BigInteger),  # the latest that was told
    Column(
        "lifted", BigInteger
    ),  # the latest that was told against it; it counts while it is later
    Column("source", Text, nullable=False),
    Column("note", Text, nullable=False),
    sqlite_with_rowid=False,
)

soft_bounces = Table(
    "vero_soft_bounces",
    metadata,
    Column("env", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("told", Text, primary_key=True),  # channel and id of the feedback
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)


def hash_of(digest: str) -> int:
    """A `mime.key_digest` as a number: an index of numbers is smaller and quicker."""
    return int(digest[:15], 16)
