"""What goes into the outbox and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from vero_deliver.rendered import ContentName, Kind
from vero_deliver.states import State

PRIORITIES: Final[Mapping[Kind, int]] = {"transactional": 0, "marketing": 1}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One delivery to record.

    send_key: of all contents of one send. user_id: id, else email, else phone.
    user, about: as packing.py writes them. rank: of contents of which only the first reachable is
    sent, those of rank 0 first; None where the delivery stands alone. fallback_after: milliseconds
    that the content before it may go without being delivered; None for ever.
    """

    key: str
    send_key: str
    user_id: str
    message_id: str
    message_version: str
    content: ContentName
    kind: Kind
    rank: int | None
    user: str
    about: str
    due_at: int
    expires_at: int
    fallback_after: int | None = None


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery that one worker has to itself until its lease ends.

    attempts: how often it was handed to a channel before. in_doubt: one of those may have arrived.
    """

    id: int
    lease: str
    key: str
    send_key: str
    content: ContentName
    kind: Kind
    priority: int
    rank: int | None
    attempts: int
    in_doubt: bool
    channel: str
    message_id: str
    message_version: str
    user: str
    about: str
    rendered_for: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Start:
    """A delivery is about to be handed to a channel.

    repeatable: whether it may be handed over again if this attempt's answer is never known.
    recipients: digests of their addresses. topic: the message's.
    """

    leased: Leased
    channel: str
    repeatable: bool
    recipients: tuple[str, ...] = ()
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Filed:
    """What came of writing starts and results, by id and lease.

    held: what may be sent, and what was recorded. suppressed: starts that must not be sent to
    their recipients, and why.
    """

    held: set[tuple[int, str]]
    suppressed: dict[tuple[int, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a leased delivery.

    next_attempt_at: of a deferred one. started_at: None where no channel had it. answered: False
    where it left and no answer came, though it is tried again. recipients: as of Start.
    dead_since: of one that is gone, where the provider says so.
    """

    leased: Leased
    state: State
    ended_at: int
    started_at: int | None = None
    channel: str = ""
    provider_id: str = ""
    digest: str = ""
    error: str = ""
    code: str = ""
    next_attempt_at: int | None = None
    in_doubt: bool = False
    answered: bool = True
    recipients: tuple[str, ...] = ()
    dead_since: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One handing over, and what came of it. state: uncertain where no answer came."""

    number: int
    started_at: datetime
    ended_at: datetime
    channel: str
    state: State
    provider_id: str
    error: str
    code: str


@dataclass(frozen=True, slots=True)
class Record:
    """A delivery as it stands in the outbox. error and code: the last, in the provider's words."""

    key: str
    send_key: str
    user_id: str
    message_id: str
    message_version: str
    content: ContentName
    kind: Kind
    state: State
    attempts: int
    in_doubt: bool
    channel: str
    provider_id: str
    digest: str
    error: str
    code: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime
    next_attempt_at: datetime | None
    accepted_at: datetime | None
    leased_by: str
    lease_until: datetime | None


def milliseconds(moment: datetime) -> int:
    """Since 1970, as the tables have it."""
    return (moment - _EPOCH) // _MILLISECOND


def moment(stored: int) -> datetime:
    """In UTC."""
    return _EPOCH + stored * _MILLISECOND


def record_of(row: Any) -> Record:
    """A row of the table deliveries."""
    values = {name: row[name] for name in Record.__slots__ if name != "leased_by"}
    for name, value in values.items():
        if (name.endswith("_at") or name == "lease_until") and value is not None:
            values[name] = moment(value)
    return Record(**values, leased_by=(row["lease"] or "").rpartition("/")[0])


def attempt_of(row: Any) -> Attempt:
    """A row of the table attempts."""
    values = {name: row[name] for name in Attempt.__slots__}
    times = {name: moment(row[name]) for name in ("started_at", "ended_at")}
    return Attempt(**{**values, **times})
