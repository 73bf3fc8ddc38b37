"""What several processes, each of several threads, do to one outbox at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from promising import NEWS, order

from vero_deliver import Outbox
from vero_deliver.outbox.records import Start

THREADS = 3
MANY = 300  # keys
BATCH = 20


def add(url: str, first: int) -> list[str]:
    """The keys that were new to this process; it tries all, from somewhere in the middle."""
    return _threads(url, partial(_add, first=first))


def take(url: str, _: int) -> list[str]:
    """The keys that this process leased and may hand over, until nothing is due."""
    return _threads(url, _take)


def _add(outbox: Outbox, thread: int, *, first: int) -> list[str]:
    mine: list[str] = []
    for at in range(0, MANY, BATCH):
        begin = (first + thread * MANY // THREADS + at) % MANY
        keys = [f"k{(begin + n) % MANY}" for n in range(BATCH)]
        # in opposite orders, which must make nobody wait for ever
        keys = keys[::-1] if (thread + first) % 2 else keys
        mine += outbox.add(NEWS, [order(outbox, key) for key in keys])
    return mine


def _take(outbox: Outbox, _: int) -> list[str]:
    mine: list[str] = []
    while leased := outbox.claim(["sms"], BATCH):
        held = outbox.file([Start(one, "c", repeatable=False) for one in leased], []).held
        mine += [one.key for one in leased if (one.id, one.lease) in held]
    return mine


def _threads(url: str, work: Callable[[Outbox, int], list[str]]) -> list[str]:
    outbox = Outbox(url)
    with ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(partial(work, outbox), range(THREADS))
        keys = [key for one in found for key in one]
    outbox.close()
    return keys
