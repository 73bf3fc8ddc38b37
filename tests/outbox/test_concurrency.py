"""Threads of several processes at one outbox: a key is recorded once, and leased to one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from promising import NEWS, order
from racing import MANY, add, take

from vero_deliver import Outbox

PROCESSES = 2


def everywhere(work: Callable[[str, int], list[str]], url: str) -> list[str]:
    """What all processes say together, which begin at different keys."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context) as pool:
        starts = [n * MANY // 7 for n in range(PROCESSES)]
        said = pool.map(work, [url] * PROCESSES, starts)
        return [key for one in said for key in one]


def test_a_key_is_new_to_one(outbox: Outbox, database: str) -> None:
    """Six threads record the same keys: each key is new to just one of them."""
    new = everywhere(add, database)
    assert sorted(new) == sorted(f"k{n}" for n in range(MANY))
    assert outbox.count() == {"queued": MANY}


def test_a_delivery_is_leased_to_one(outbox: Outbox, database: str) -> None:
    """Six threads lease until nothing is left: each delivery is handed over by just one of them."""
    outbox.add(NEWS, [order(outbox, f"k{n}") for n in range(MANY)])
    taken = everywhere(take, database)
    assert sorted(taken) == sorted(f"k{n}" for n in range(MANY))
