"""Where feedback goes in: whoever reads webhooks or bounces hands it over here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from vero_deliver.feedback import Feedback
from vero_deliver.outbox.store import Outbox
from vero_deliver.outbox.suppressions import Entry

_AT_ONCE: Final = 1_000  # in one transaction, unless one post has more


class Intake:
    """Takes feedback into an outbox: keeps it once, and lets its deliveries know.

    It may come in any order, more than once, and before the worker has filed its own result. Any
    number of processes may take at the same time; of one, what comes while a transaction runs is
    written by the next. Of one event loop.

    learnt: is called with the addresses that are suppressed now, or no more, once that is kept: to
    correct what you hold of users yourself. Where it raises, so does take().
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        learnt: Callable[[Sequence[Entry]], Awaitable[None]] | None = None,
    ) -> None:
        self._feedback, self._learnt = outbox.feedback, learnt
        self._waiting: list[tuple[Sequence[Feedback], asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def take(self, feedback: Sequence[Feedback]) -> None:
        """Return once it is kept; raise OutboxError where it is not: have it told again."""
        if not feedback:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((feedback, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            some = self._some()
            told = [one for feedback, _ in some for one in feedback]
            try:
                taken = await asyncio.to_thread(self._feedback.take, told)
                if self._learnt is not None and taken.learnt:
                    await self._learnt(taken.learnt)
            except Exception as error:  # noqa: BLE001  # of whoever waits for it
                for _, done in some:
                    if not done.done():
                        done.set_exception(error)
                continue
            for _, done in some:
                if not done.done():
                    done.set_result(None)

    def _some(self) -> list[tuple[Sequence[Feedback], asyncio.Future[None]]]:
        """The first that wait, at least one, and no more than one transaction should have."""
        number, count = 0, 0
        for feedback, _ in self._waiting:
            count += len(feedback)
            if number and count > _AT_ONCE:
                break
            number += 1
        some, self._waiting = self._waiting[:number], self._waiting[number:]
        return some
