"""One process of workers, one for each line, until it is stopped or killed."""

from __future__ import annotations

import asyncio
import logging
import signal

from benchmarks.chaos.lines import Place, deliverers
from vero_deliver import Worker

CONCURRENCY = 16


def main(place: Place) -> None:
    """Work off every line."""
    logging.basicConfig(level=logging.ERROR, format=f"worker {place.lease}: %(message)s")
    asyncio.run(_work(place))


async def _work(place: Place) -> None:
    own = deliverers(place)
    workers = [Worker(one, concurrency=CONCURRENCY, poll=0.05) for one in own]

    def stop() -> None:
        for worker in workers:
            worker.stop()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    try:
        await asyncio.gather(*(worker.run() for worker in workers))
    finally:
        for deliverer in own:
            await deliverer.aclose()
