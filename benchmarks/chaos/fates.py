"""What a provider does with each message, by chance but repeatably, and its log of it."""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from pathlib import Path
from typing import Literal

Fate = Literal[
    "take", "take_late", "take_and_drop", "take_and_hang", "defer", "drop", "hang", "refuse"
]
TAKES: tuple[Fate, ...] = ("take", "take_late", "take_and_drop", "take_and_hang")
HANG = 5.0  # seconds, more than any client waits

_ODDS: dict[Fate, int] = {
    "take": 880, "take_late": 30, "take_and_drop": 12, "take_and_hang": 6, "defer": 50, "drop": 12,
    "hang": 5,
}  # fmt: skip
_REFUSED = 0.01


class Provider:
    """Fates of numbered messages, and the log: one line for each time one was looked at.

    keeps_keys: a key that was taken is not delivered again, as an idempotent provider has it.
    """

    def __init__(self, name: str, seed: str, log: Path, *, keeps_keys: bool = False) -> None:
        self._name, self._seed, self._keeps_keys = name, seed, keeps_keys
        self._log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._asked: Counter[int] = Counter()
        self._kept: dict[str, bytes] = {}

    def decide(self, number: int) -> Fate:
        """What is to become of it this time."""
        self._asked[number] += 1
        if random.Random(f"{self._seed}/{self._name}/{number}").random() < _REFUSED:
            return "refuse"
        chance = random.Random(f"{self._seed}/{self._name}/{number}/{self._asked[number]}")
        return chance.choices(list(_ODDS), list(_ODDS.values()))[0]

    def late(self, number: int) -> float:
        """Seconds."""
        return random.Random(f"{self._seed}/late/{number}").uniform(0.01, 0.4)

    def asked(self, number: int, key: str, fate: Fate, body: bytes = b"") -> bool:
        """Log it; False where a repeated key has another body, which such a provider refuses."""
        event: str = "delivered" if fate in TAKES else fate
        known = self._kept.get(key)
        if self._keeps_keys and fate in TAKES:
            if known is None:
                self._kept[key] = body
            else:
                event = "repeated" if known == body else "changed"
        line = json.dumps({"number": number, "key": key, "event": event})
        os.write(self._log, line.encode() + b"\n")
        return event != "changed"
