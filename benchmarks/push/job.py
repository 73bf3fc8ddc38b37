"""What every client does: so many pushes, so many in flight, over one TLS connection."""

from __future__ import annotations

import asyncio
import json
import resource
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

TITLE, BODY = "Hello", "x" * 150
TOPIC, KEY_ID, TEAM_ID, PROJECT = "com.example.shop", "ABC123DEFG", "DEF123GHIJ", "shop-1a2b3"


@dataclass(frozen=True, slots=True)
class Job:
    """What one process has to do. folder: ca.pem, apns.p8 and account.json are there.
    restless: the server goes away now and then."""

    service: str
    client: str
    port: int
    count: int
    flight: int
    folder: str
    restless: bool = False

    @property
    def path(self) -> Path:
        return Path(self.folder)

    def command(self) -> str:
        """As the arguments of a process."""
        return json.dumps(asdict(self))


def token(number: int) -> str:
    """A device's token, of APNs."""
    return f"{number * 7919:064x}"


class Clock:
    """Wall and CPU time since it was made, its children's CPU included."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), _cpu()

    def stopped(self, job: Job, accepted: int) -> dict[str, Any]:
        """What came of the job."""
        wall, cpu = time.perf_counter() - self._wall, _cpu() - self._cpu
        return {
            "per_s": job.count / wall,
            "cpu_us": cpu / job.count * 1e6,
            "accepted": accepted,
        }


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


async def in_flight(job: Job, send: Callable[[int], Awaitable[bool]]) -> dict[str, Any]:
    """Send the job's pushes, counted from 1; number 0 warms up. `send` says what was accepted."""
    await send(0)
    numbers, accepted = iter(range(1, job.count + 1)), 0

    async def worker() -> None:
        nonlocal accepted
        for number in numbers:
            taken = await send(number)  # not added at once: others add while this one waits
            accepted += taken

    clock = Clock()
    await asyncio.gather(*(worker() for _ in range(job.flight)))
    return clock.stopped(job, accepted)
