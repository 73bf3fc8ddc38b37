"""OpenSSL's own limit, and what one message costs where many are streamed."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.render.case import Unavailable
from benchmarks.render.keys import SIGNER
from benchmarks.render.ours import signed
from benchmarks.render.receipt import AT, Order, message, order, renderer
from vero_deliver import Message, Renderer

ROUNDS, POOL = 5, 2_000  # runs with one and with two processes, in turns; orders made beforehand
LEAD, COUNTED = 2_000, 6_000  # results before the clock starts, and while it runs
STATUS, STATM = Path("/proc/self/status"), Path("/proc/self/statm")
REPORTS = 50  # lines of progress


def openssl() -> tuple[str, float]:
    """`openssl speed rsa2048`: its version, and microseconds of one private operation."""
    binary = shutil.which("openssl")
    if not binary:
        raise Unavailable("there is no openssl binary")
    command = [binary, "speed", "-mr", "-seconds", "1", "rsa2048"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # +F2:<index>:<bits>:<signatures a second>:<verifications a second>
    found = [line for line in done.stdout.splitlines() if line.startswith("+F2:")]
    if not found:
        raise Unavailable("this openssl has no `speed -mr -seconds 1 rsa2048`")
    version = subprocess.run([binary, "version"], capture_output=True, text=True, check=True).stdout
    return " ".join(version.split()[:2]), 1_000_000 / float(found[0].split(":")[3])


def two_processes() -> float:
    """Signed messages a second by two processes, as a multiple of one's; wall time."""
    made, receipt = renderer(), message()
    pool = [about(order(number)) for number in range(POOL)]
    ratios = []
    for _ in range(ROUNDS):
        one, two = (_rate(made, receipt, pool, processes) for processes in (1, 2))
        ratios.append(two / one)
    return median(ratios)


def about(each: Order) -> tuple[Any, dict[str, Any]]:
    """A user, and what the message is about: what render_many takes."""
    return each.user, {"data": each.data, "key": each.key}


def _rate(made: Renderer, receipt: Message, pool: list[Any], processes: int) -> float:
    """Both ends of the count lie within the stream: what is on its way counts at neither."""
    results = stream(made, receipt, cycle(pool), processes)
    for _ in islice(results, LEAD):
        pass
    started = time.perf_counter()
    for _ in islice(results, COUNTED):
        pass
    seconds = time.perf_counter() - started
    results.close()
    return COUNTED / seconds


def stream(made: Renderer, receipt: Message, users: Iterable[Any], processes: int) -> Any:
    """Signed messages as `render_many` gives them. Raises Unavailable."""
    render_many: Callable[..., Iterator[Any]] | None = getattr(made, "render_many", None)
    if render_many is None:
        raise Unavailable("this version has no render_many")
    return render_many(receipt, users, processes=processes, signers=[SIGNER], now=AT)


def memory(count: int) -> float:
    """Peak resident MB after so many messages streamed from a generator into nothing."""
    users = (about(order(number)) for number in range(count))
    step, size = max(count // REPORTS, 1), 0
    started = time.monotonic()
    for done, result in enumerate(_one_by_one(users), 1):
        size += len(result)
        if done % step == 0:
            seconds = time.monotonic() - started
            print(
                f"{done:>11,} messages {size / 1e9:7.2f} GB {seconds:6.0f} s   resident "
                f"{resident():.1f} MB, at most {peak():.1f} MB",
                file=sys.stderr,
            )
    return peak()


def _one_by_one(users: Iterable[Any]) -> Iterator[bytes]:
    made, receipt = renderer(), message()
    try:
        results = stream(made, receipt, users, 1)
    except Unavailable as missing:
        print(f"{missing}: render() instead", file=sys.stderr)
        render: Any = made.render
        for user, rest in users:
            yield signed(render(receipt, user, "email", now=AT, **rest), rest["key"])
        return
    for result in results:
        yield signed(result.rendered, result.key)


def peak() -> float:
    """MB. Linux hands ru_maxrss on through exec, so that a child would tell its parent's peak."""
    if STATUS.exists():
        [line] = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1_000_000
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1_000_000


def resident() -> float:
    """MB at this moment, where the system tells; else the peak."""
    if not STATM.exists():
        return peak()
    return int(STATM.read_text().split()[1]) * resource.getpagesize() / 1_000_000
