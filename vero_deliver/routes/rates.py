"""Rates and quotas as people write them: `100/s`, `5/min`, `10_000/day`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from vero_deliver.errors import ConfigError
from vero_deliver.plain import quoted

_SECONDS: Final = {
    "s": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400,
}  # fmt: skip
_FORM: Final = re.compile(r"([0-9][0-9_]*(?:\.[0-9]+)?)\s*/\s*([a-z]+)")
_LARGEST: Final = 1e9  # of anything: more is a slip of the finger


@dataclass(frozen=True, slots=True)
class Rate:
    """So many messages in so many seconds; `text` is how it was written."""

    count: float
    seconds: float
    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def interval(self) -> float:
        """Seconds from one message to the next."""
        return self.seconds / self.count


def parse(what: str, text: str) -> Rate:
    """The rate or quota of an option named `rate...` or `quota...`. Raises ConfigError.

    A rate is `100/s`, `0.5/s`, `30/min`, `1000/hour`, `5000/day`; a quota a whole number per
    hour or day.
    """
    kind = what.partition("_")[0]
    found = _FORM.fullmatch(text.strip())
    if found is None or found[2] not in _SECONDS:
        units = "s, min, hour or day" if kind == "rate" else "hour or day"
        example = "100/s" if kind == "rate" else "50000/day"
        raise ConfigError(
            f"{what}: {quoted(text)} is no {kind}; write a number per {units}, such as {example}"
        )
    parsed = Rate(float(found[1]), _SECONDS[found[2]], text.strip())
    if not 0 < parsed.count <= _LARGEST:
        raise ConfigError(f"{what}: {quoted(text)} must be over 0 and at most {_LARGEST:,.0f}")
    if kind == "quota" and parsed.seconds < _SECONDS["hour"]:
        instead = what.replace("quota", "rate")
        raise ConfigError(f"{what}: {quoted(text)}: a quota is per hour or day; use {instead}")
    if kind == "quota" and not parsed.count.is_integer():
        raise ConfigError(f"{what}: {quoted(text)}: a quota is a whole number of messages")
    return parsed
