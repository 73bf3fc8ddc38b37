"""What the header block of one push costs: our encoder beside that of the hpack library."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import hpack

from benchmarks.push.job import TOPIC, token
from vero_channels.transport import http2_fields
from vero_channels.transport.http2_fields import Fields, literal

ROUNDS, CALLS = 30, 500
SHARED = [
    ("apns-topic", TOPIC), ("apns-push-type", "alert"), ("apns-priority", "10"),
    ("authorization", f"bearer {'x' * 220}"),
]  # fmt: skip


def ours() -> Callable[[int], bytes]:
    encoder, shared = http2_fields.Encoder(), Fields("api.push.apple.com", SHARED)

    def run(number: int) -> bytes:
        path = literal(":path", f"/3/device/{token(number)}")
        return encoder.block(shared, path, literal("apns-id", f"{number:036x}"))

    return run


def library() -> Callable[[int], bytes]:
    encoder = hpack.Encoder()
    before = [(":method", "POST"), (":scheme", "https"), (":authority", "api.push.apple.com")]

    def run(number: int) -> bytes:
        # neither of the two is put into the table, where it would push out the others
        own = hpack.NeverIndexedHeaderTuple(":path", f"/3/device/{token(number)}")
        last = hpack.NeverIndexedHeaderTuple("apns-id", f"{number:036x}")
        return encoder.encode([*before, own, *SHARED, last], huffman=False)

    return run


def microseconds() -> dict[str, float]:
    """CPU of one block, the median of rounds that take turns."""
    rows = {"ours": ours(), "hpack": library()}
    times: dict[str, list[float]] = {name: [] for name in rows}
    for turn in range(ROUNDS):
        for name, run in rows.items():
            started = time.process_time()
            for number in range(CALLS):
                run(turn * CALLS + number)
            times[name].append((time.process_time() - started) / CALLS * 1e6)
    return {name: median(runs) for name, runs in times.items()}
