"""A worker whose disk is full, and has room again: python full_disk.py DATABASE-FILE

Prints how many were sent while it was full, what the worker was told, and how all stand in the end.
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "channels"))

from promising import queue_many, until

from vero_channels.memory import Memory
from vero_deliver import Deliverer, Outbox, Worker
from vero_deliver.errors import OutboxError

MANY = 200


async def main(file: Path) -> None:
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("vero_deliver").addHandler(handler)
    memory = Memory(idempotent=False)
    outbox = Outbox(f"sqlite:///{file}")
    outbox.create()
    async with Deliverer(sms=memory, outbox=outbox) as deliverer:
        await queue_many(deliverer, MANY)
        worker = Worker(deliverer, concurrency=4, poll=0.05)
        unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
        # nothing may be written beyond that of any file, as on a disk without room
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, unlimited[1]))
        try:
            work = asyncio.create_task(worker.run())
            await until(lambda: told)
            before = len(memory.sent)
            await asyncio.sleep(0.5)
            sent = len(memory.sent) - before
            enqueued = ""
            try:
                await queue_many(deliverer, MANY + 200)
            except OutboxError as error:
                enqueued = str(error)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        await until(lambda: set(outbox.count()) == {"accepted"})
        worker.stop()
        await work
        keys = [one.key for one in memory.sent]
        shown = {
            "while_full": sent, "told": told[0], "enqueue": enqueued, "states": outbox.count(),
            "doubled": len(keys) - len(set(keys)),
        }  # fmt: skip
    print(json.dumps(shown))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
