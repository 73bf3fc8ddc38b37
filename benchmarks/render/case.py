"""One row of the table, and how rows are timed: in turns, so that noise falls on all alike."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from statistics import median
from types import ModuleType
from typing import Any, Literal

from benchmarks.node import Unavailable as Unavailable
from benchmarks.render.receipt import Order, order

# a signed message, a message, an HTML body, or nothing that is about an order
Gives = Literal["signed", "message", "html", "nothing"]


@dataclass(frozen=True)
class Case:
    """One implementation.

    covers: what is done for each message. base: the row that this one is a multiple of.
    run: the work, of an order that `prepare` made ready before the clock starts.
    calls: messages in one round.
    batch: runs a round elsewhere and gives its CPU microseconds a message (node).
    """

    name: str
    covers: str
    run: Callable[[Any], object]
    base: str = ""
    gives: Gives = "signed"
    calls: int = 1
    prepare: Callable[[Order], object] = lambda order: order
    batch: Callable[[], float] | None = None


def module(name: str, package: str) -> ModuleType:
    """An import that may be missing. Raises Unavailable."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Unavailable(f"{package} is not installed") from None


def measure(cases: Sequence[Case], rounds: int) -> dict[str, float]:
    """Median CPU microseconds of one message, for each case."""
    numbers = count()
    for case in cases:
        _round(case, numbers)
    times: dict[str, list[float]] = {case.name: [] for case in cases}
    for turn in range(rounds):
        for case in cases:
            # what takes milliseconds takes fewer turns: its spread is small beside its ratio
            if case.calls > 1 or turn % 3 == 0:
                times[case.name].append(_round(case, numbers))
    return {name: median(runs) for name, runs in times.items()}


def _round(case: Case, numbers: Iterator[int]) -> float:
    """Microseconds a message. No order comes twice: a cache of values gains nothing unearned."""
    if case.batch:
        return case.batch()
    ready = [case.prepare(order(number)) for number in islice(numbers, case.calls)]
    return cpu_per_call(case.run, ready)


def cpu_per_call(run: Callable[[Any], object], ready: Sequence[Any]) -> float:
    """Microseconds of CPU time."""
    started = time.process_time()
    for each in ready:
        run(each)
    return (time.process_time() - started) * 1_000_000 / len(ready)
