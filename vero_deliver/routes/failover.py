"""The first channel that works."""

from __future__ import annotations

from collections.abc import Sequence

from vero_deliver.channel import Channel, R, Receipt
from vero_deliver.routes.health import Health
from vero_deliver.routes.members import Route, first_accepted


class Failover(Route[R]):
    """Tries its channels in order, those that are known to fail excepted.

    health: the memory of failures; the process's own where none is given.
    """

    def __init__(
        self,
        channels: Sequence[Channel[R]],
        *,
        name: str = "failover",
        health: Health | None = None,
    ) -> None:
        super().__init__(channels, name, health)

    async def send(self, rendered: R, key: str) -> Receipt:
        """The receipt of the first channel that accepts.

        Refused, Gone and Uncertain are raised at once, as the channel raised them. Where all
        failed, Deferred with the smallest retry_after, or Misconfigured where all were; either
        names every channel with its words.
        """
        return await first_accepted(self.name, self._members, rendered, key)
