"""Warming up an address: few messages a day to each provider at first, then more and more.

Providers judge an address by what came from it before; one that nobody knows and that sends a lot
at once is taken for a spammer's. After 30 days without mail they have forgotten it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from vero_deliver.warm_up import Progress, WarmUpStore

SCHEDULE: Final = (
    50, 100, 250, 500, 1_000, 2_500, 5_000, 7_500, 10_000, 15_000, 20_000, 30_000, 40_000, 55_000,
    70_000, 100_000,
)  # fmt: skip # a day; what providers of addresses commonly advise
IDLE: Final = timedelta(days=30)


class MemoryWarmUp:
    """A store in the memory of this process: a restart begins the day's count again."""

    def __init__(self) -> None:
        self._progress: dict[tuple[str, str], Progress] = {}

    async def progress(self, source: str, provider: str) -> Progress | None:
        """How far it is; None where it has never sent there."""
        return self._progress.get((source, provider))

    async def take(
        self, source: str, provider: str, start: date, day: date, most: int | None
    ) -> bool:
        """Count one message more on that day; False and nothing where `most` are."""
        before = self._progress.get((source, provider))
        sent = before.sent if before and before.day == day else 0
        if most is not None and sent >= most:
            return False
        self._progress[source, provider] = Progress(start, day, sent + 1)
        return True

    async def undo(self, source: str, provider: str, day: date) -> None:
        """Count one message less on that day."""
        now = self._progress.get((source, provider))
        if now and now.day == day and now.sent:
            self._progress[source, provider] = Progress(now.start, day, now.sent - 1)


class WarmUp:
    """Counts what sources send to a provider against the schedule's cap of the day, in UTC.

    schedule: messages on the first day, the second, ...; no cap after the last one.
    """

    def __init__(
        self, schedule: Sequence[int], store: WarmUpStore, now: Callable[[], datetime]
    ) -> None:
        self._schedule, self._store, self._now = schedule, store, now

    async def take(self, source: str, provider: str, start: date | None) -> Taken | None:
        """Leave to send one more today; None where the day's are sent. start None: it is warm."""
        day = self._now().astimezone(UTC).date()
        if start is None:
            return Taken(source, provider, None)
        known = await self._store.progress(source, provider)
        if known is not None:
            start = max(start, known.start)
            if day - max(known.day, start) >= IDLE:
                start = day
        age = (day - start).days
        most = 0 if age < 0 else self._schedule[age] if age < len(self._schedule) else None
        if not await self._store.take(source, provider, start, day, most):
            return None
        return Taken(source, provider, day)

    async def undo(self, taken: Taken) -> None:
        """Give a leave back: nothing was sent."""
        if taken.day is not None:
            await self._store.undo(taken.source, taken.provider, taken.day)

    def seconds_left(self) -> float:
        """Seconds until the next day's messages."""
        now = self._now().astimezone(UTC)
        tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
        return (tomorrow - now).total_seconds()


@dataclass(frozen=True, slots=True)
class Taken:
    """Leave to send one message. day: it is counted on; None where nothing is counted."""

    source: str
    provider: str
    day: date | None
