"""A worker that is killed at a chosen step: python crashing.py URL PORT LEASE STEP NUMBER

STEP is one of STEPS, "live" for a worker that is not killed. NUMBER: at which passing of the step.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "channels"))

from vero_channels.email.eml import Eml
from vero_channels.email.smtp import Smtp
from vero_deliver import Deliverer, Outbox, Policy, Receipt, RenderedEmail, Worker
from vero_deliver.outbox.records import Filed, Leased, Result, Start

STEPS = ("claimed", "starting", "started", "sending", "sent", "filed")
POLICIES = {
    "once": Policy(first_retry=0.01, longest_retry=0.01),
    "again": Policy(transactional="at_least_once", first_retry=0.01, longest_retry=0.01),
}


class Killer:
    """Kills this process at the `number`th passing of `step`, as kill -9 does."""

    def __init__(self, step: str, number: int) -> None:
        self.step, self.left = step, number

    def passes(self, step: str) -> None:
        if step == self.step:
            self.left -= 1
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


class FatedOutbox(Outbox):
    """An outbox whose process may die before and after its transactions."""

    killer: Killer

    def claim(self, contents: Any, limit: int) -> list[Leased]:
        leased = super().claim(contents, limit)
        if leased:
            self.killer.passes("claimed")
        return leased

    def file(self, starts: Sequence[Start], results: Sequence[Result]) -> Filed:
        if starts:
            self.killer.passes("starting")
        filed = super().file(starts, results)
        if starts:
            self.killer.passes("started")
        if results:
            self.killer.passes("filed")
        return filed


class FatedChannel:
    """A channel whose process may die while it sends, and after the provider has said yes."""

    def __init__(self, channel: Smtp | Eml, killer: Killer) -> None:
        self._channel, self._killer = channel, killer
        self.name, self.idempotent = channel.name, channel.idempotent

    async def send(self, rendered: RenderedEmail, key: str) -> Receipt:
        sending = asyncio.create_task(self._channel.send(rendered, key))
        await asyncio.sleep(0)
        self._killer.passes("sending")
        receipt = await sending
        self._killer.passes("sent")
        return receipt

    async def aclose(self) -> None:
        await self._channel.aclose()


async def main(url: str, target: str, lease: str, policy: str, step: str, number: str) -> None:
    killer = Killer(step, int(number))
    outbox = FatedOutbox(url, lease=float(lease))
    outbox.killer = killer
    channel = Smtp("127.0.0.1", int(target), security="none") if target.isdigit() else Eml(target)
    fated = FatedChannel(channel, killer)
    deliverer = Deliverer(email=fated, outbox=outbox, policy=POLICIES[policy])
    async with deliverer:
        worker = Worker(deliverer, concurrency=8, poll=0.02)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
        await worker.run(drain=step != "live")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
