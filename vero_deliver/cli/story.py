"""All that an outbox knows of one delivery, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from vero_deliver.cli import told
from vero_deliver.cli.told import at

if TYPE_CHECKING:
    from vero_deliver.outbox.feedback import Kept
    from vero_deliver.outbox.records import Attempt, Record
    from vero_deliver.suppression import Suppression


@dataclass(frozen=True, slots=True)
class Story:
    """One delivery, its attempts, what was told of it, and what holds against its recipients."""

    record: Record
    attempts: list[Attempt]
    feedback: list[Kept]
    suppressions: list[Suppression]

    def document(self) -> dict[str, object]:
        """For JSON."""
        return {
            **plain(self.record),
            "attempts": [plain(one) for one in self.attempts],
            "feedback": [told.document(one) for one in self.feedback],
            "suppressions": [plain(one) for one in self.suppressions],
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        record = self.record
        yield f"{record.key}: {record.state}"
        message = f"{record.message_id or 'a message'} {record.message_version}"
        who = record.user_id or "(erased)"
        yield f"  {record.content} of {message} ({record.kind}) to {who}"
        deadline = f"to be accepted by {at(record.expires_at)}"
        yield f"  {at(record.created_at)}  recorded; {deadline}"
        happened = [pair for one in self.attempts for pair in _attempt(one)]
        happened += [(kept.feedback.at, _told(kept)) for kept in self.feedback]
        for moment, words in sorted(happened, key=lambda pair: pair[0]):
            yield f"  {at(moment)}  {words}"
        if record.lease_until:
            yield f"  leased by {record.leased_by} until {at(record.lease_until)}"
        if record.next_attempt_at:
            yield f"  next attempt {at(record.next_attempt_at)}"
        if record.in_doubt:
            yield "  it may have arrived"
        if record.error and not self.attempts:
            yield f"  {record.error}"
        for one in self.suppressions:
            yield f"  its recipient is suppressed: {one}"
        if record.digest:
            yield f"  rendered bytes: sha256 {record.digest}"


def plain(record: Any) -> dict[str, object]:
    """A record's fields for JSON."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(record).items()
    }


def _attempt(one: Attempt) -> Iterator[tuple[datetime, str]]:
    words = " ".join(filter(None, (one.provider_id, one.error, f"[{one.code}]" * bool(one.code))))
    yield one.started_at, f"attempt {one.number} over {one.channel}"
    yield one.ended_at, one.state + (f": {words}" if words else "")


def _told(kept: Kept) -> str:
    early = "; waits for the worker's own result" if kept.pending else ""
    return f"told {kept.feedback.kind} by {told.words(kept.feedback)}{early}"
