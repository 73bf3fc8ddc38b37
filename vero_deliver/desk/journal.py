"""What senders write into the outbox, many at once.

Each hand-over must be recorded before it happens, and a transaction costs a disk's patience. So
while one transaction runs, whatever else there is to write gathers for the next.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar

from vero_deliver.errors import OutboxError
from vero_deliver.outbox.records import Result, Start
from vero_deliver.outbox.store import Outbox

_FIRST_WAIT: Final = 0.1  # seconds before a failed transaction is tried again; then twice as long
_LONGEST_WAIT: Final = 5.0

T = TypeVar("T")

log = logging.getLogger(__name__)


class Journal:
    """Writes for any number of tasks of one event loop.

    patience: seconds for which a database that fails is tried again before OutboxError is raised.
    """

    def __init__(self, outbox: Outbox, patience: float) -> None:
        self._outbox = outbox
        self._patience = patience
        self._waiting: list[tuple[Start | Result, asyncio.Future[bool | str]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def write(self, item: Start | Result) -> bool | str:
        """True once it is recorded; False where the lease was lost, and nobody may send.

        Of a start that is suppressed: why.
        """
        return await self.put(item)

    def put(self, item: Start | Result) -> asyncio.Future[bool | str]:
        """As write(), for a task that cannot wait."""
        done: asyncio.Future[bool | str] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return done

    async def close(self) -> None:
        """Wait until all is written."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            starts = [item for item, _ in batch if isinstance(item, Start)]
            results = [item for item, _ in batch if isinstance(item, Result)]
            try:
                filed = await self.patiently(self._outbox.file, starts, results)
            except Exception as error:
                if not isinstance(error, OutboxError):
                    log.exception("nothing recorded")
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                        done.exception()  # one that nobody waits for is no news
                continue
            for item, done in batch:
                if not done.done():
                    name = (item.leased.id, item.leased.lease)
                    why = filed.suppressed.get(name) if isinstance(item, Start) else None
                    done.set_result(why or name in filed.held)

    async def patiently(self, call: Callable[..., T], *arguments: Any) -> T:
        """Make a blocking call on a thread, again and again while the database fails."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._patience
        wait = _FIRST_WAIT
        while True:
            try:
                return await asyncio.to_thread(call, *arguments)
            except OutboxError as error:
                if loop.time() + wait > deadline:
                    raise
                log.warning("trying again in %.1f s: %s", wait, error)
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
