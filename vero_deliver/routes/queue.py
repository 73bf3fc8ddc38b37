"""Waiting for limits in the order of arrival, without holding up those who wait for others."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from vero_deliver.routes.limits import Limit

Levels = tuple[tuple[Limit, ...], ...]


class OverLimit(Exception):
    """It would take too long. wait: seconds until it may be worth trying, at the earliest."""

    def __init__(self, label: str, wait: float) -> None:
        super().__init__(label)
        self.label, self.wait = label, wait


@dataclass(eq=False, slots=True)
class _Waiter:
    levels: Levels
    deadline: float
    turn: asyncio.Future[float]  # the moment it came

    def limits(self) -> Iterator[Limit]:
        for level in self.levels:
            yield from level


class Queue:
    """Whoever comes waits until one may be taken of all of its limits at once.

    A send names its limits level by level, the narrowest first; the last level is the same for
    all. Within one limit those who came first go first. A level is waited for only when the
    narrower ones are ready: who waits for a slow domain holds up that domain and nobody else, and
    is passed over there by nobody, so that each gets its turn.

    Used from one event loop at a time; the limits outlive it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiters: dict[_Waiter, None] = {}  # in order of arrival
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiters)

    async def turn(self, levels: Levels, patience: float) -> float:
        """Wait at most `patience` seconds and take one of each; the moment of taking.

        Raises OverLimit, at once where the wait can be foreseen. Cancelling takes nothing.
        """
        waiter = self._join(levels, patience)
        self.serve()
        try:
            return await waiter.turn
        except asyncio.CancelledError:
            if not waiter.turn.cancelled() and waiter.turn.exception() is None:
                for limit in waiter.limits():
                    limit.undo(waiter.turn.result())
            self._leave(waiter)
            self.serve()
            raise

    def _join(self, levels: Levels, patience: float) -> _Waiter:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # asyncio.run() made a new loop: those who waited died with the old one
            for left in list(self._waiters):
                self._leave(left)
            self._loop, self._timer = loop, None
        now = self._clock()
        waiter = _Waiter(levels, now + patience, loop.create_future())
        narrowest = next((level for level in levels if level), ())
        for limit in waiter.limits():
            # of those who wait for a wider one, some may be held up elsewhere
            wait = limit.wait(now, limit.waiting if limit in narrowest else 0)
            if wait > patience:
                raise OverLimit(limit.label, wait)
        for limit in waiter.limits():
            limit.waiting += 1
        self._waiters[waiter] = None
        return waiter

    def _leave(self, waiter: _Waiter) -> None:
        if waiter in self._waiters:
            del self._waiters[waiter]
            for limit in waiter.limits():
                limit.waiting -= 1

    def serve(self) -> None:
        """Let everybody go whose turn it is."""
        now = self._clock()
        blocked: set[Limit] = set()
        soonest = math.inf
        for waiter in list(self._waiters):
            stuck = _stuck(waiter.levels, blocked, now)
            if waiter.turn.done():  # cancelled, and not yet aware of it
                self._leave(waiter)
            elif stuck is None:
                self._leave(waiter)
                for limit in waiter.limits():
                    limit.take(now)
                waiter.turn.set_result(now)
            elif waiter.deadline <= now:
                self._leave(waiter)
                waiter.turn.set_exception(_too_slow(waiter, now))
            else:
                level, wait = stuck
                for held in waiter.levels[: level + 1]:
                    blocked.update(held)
                soonest = min(soonest, now + wait, waiter.deadline)
                if level == len(waiter.levels) - 1:
                    break  # everybody behind needs this one too, and has a later deadline
        self._wake_at(soonest, now)

    def _wake_at(self, moment: float, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if moment < math.inf:
            self._timer = asyncio.get_running_loop().call_later(moment - now, self.serve)


def _stuck(levels: Levels, blocked: set[Limit], now: float) -> tuple[int, float] | None:
    """The level that keeps it waiting, and for how long; inf where it waits for those before it."""
    for number, level in enumerate(levels):
        wait = max((limit.wait(now) for limit in level), default=0.0)
        if wait > 0:
            return number, wait
        if not blocked.isdisjoint(level):
            return number, math.inf
    return None


def _too_slow(waiter: _Waiter, now: float) -> OverLimit:
    """Of its limits the one with the longest queue."""
    waits = {limit: limit.wait(now, limit.waiting) for limit in waiter.limits()}
    slowest = max(waits, key=lambda limit: waits[limit])
    return OverLimit(slowest.label, waits[slowest])
