"""The one seam of the library: what every channel driver provides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from vero_deliver.errors import DeliveryError
from vero_deliver.rendered import Rendered

R = TypeVar("R", bound=Rendered, contravariant=True)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider accepted the message; accepted is not yet delivered.

    provider_id: the provider's own id for it, as its logs and feedback name it.
    accepted_at: timezone-aware, UTC.
    """

    channel: str
    provider_id: str
    accepted_at: datetime


class Channel(Protocol[R]):
    """Hands one rendered content to one provider account."""

    @property
    def name(self) -> str:
        """The configured name, "sendgrid-eu"."""
        ...

    @property
    def idempotent(self) -> bool:
        """True where two sends with one key deliver once.

        A channel whose provider forgets keys has `idempotency_window`, how long one counts.
        """
        ...

    async def send(self, rendered: R, key: str) -> Receipt:
        """Return once the provider has accepted; raise a DeliveryError otherwise."""
        ...

    async def aclose(self) -> None:
        """Give back connections. Idempotent."""
        ...


def idempotency_window(channel: Channel[Any]) -> timedelta | None:
    """How long a repeated key counts with an idempotent channel; None for ever."""
    window: timedelta | None = getattr(channel, "idempotency_window", None)
    return window


class BatchChannel(Channel[R], Protocol[R]):
    """A channel that hands over several messages in one call to its provider."""

    async def send_many(self, batch: Sequence[tuple[R, str]]) -> list[Receipt | DeliveryError]:
        """What became of each message and its key, in the same order; nothing is raised."""
        ...
