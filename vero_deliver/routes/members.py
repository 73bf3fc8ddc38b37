"""What all routes are: channels made of channels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final, Generic

from vero_deliver.channel import Channel, R, Receipt, idempotency_window
from vero_deliver.errors import ConfigError, Deferred, Misconfigured
from vero_deliver.routes.guard import Guarded
from vero_deliver.routes.health import CIRCUITS, Health

_SOON: Final = 60.0  # seconds; who gives no retry_after may be back about then


class Route(Generic[R]):
    """Shared by all routes: the name, the members, closing them.

    A member that is a channel is guarded by `health`; a member route guards its own.
    """

    def __init__(self, channels: Iterable[Channel[R]], name: str, health: Health | None) -> None:
        self._name = name
        known = CIRCUITS if health is None else health
        self._members: Sequence[Channel[R]] = [
            one if isinstance(one, (Route, Guarded)) else Guarded(one, known) for one in channels
        ]
        names = [member.name for member in self._members]
        if not names:
            raise ConfigError(f"route {name!r}: it has no channels")
        for twice in names:
            if names.count(twice) > 1:
                raise ConfigError(f"route {name!r}: two of its channels are named {twice!r}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({list(self._members)!r}, name={self._name!r})"

    @property
    def name(self) -> str:
        """The configured name. Receipts carry the name of the channel that accepted."""
        return self._name

    @property
    def idempotent(self) -> bool:
        """False for more than one channel: a repeated key may go to another than before."""
        return len(self._members) == 1 and self._members[0].idempotent

    @property
    def idempotency_window(self) -> timedelta | None:
        """The shortest of its channels'; None where all count for ever."""
        windows = [idempotency_window(member) for member in self._members]
        return min((one for one in windows if one is not None), default=None)

    async def aclose(self) -> None:
        """Close every channel. Idempotent."""
        async with AsyncExitStack() as stack:  # one that fails to close keeps none open
            for member in self._members:
                stack.push_async_callback(member.aclose)


async def first_accepted(
    route: str, members: Iterable[Channel[R]], rendered: R, key: str
) -> Receipt:
    """The receipt of the first member that accepts.

    Deferred and Misconfigured go on to the next. Whatever else a member raises ends it: Refused
    is final, and after Uncertain another send could be the second.
    """
    failures: list[Deferred | Misconfigured] = []
    for member in members:
        try:
            return await member.send(rendered, key)
        except (Deferred, Misconfigured) as error:
            failures.append(error)
    raise _summed(route, failures)


def _summed(route: str, failures: Sequence[Deferred | Misconfigured]) -> Deferred | Misconfigured:
    """One error in all their words; Misconfigured only where waiting helps none of them."""
    words = "; ".join(map(str, failures))
    deferred = [error for error in failures if isinstance(error, Deferred)]
    if not deferred:
        return Misconfigured(words, channel=route)
    known = [error.retry_after for error in deferred if error.retry_after is not None]
    soonest = min(known, default=None)
    if len(known) < len(deferred) and soonest is not None and soonest > _SOON:
        soonest = None  # the one that gave none should not wait for the other's quota
    return Deferred(words, channel=route, retry_after=soonest)
