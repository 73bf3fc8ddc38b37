"""How far a sending address is with its warm-up, and what keeps that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a source is with a provider.

    start: first day of its warm-up. day: the last one on which it sent, `sent` messages then.
    """

    start: date
    day: date
    sent: int


class WarmUpStore(Protocol):
    """Keeps the progress of each source with each provider. Raises nothing but DeliveryErrors."""

    async def progress(self, source: str, provider: str) -> Progress | None:
        """How far it is; None where it has never sent there."""
        ...

    async def take(
        self, source: str, provider: str, start: date, day: date, most: int | None
    ) -> bool:
        """Count one message more on that day, in one step; False and nothing where `most` are."""
        ...

    async def undo(self, source: str, provider: str, day: date) -> None:
        """Count one message less on that day."""
        ...
