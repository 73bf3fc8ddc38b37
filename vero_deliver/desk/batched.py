"""Messages that are ready at the same moment go to their provider in one call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Generic

from vero_deliver.channel import BatchChannel, Channel, R, Receipt, idempotency_window

_Waiting = tuple[Any, str, asyncio.Future[Receipt]]


def batched(channel: Channel[Any]) -> Channel[Any]:
    """The channel, which is handed several messages in one call where it takes them.

    Not an idempotent one: a call is repeated as the same call or not at all, and nobody remembers
    which messages were in it. Each is sent alone there, so that a key keeps its promise.
    """
    together = hasattr(channel, "send_many") and not channel.idempotent
    return Batched(channel) if together else channel  # type: ignore[arg-type]


class Batched(Generic[R]):
    """Hands over with send_many() what is sent in one turn of the event loop.

    A worker's journal lets all go at once that it has recorded in one transaction, so nothing needs
    to wait for others to come.
    """

    def __init__(self, channel: BatchChannel[R]) -> None:
        self.channel = channel
        self._waiting: list[_Waiting] = []
        self._calls: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return repr(self.channel)

    @property
    def name(self) -> str:
        """The channel's."""
        return self.channel.name

    @property
    def idempotent(self) -> bool:
        """As the channel."""
        return self.channel.idempotent

    @property
    def idempotency_window(self) -> timedelta | None:
        """The channel's."""
        return idempotency_window(self.channel)

    async def send(self, rendered: R, key: str) -> Receipt:
        """As the channel's send(); one that is cancelled before the call is not in it."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Receipt] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._call)
        self._waiting.append((rendered, key, done))
        return await done

    async def aclose(self) -> None:
        """Close the channel."""
        await self.channel.aclose()

    def _call(self) -> None:
        batch, self._waiting = [one for one in self._waiting if not one[2].done()], []
        if batch:
            call = asyncio.create_task(self._send(batch))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _send(self, batch: Sequence[_Waiting]) -> None:
        found: Sequence[Receipt | Exception]
        try:
            found = await self.channel.send_many([(rendered, key) for rendered, key, _ in batch])
            if len(found) != len(batch):
                raise ValueError(f"{len(found)} outcomes of {len(batch)} messages")
        except asyncio.CancelledError:
            for _, _, done in batch:
                done.cancel()
            raise
        except Exception as error:  # noqa: BLE001  # of each who waits for it
            found = [error] * len(batch)
        for (_, _, done), outcome in zip(batch, found, strict=True):
            if done.done():  # whoever sent it has gone
                continue
            if isinstance(outcome, Receipt):
                done.set_result(outcome)
            else:
                done.set_exception(outcome.with_traceback(None))
