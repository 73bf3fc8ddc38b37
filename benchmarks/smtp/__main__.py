"""How fast ready messages are handed over: `python -m benchmarks.smtp [--json] [--rounds N]`."""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks import node
from benchmarks.smtp.clients import (
    MESSAGE,
    MODES,
    Client,
    Speed,
    by_aiosmtplib,
    by_nodemailer,
    told,
    vero,
)


@dataclass(frozen=True)
class Line:
    """What lies between client and sink, and how many messages make a round of each client."""

    name: str
    connections: int
    delay: float  # seconds
    messages: dict[str, int]


CLIENTS = (*(f"vero_{mode}" for mode in MODES), "aiosmtplib", "nodemailer")
LINES = (
    Line("loopback_c4", 4, 0.0, dict.fromkeys(CLIENTS, 2000)),
    # about two seconds, each
    Line("wan_20ms_c1", 1, 0.02, dict(zip(CLIENTS, (48, 96, 720, 24, 45), strict=True))),
)
# what is asked: figure of a line, of the first client, at least so many times that of the second
ASKED = (
    ("loopback_c4", "per_s", "vero_cross", "aiosmtplib", 4.0),
    ("loopback_c4", "per_s", "vero_cross", "nodemailer", 3.0),
    ("loopback_c4", "cpu_us", "aiosmtplib", "vero_cross", 5.0),
    ("wan_20ms_c1", "per_s", "vero_cross", "nodemailer", 1.9),
    ("wan_20ms_c1", "per_s", "vero_bdat", "nodemailer", 10.0),
)
SINK = "a process of our own, in Python, with PIPELINING and CHUNKING"


@contextmanager
def sink(delay: float) -> Iterator[int]:
    """The port of a sink that runs until the block ends."""
    command = [sys.executable, "-m", "benchmarks.smtp.sink", str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


async def measure(line: Line, rounds: int, process: node.Process | None) -> dict[str, Any]:
    """Medians of each client's rounds; the clients take turns, so that noise falls on all."""
    async with AsyncExitStack() as stack:
        port = stack.enter_context(sink(line.delay))
        clients: dict[str, Client] = {}
        for mode in MODES:
            ours = vero(mode, port, line.connections)
            clients[f"vero_{mode}"] = await stack.enter_async_context(ours)
        peer = by_aiosmtplib(port, line.connections)
        clients["aiosmtplib"] = await stack.enter_async_context(peer)
        if process:
            clients["nodemailer"] = by_nodemailer(process, port, line.connections)
        speeds: dict[str, list[Speed]] = {name: [] for name in clients}
        for turn in range(rounds + 1):
            for name, client in clients.items():
                speed = await client(line.messages[name])
                if turn:  # the first one warms up
                    speeds[name].append(speed)
    return {name: asdict(middle(speeds[name])) for name in speeds}


def middle(speeds: list[Speed]) -> Speed:
    """The medians."""
    return Speed(median(s.per_s for s in speeds), median(s.cpu_us for s in speeds))


def run(rounds: int) -> dict[str, Any]:
    """Every line, and how the clients compare."""
    found: dict[str, Any] = {}
    missing = ""
    with ExitStack() as stack:
        process = None
        try:
            process = told(stack.enter_context(node.peer("smtp.mjs", "nodemailer")))
        except node.Unavailable as error:
            missing = str(error)
        for line in LINES:
            found[line.name] = asyncio.run(measure(line, rounds, process))
    if missing:
        for line in LINES:
            found[line.name]["nodemailer"] = {"per_s": None, "cpu_us": None, "note": missing}
    return {**found, "ratios": list(ratios(found)), "sink": SINK, "bytes": len(MESSAGE)}


def ratios(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is asked, and what was found."""
    for line, figure, first, second, asked in ASKED:
        above, below = found[line][first][figure], found[line][second][figure]
        value = above / below if above and below else None
        name = f"{line} {figure} {first} / {second}"
        yield {"name": name, "ratio": value, "asked": asked}


def table(found: dict[str, Any]) -> Iterator[str]:
    """Lines for people."""
    for line in LINES:
        yield f"{line.name:20}{'messages/s':>12}{'CPU us each':>14}"
        for name, speed in found[line.name].items():
            if speed["per_s"] is None:
                yield f"{name:20}{'-':>12}{'-':>14}  {speed['note']}"
            else:
                yield f"{name:20}{speed['per_s']:12.0f}{speed['cpu_us']:14.0f}"
        yield ""
    for row in found["ratios"]:
        shown = "-" if row["ratio"] is None else f"{row['ratio']:.1f}"
        yield f"{row['name']:58}{shown:>6}  asked {row['asked']:g}"
    yield f"{found['bytes']} bytes a message; sink: {found['sink']}"


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.smtp", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each client (default 5)")
    asked = parser.parse_args()
    found = run(asked.rounds)
    print(json.dumps(found, indent=2) if asked.json else "\n".join(table(found)))


if __name__ == "__main__":
    main()
