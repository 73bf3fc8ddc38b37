"""What may be taken now and what must wait: token buckets, rolling windows, one for each key.

Moments are seconds of a monotonic clock, given by the caller.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from vero_deliver.routes.rates import Rate

SLOTS: Final = 24  # of a window: the hours of a day
_PRECISION: Final = 1e-9  # seconds; less is the noise of floats
_FEW: Final = 1_024  # limits of one kind that are kept without looking for idle ones


class Limit(Protocol):
    """A bucket or a window. waiting: how many sends wait for it, kept by the queue."""

    label: str
    waiting: int

    def wait(self, now: float, ahead: int = 0) -> float:
        """Seconds until one more may be taken, after `ahead` others; 0.0 is now."""
        ...

    def take(self, now: float) -> None:
        """Count one."""
        ...

    def undo(self, taken_at: float, /) -> None:
        """Count one that was taken then no more."""
        ...

    def idle(self, now: float) -> bool:
        """True where it is as good as new."""
        ...


class Bucket:
    """A token bucket as GCRA counts it (ITU-T I.371): two numbers, no matter how large.

    In any t seconds at most `burst` + t * rate are taken.
    """

    def __init__(self, rate: Rate, burst: int, label: str) -> None:
        self.label, self.waiting = label, 0
        self._interval = rate.interval
        self._tolerance = (burst - 1) * rate.interval
        self._next = -math.inf  # when a token would be due if there were no burst

    def wait(self, now: float, ahead: int = 0) -> float:
        """Seconds until one more may be taken, after `ahead` others; 0.0 is now."""
        wait = max(self._next - now, 0.0) + ahead * self._interval - self._tolerance
        return _exact(wait)

    def take(self, now: float) -> None:
        """Take a token."""
        self._next = max(self._next, now) + self._interval

    def undo(self, _taken_at: float, /) -> None:
        """Put a token back."""
        self._next -= self._interval

    def idle(self, now: float) -> bool:
        """True while the bucket is full."""
        return self._next <= now and not self.waiting


class Window:
    """At most `count` in any `seconds`; counted by 24ths, so each counts up to a 24th longer."""

    def __init__(self, quota: Rate, label: str) -> None:
        self.label, self.waiting, self.quota = label, 0, quota
        self._most = int(quota.count)
        self._width = quota.seconds / SLOTS
        self._slots: deque[list[int]] = deque()  # [number of the slot, taken in it], oldest first
        self._taken = 0

    def wait(self, now: float, ahead: int = 0) -> float:
        """Seconds until one more may be taken, after `ahead` others; 0.0 is now.

        Where `ahead` is more than the window holds, it is longer than told.
        """
        self._forget(now)
        lacking = self._taken + ahead + 1 - self._most
        return _exact(free_at(self._slots, lacking, self._width, now) - now)

    def take(self, now: float) -> None:
        """Count one message."""
        number = self._number(now)
        if not self._slots or self._slots[-1][0] != number:
            self._slots.append([number, 0])
        self._slots[-1][1] += 1
        self._taken += 1

    def undo(self, taken_at: float, /) -> None:
        """Count one message less, if it still counts."""
        for slot in self._slots:
            if slot[0] == self._number(taken_at):
                slot[1] -= 1
                self._taken -= 1

    def idle(self, now: float) -> bool:
        """True while nothing counts."""
        self._forget(now)
        return not self._taken and not self.waiting

    def _number(self, moment: float) -> int:
        return math.floor(moment / self._width)

    def _forget(self, now: float) -> None:
        while self._slots and self._slots[0][0] + 1 + SLOTS <= self._number(now):
            self._taken -= self._slots.popleft()[1]


def free_at(slots: Iterable[Sequence[int]], lacking: int, width: float, now: float) -> float:
    """When so many more will be free, as slots run out; each a number and what was taken in it."""
    end = now
    for number, taken in slots:
        if lacking <= 0:
            break
        end = (number + 1 + SLOTS) * width
        lacking -= taken
    return end


class Quotas(Protocol):
    """Counts for all processes what they take of a quota.

    No method raises: where the count cannot be reached each process goes by its own.
    """

    async def take(self, route: str, label: str, quota: Rate) -> float:
        """Count one: 0.0. Where there is none left: seconds until it is worth asking again."""
        ...

    async def give_back(self, route: str, label: str, quota: Rate) -> None:
        """Count one less that was taken just now."""
        ...


class Limits:
    """A limit for each key, such as a domain; the idle ones are forgotten."""

    def __init__(self, make: Callable[[str], Limit]) -> None:
        self._make = make
        self._by_key: dict[str, Limit] = {}
        self._sweep_at = _FEW

    def __len__(self) -> int:
        return len(self._by_key)

    def of(self, key: str, now: float) -> Limit:
        """The limit of that key."""
        if key not in self._by_key:
            if len(self._by_key) >= self._sweep_at:
                self._sweep(now)
            self._by_key[key] = self._make(key)
        return self._by_key[key]

    def _sweep(self, now: float) -> None:
        self._by_key = {key: one for key, one in self._by_key.items() if not one.idle(now)}
        self._sweep_at = max(_FEW, 2 * len(self._by_key))  # each key is looked at about once


def _exact(wait: float) -> float:
    return wait if wait > _PRECISION else 0.0
