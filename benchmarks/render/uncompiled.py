"""Ours in a process that leaves out what was compiled: what that gains."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks.node import Process
from benchmarks.render.case import Case, cpu_per_call
from benchmarks.render.keys import DOMAIN, PEM, SELECTOR
from benchmarks.render.ours import OURS, WHOLE, rendering
from benchmarks.render.receipt import Order, message, order, renderer
from vero_deliver import mime

UNCOMPILED = "Vero Deliver without its C"
CALLS = 100


@contextmanager
def peer() -> Iterator[Case]:
    """The row; its process ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", __name__],
        env={**os.environ, "VERO_DELIVER_SPEEDUPS": "off"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as child:
        process = Process(child)
        process.tell(pem=PEM.decode())
        try:
            run, batch = partial(_make, process), partial(process.ask, calls=CALLS)
            yield Case(UNCOMPILED, WHOLE, run, OURS, calls=CALLS, batch=batch)
        finally:
            assert child.stdin
            child.stdin.close()


def _make(process: Process, order: Order) -> bytes:
    number = int(order.context["user"]["id"])
    return base64.b64decode(process.ask(number=number))


def main() -> None:
    """Answer questions until nobody asks."""
    render = rendering(renderer(), message())
    pem = json.loads(sys.stdin.readline())["pem"]
    signers = [mime.Signer(DOMAIN, SELECTOR, pem, canonicalization="relaxed/simple")]
    made = 0

    def run(each: Order) -> bytes:
        return render(each).signed(each.key, signers)

    for line in sys.stdin:
        question: dict[str, Any] = json.loads(line)
        answer: Any
        if "number" in question:
            answer = base64.b64encode(run(order(question["number"]))).decode()
        else:
            orders = [order(made + number) for number in range(question["calls"])]
            made += len(orders)
            answer = cpu_per_call(run, orders)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
