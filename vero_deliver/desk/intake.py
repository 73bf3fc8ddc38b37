"""Where feedback goes in: whoever reads webhooks or bounces hands it over here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from vero_deliver import observe
from vero_deliver.errors import OutboxError
from vero_deliver.feedback import Feedback
from vero_deliver.outbox.store import Outbox
from vero_deliver.outbox.suppressions import Entry

_Post = tuple[Sequence[Feedback], asyncio.Future[None]]
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
        self._waiting: list[_Post] = []
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
            try:
                await self._keep(some)
            except OutboxError as error:
                _fail(some, error)
            except Exception as error:  # noqa: BLE001  # of whoever waits for it
                if len(some) == 1:
                    _fail(some, error)
                for one in some if len(some) > 1 else ():  # it is one post's: spare the others
                    try:
                        await self._keep([one])
                    except Exception as its_own:  # noqa: BLE001
                        _fail([one], its_own)

    async def _keep(self, some: Sequence[_Post]) -> None:
        told = [one for feedback, _ in some for one in feedback]
        taken = await asyncio.to_thread(self._feedback.take, told)
        for kind, channel, key in taken.new if observe.heard() else ():
            observe.tell_feedback(kind, channel, key)
        if self._learnt is not None and taken.learnt:
            await self._learnt(taken.learnt)
        for _, done in some:
            if not done.done():
                done.set_result(None)

    def _some(self) -> list[_Post]:
        """The first that wait, at least one, and no more than one transaction should have."""
        number, count = 0, 0
        for feedback, _ in self._waiting:
            count += len(feedback)
            if number and count > _AT_ONCE:
                break
            number += 1
        some, self._waiting = self._waiting[:number], self._waiting[number:]
        return some


def _fail(some: Sequence[_Post], error: Exception) -> None:
    for _, done in some:
        if not done.done():
            done.set_exception(error)
