"""What rendering costs: `python -m benchmarks.render [--json] [--memory] [--chart PATH]`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.render import chart, engines, limits, naive, node, ours, parts, report, uncompiled
from benchmarks.render.case import Case, Unavailable, measure, module
from benchmarks.render.check import check
from benchmarks.render.receipt import order
from benchmarks.render.report import Row

MILLION = 1_000_000
CHECKED = 6  # orders that every implementation's output is read back for


def makers() -> Iterator[tuple[str, Callable[[], Case]]]:
    """Every row but the first three and node's, with a name for where it cannot be had."""
    yield ours.EVERY_TIME, ours.every_time
    yield from parts.STOCK.items()
    yield naive.PREMAILER, naive.by_premailer
    yield naive.CSS_INLINE, naive.by_css_inline
    yield ours.TEMPLATE, ours.html_only
    yield from engines.ENGINES.items()
    yield ours.PARTS, ours.mime_only


def gather(stack: ExitStack) -> tuple[list[Case], list[Row]]:
    """The cases, and the rows of those that cannot be had."""
    cases, rows = list(ours.costs()), []
    cases.append(stack.enter_context(uncompiled.peer()))
    for name, make in makers():
        try:
            cases.append(make())
        except Unavailable as missing:
            rows.append(Row(name, note=str(missing)))
    try:
        cases += stack.enter_context(node.peer()).cases()
    except Unavailable as missing:
        rows += [Row(name, note=str(missing)) for name in node.NAMES]
    return cases, rows


def openssl() -> Row:
    """The limit that no signer on this machine can pass."""
    try:
        name, us = limits.openssl()
    except Unavailable as missing:
        return Row("openssl speed rsa2048", note=str(missing))
    return Row("openssl speed rsa2048", name, ours.RSA, us)


def run(rounds: int) -> dict[str, Any]:
    """Everything but memory, checked before it is timed."""
    with ExitStack() as stack:
        cases, missing = gather(stack)
        for case in cases:
            for number in range(CHECKED):
                check(case, order(number))
        times = measure(cases, rounds)
    rows = [Row(case.name, case.covers, case.base, times[case.name]) for case in cases]
    more: dict[str, Any] = {"two_process_speedup": None}
    try:
        more["two_process_speedup"] = limits.two_processes()
    except Unavailable as none:
        missing.append(Row("two processes", note=str(none)))
    return report.document([rows[0], openssl(), *rows[1:], *missing], more)


def memory(count: int) -> float:
    """In a process of its own, so that nothing measured before counts."""
    command = [sys.executable, "-m", "benchmarks.render", "--stream", str(count)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.render", description=__doc__)
    add: Callable[..., object] = parser.add_argument
    add("--json", action="store_true", help="print one JSON object")
    add("--rounds", type=int, default=40, help="turns that each row takes (default 40)")
    add(
        "--memory", type=int, nargs="?", const=MILLION, metavar="COUNT",
        help="stream this many messages as well (default 1,000,000), and tell peak memory",
    )  # fmt: skip
    add("--chart", type=Path, metavar="PATH", help="draw the whole messages as a PNG")
    add("--from", dest="source", type=Path, metavar="JSON", help="show an earlier run's --json")
    add("--stream", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def need_chart() -> None:
    """Said before minutes of measuring, not after them."""
    try:
        module("matplotlib", "matplotlib")
    except Unavailable as missing:
        sys.exit(f"--chart: {missing}; `scripts/venv bench` installs it")


def main() -> None:
    """Print what was asked for."""
    asked = arguments()
    if asked.stream:
        print(limits.memory(asked.stream))
        return
    if asked.chart:
        need_chart()
    found = json.loads(asked.source.read_text()) if asked.source else run(asked.rounds)
    if asked.memory:
        name = "rss_mb_1m" if asked.memory == MILLION else "rss_mb"
        found[name] = memory(asked.memory)
    if asked.chart:
        chart.draw(found, asked.chart)
    write = partial(print, flush=True)
    write(json.dumps(found, indent=2) if asked.json else "\n".join(report.table(found)))


if __name__ == "__main__":
    main()
