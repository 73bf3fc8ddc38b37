"""A channel that keeps what it is given, for tests of code that sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from vero_deliver.channel import Receipt
from vero_deliver.errors import DeliveryError
from vero_deliver.rendered import Rendered


@dataclass(frozen=True, slots=True)
class Sent:
    """One accepted message."""

    rendered: Rendered
    key: str
    receipt: Receipt


class Memory:
    """Keeps every message in `sent`, in order; a key that was accepted before adds nothing.

    idempotent: False keeps a repeated key again, as most providers would.
    """

    def __init__(self, *, name: str = "memory", idempotent: bool = True) -> None:
        self.sent: list[Sent] = []
        self._name = name
        self._idempotent = idempotent
        self._receipts: dict[str, Receipt] = {}
        self._failures: list[DeliveryError] = []

    def __repr__(self) -> str:
        return f"Memory(name={self._name!r})"

    @property
    def name(self) -> str:
        """The configured name."""
        return self._name

    @property
    def idempotent(self) -> bool:
        """True, unless told otherwise: a repeated key gets its first receipt."""
        return self._idempotent

    def fail(self, error: DeliveryError, times: int = 1) -> None:
        """Let the next `times` sends raise `error`, after those asked for earlier."""
        self._failures += [error] * times

    async def send(self, rendered: Rendered, key: str) -> Receipt:
        """Keep the message, or raise the next error asked for by `fail`."""
        if self._failures:
            raise self._failures.pop(0).with_traceback(None)
        if key not in self._receipts or not self._idempotent:
            number = len(self.sent) + 1
            receipt = Receipt(self._name, f"{self._name}-{number}", datetime.now(UTC))
            self._receipts[key] = receipt
            self.sent.append(Sent(rendered, key, receipt))
        return self._receipts[key]

    async def aclose(self) -> None:
        """Nothing is kept open; what was sent stays."""
