"""A worker: leases what is due, sends so many at a time, files what became of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from vero_deliver import observe
from vero_deliver.channel import Channel
from vero_deliver.desk.batched import batched
from vero_deliver.desk.sending import Desk
from vero_deliver.errors import ConfigError, OutboxError
from vero_deliver.outbox.health import SharedCircuits
from vero_deliver.outbox.records import Leased
from vero_deliver.rendered import ContentName
from vero_deliver.routes.guard import Guarded
from vero_deliver.routes.members import Route

if TYPE_CHECKING:
    from vero_deliver.deliver import Deliverer

_PATIENCE: Final = 3_600.0  # seconds that a database may be away
_AHEAD: Final = 2  # leased for each that may be under way, so that no sender waits for a claim

log = logging.getLogger(__name__)


class Worker:
    """Works off the outbox of a deliverer until it is stopped.

    concurrency: how many are handed to channels at the same time.
    poll: seconds between looks at an outbox in which nothing was due.

    A channel that fails again and again is left alone for a while, by all workers of the outbox.
    One that takes several messages in a call (BatchChannel) gets them so, unless it is idempotent.

    Any number of workers may share an outbox. One that is killed loses nothing: what it had not
    handed over goes to others once its lease ends, and what it had is uncertain, see Policy.
    """

    def __init__(self, deliverer: Deliverer, *, concurrency: int = 32, poll: float = 1.0) -> None:
        if deliverer.outbox is None:
            raise ConfigError("a worker needs a deliverer with an outbox: Deliverer(outbox=...)")
        if concurrency < 1:
            raise ConfigError(f"concurrency must be at least 1, not {concurrency}")
        self._outbox = deliverer.outbox
        health = SharedCircuits(outbox=self._outbox)
        self._channels: Mapping[ContentName, Channel[Any]] = {
            content: channel
            if isinstance(channel, (Route, Guarded))
            else Guarded(batched(channel), health)
            for content, channel in deliverer.channels.items()
        }
        self._desk = Desk(
            deliverer,
            self._outbox,
            deliverer.policy,
            channels=self._channels,
            patience=_PATIENCE,
        )
        self._concurrency = concurrency
        self._poll = poll
        self._stop = asyncio.Event()
        self._queue: asyncio.PriorityQueue[tuple[int, int, Leased]] = asyncio.PriorityQueue()
        # leased by this worker, until it is filed
        self._held: dict[tuple[int, str], Leased] = {}
        self._order = count()
        self._freed = asyncio.Event()
        self._ended = 0

    def stop(self) -> None:
        """Lease nothing more, finish what is under way, give back the rest. Idempotent."""
        self._stop.set()
        self._freed.set()

    async def run(self, *, drain: bool = False) -> int:
        """Work until stop(), or, to drain, until nothing is due; how many it dealt with.

        Raises OutboxError where the database has failed for an hour; to drain, where it fails
        before anything is leased.
        """
        with observe.watching(self._outbox.env, self._outbox.backlog):
            return await self._run(drain=drain)

    async def _run(self, *, drain: bool) -> int:
        keeper = asyncio.create_task(self._keep())
        senders = [asyncio.create_task(self._send()) for _ in range(self._concurrency)]
        feeder = asyncio.create_task(self._feed(drain=drain))
        try:
            done, _ = await asyncio.wait(
                [feeder, keeper, *senders], return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()  # an error of any ends all
            await self._give_back()
            await self._queue.join()
            for task in senders:
                if task.done():
                    task.result()
        finally:
            for task in (feeder, keeper, *senders):
                task.cancel()
            await asyncio.gather(feeder, keeper, *senders, return_exceptions=True)
            await self._desk.journal.close()
        return self._ended

    async def _feed(self, *, drain: bool) -> None:
        """Lease what the senders can soon take; ends when there is no more to do."""
        while not self._stop.is_set():
            room = _AHEAD * self._concurrency - len(self._held)
            leased: list[Leased] = []
            if room >= self._concurrency or not self._held:
                leased = await self._claim(room, drain=drain)
            for one in leased:
                self._held[one.id, one.lease] = one
                self._queue.put_nowait((one.priority, next(self._order), one))
            if self._held:
                self._freed.clear()
                await self._freed.wait()
            elif drain:
                return
            else:
                await self._rest()

    async def _claim(self, room: int, *, drain: bool) -> list[Leased]:
        contents = [name for name in self._channels if not await self._shut(name)]
        try:
            return await asyncio.to_thread(self._outbox.claim, contents, room)
        except OutboxError as error:
            if drain:
                raise
            log.warning("nothing leased: %s", error)
            await self._rest()
            return []

    async def _shut(self, content: ContentName) -> bool:
        """True while the channel is known to fail: what it carries stays where it is."""
        channel = self._channels[content]
        return isinstance(channel, Guarded) and await channel.shut() is not None

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), self._poll)
        except TimeoutError:
            return

    async def _send(self) -> None:
        while True:
            _, _, leased = await self._queue.get()
            try:
                await self._desk.deliver(leased)
                self._ended += 1
            finally:
                self._held.pop((leased.id, leased.lease), None)
                self._queue.task_done()
                self._freed.set()

    async def _keep(self) -> None:
        """Hold on to what is leased here, and take back what lost workers had."""
        while True:
            try:
                leases = {one.lease for one in self._held.values()}
                if leases:
                    await asyncio.to_thread(self._outbox.renew, leases)
                await asyncio.to_thread(self._outbox.recover)
            except OutboxError as error:
                log.warning("leases not renewed: %s", error)
            await asyncio.sleep(self._outbox.lease / 4)

    async def _give_back(self) -> None:
        unsent: list[Leased] = []
        while not self._queue.empty():
            _, _, leased = self._queue.get_nowait()
            unsent.append(leased)
            self._held.pop((leased.id, leased.lease), None)
            self._queue.task_done()
        if unsent:
            await asyncio.to_thread(self._outbox.release, unsent)
