"""Rates and durations as a shaping table has them, and a bucket that keeps a rate."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600),
    **dict.fromkeys(("d", "day", "days"), 86_400),
}
_RATE: Final = re.compile(r"([0-9][0-9_,]{0,12})\s*/\s*([a-z]+)")
_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)\s*([a-z]+)")
_NOISE: Final = 1e-9  # seconds: what floats leave of nothing


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so many seconds; `text` is how it was written."""

    count: int
    seconds: int
    text: str

    def __str__(self) -> str:
        return self.text


def rate(text: str) -> Rate:
    """`100/s`, `10/minute`, `2/hr`, `10,000/day`. Raises ValueError."""
    found = _RATE.fullmatch(text.strip())
    count = int(re.sub("[_,]", "", found[1])) if found else 0
    if found is None or found[2] not in _UNITS or not count:
        raise ValueError(f'{text!r} is no rate; write "100/s", "10/min", "2/hr" or "5000/day"')
    return Rate(count, _UNITS[found[2]], text.strip())


def seconds(text: str) -> float:
    """`30s`, `90m`, `2 hours`, `3 days`. Raises ValueError."""
    found = _DURATION.fullmatch(text.strip())
    if found is None or found[2] not in _UNITS:
        raise ValueError(f'{text!r} is no duration; write "30s", "90m", "2 hours" or "3 days"')
    return float(found[1]) * _UNITS[found[2]]


class Bucket:
    """Keeps a rate as GCRA does (ITU-T I.371): in any t seconds at most burst + t * rate.

    The burst is what the rate gives in a second, and at least one. Moments are seconds of a clock
    that the caller reads.
    """

    def __init__(self, rate: Rate) -> None:
        self.rate: Final = rate
        self._interval = rate.seconds / rate.count
        self._tolerance = max(0.0, 1.0 - self._interval)
        self._due = -math.inf  # when the next would be due if there were no burst

    def wait(self, now: float) -> float:
        """Seconds until one more may pass; 0.0 is now."""
        wait = self._due - self._tolerance - now
        return wait if wait > _NOISE else 0.0

    def take(self, now: float) -> None:
        """Book the next place, which comes after `wait`."""
        self._due = max(self._due, now) + self._interval
