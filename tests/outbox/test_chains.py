"""Only the first content that reaches the user, while several workers are at its devices."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from promising import NEWS, order

from vero_deliver import Outbox
from vero_deliver.outbox.records import Leased, Result, Start


def test_devices_that_end_together_lock_nobody_out(outbox: Outbox, database: str) -> None:
    """Two workers end the devices of the same sends, in opposite order, and none has to repeat."""
    many, workers = 30, [Outbox(database), Outbox(database)]
    for n in range(many):
        devices = [order(outbox, f"{n}-{d}", send_key=f"s{n}", rank=0) for d in range(2)]
        outbox.add(NEWS, [*devices, order(outbox, f"{n}-last", send_key=f"s{n}", rank=1)])
    leased = {one.key: one for one in outbox.claim(["sms"], 10 * many)}
    barrier = Barrier(2)

    def end(own: Outbox, device: int) -> None:
        for n in range(0, many, 2):
            pair = [leased[f"{n}-{device}"], leased[f"{n + 1}-{1 - device}"]]
            barrier.wait(10)
            own.file([Start(one, "c", repeatable=False) for one in pair], [])
            barrier.wait(10)
            own.file([], [gone(own, one) for one in pair])

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(end, own, device) for device, own in enumerate(workers)]:
            done.result()
    assert outbox.count() == {"gone": 2 * many, "queued": many}
    assert len(outbox.claim(["sms"], 10 * many)) == many, "the last ones may go"
    for own in workers:
        own.close()


def gone(outbox: Outbox, leased: Leased) -> Result:
    now = outbox.now()
    return Result(leased=leased, state="gone", ended_at=now, started_at=now, channel="c")
