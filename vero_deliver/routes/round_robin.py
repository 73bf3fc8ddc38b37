"""Channels in turn, each as often as its weight says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from vero_deliver.channel import Channel, R, Receipt
from vero_deliver.errors import ConfigError
from vero_deliver.routes.guard import Guarded
from vero_deliver.routes.health import Health
from vero_deliver.routes.members import Route, first_accepted


class RoundRobin(Route[R]):
    """Smooth weighted round robin, as nginx does it: 3 and 1 give a a b a, never a a a b.

    weights: whole numbers in the order of the channels; equal where left out.
    failover: False sends over the one channel whose turn it is; a channel that is known to fail
    is passed over all the same.
    health: the memory of failures; the process's own where none is given.
    """

    def __init__(
        self,
        channels: Sequence[Channel[R]],
        weights: Sequence[int] | None = None,
        *,
        name: str = "round-robin",
        failover: bool = True,
        health: Health | None = None,
    ) -> None:
        super().__init__(channels, name, health)
        self._weights = list(weights) if weights is not None else [1] * len(self._members)
        if len(self._weights) != len(self._members):
            raise ConfigError(
                f"route {name!r}: {len(self._weights)} weights for {len(self._members)} channels"
            )
        for weight in self._weights:
            if not isinstance(weight, int) or isinstance(weight, bool) or weight < 1:
                raise ConfigError(
                    f"route {name!r}: a weight is a whole number from 1 up, not {weight!r}"
                )
        self._credit = [0] * len(self._members)
        self._failover = failover

    async def send(self, rendered: R, key: str) -> Receipt:
        """The receipt of the channel whose turn it is, or of the next that accepts.

        Errors as Failover.send.
        """
        if self._failover:
            return await first_accepted(self.name, self._turns(), rendered, key)
        return await (await self._healthy()).send(rendered, key)

    def _turns(self) -> Iterator[Channel[R]]:
        """The channel whose turn it is, then each time the next of those that are left."""
        left = list(range(len(self._members)))
        while left:
            for index in left:
                self._credit[index] += self._weights[index]
            chosen = max(left, key=lambda index: self._credit[index])
            self._credit[chosen] -= sum(self._weights[index] for index in left)
            left.remove(chosen)
            yield self._members[chosen]

    async def _healthy(self) -> Channel[R]:
        """The first in turn that is not known to fail, else the one whose turn it is."""
        turns = self._turns()
        first = next(turns)
        for member in chain((first,), turns):
            if not isinstance(member, Guarded) or await member.shut() is None:
                return member
        return first
