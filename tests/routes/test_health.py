"""Circuits: when they open, for how long, and how they close."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from scripted_channel import Scripted

from vero_deliver.channel import Receipt
from vero_deliver.errors import Deferred, DeliveryError, Misconfigured
from vero_deliver.routes import Admission, Circuits, Failover, RoundRobin, Shut, Throttled
from vero_deliver.routes.guard import Guarded
from vero_deliver.routes.health import CIRCUITS, Verdict
from vero_deliver.testing import sample_sms

pytestmark = pytest.mark.anyio


class Clock:
    """Stands still until told."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def circuits(clock: Clock, jitter: float = 0.0) -> Circuits:
    return Circuits(failures=3, cooldown=10, longest=35, misconfigured=60, clock=clock,
                    random=lambda: jitter)  # fmt: skip


async def happens(health: Circuits, *verdicts: Verdict) -> None:
    """These one after another, to the channel "c"."""
    for verdict in verdicts:
        admission = await health.admit("c")
        assert isinstance(admission, Admission), f"{verdict}: {admission}"
        await health.settle(admission, verdict, "words")


async def wait_of(health: Circuits) -> float:
    """How long the circuit of "c" stays open; 0.0 where it is not."""
    shut = await health.shut("c")
    return shut.wait if shut else 0.0


async def test_failures_in_a_row_open() -> None:
    """A success between them starts the count anew."""
    health = circuits(Clock())
    await happens(health, "failed", "failed", "works", "failed", "failed")
    assert await wait_of(health) == 0
    await happens(health, "failed")
    assert await health.admit("c") == Shut(10.0, "words")


async def test_misconfigured_opens_at_once_and_longer() -> None:
    """Nobody tries a wrong password again and again."""
    health = circuits(Clock())
    await happens(health, "misconfigured")
    assert await health.admit("c") == Shut(60.0, "words", misconfigured=True)


async def test_half_open_lets_one_probe_through() -> None:
    """Exactly one of many that come when the time is over; its success lets all through."""
    clock = Clock()
    health = circuits(clock)
    await happens(health, "failed", "failed", "failed")
    clock.now += 10
    admitted = [await health.admit("c") for _ in range(20)]
    [probe] = [one for one in admitted if isinstance(one, Admission)]
    await health.settle(probe, "works")
    assert isinstance(await health.admit("c"), Admission)
    await happens(health, "failed", "failed")
    assert await wait_of(health) == 0, "the count did not start anew"


async def test_one_probe_among_threads() -> None:
    """The blocking facade has a thread for each deliverer; they share what is known."""
    clock = Clock()
    health = circuits(clock)
    await happens(health, "failed", "failed", "failed")
    clock.now += 10
    with ThreadPoolExecutor(8) as pool:
        admitted = list(pool.map(lambda _: asyncio.run(health.admit("c")), range(64)))
    assert sum(isinstance(one, Admission) for one in admitted) == 1


async def test_failed_probes_open_for_longer() -> None:
    """Twice as long each time, up to the longest; a success makes the next opening short."""
    clock = Clock()
    health = circuits(clock)
    await happens(health, "failed", "failed", "failed")
    for seconds in (20, 35, 35):
        clock.now += await wait_of(health)
        await happens(health, "failed")
        assert await wait_of(health) == seconds
    clock.now += 35
    await happens(health, "works", "failed", "failed", "failed")
    assert await wait_of(health) == 10


async def test_jitter_is_up_to_a_quarter() -> None:
    """Random numbers from 0 to 1 make 10 to 12.5 seconds."""
    health = circuits(Clock(), jitter=1.0)
    await happens(health, "failed", "failed", "failed")
    assert await wait_of(health) == 12.5


async def test_a_probe_that_tells_nothing_makes_room_for_another() -> None:
    """As when it was cancelled."""
    clock = Clock()
    health = circuits(clock)
    await happens(health, "failed", "failed", "failed")
    clock.now += 10
    await happens(health, "unknown", "works")
    assert await wait_of(health) == 0


@pytest.mark.parametrize("late", ["works", "failed", "misconfigured"])
async def test_news_from_before_the_circuit_opened_is_old(late: Verdict) -> None:
    """A send that began earlier and ends later neither closes nor prolongs."""
    health = circuits(Clock())
    slow = await health.admit("c")
    assert isinstance(slow, Admission)
    await happens(health, "failed", "failed", "failed")
    await health.settle(slow, late)
    assert await health.admit("c") == Shut(10.0, "words")


@pytest.mark.parametrize(
    ("word", "opens"),
    [("deferred", True), ("uncertain", True), ("misconfigured", True), ("refused", False),
     ("gone", False), ("ok", False), ("greylisted", False)],
)  # fmt: skip
async def test_what_counts_as_a_failure(word: str, opens: bool) -> None:
    """No answer and "not now" do; a refusal is an answer, and so is "not now" of one mailbox."""
    health = circuits(Clock())
    route = Throttled(Scripted("c", [word] * 3), health=health)
    for number in range(3):
        with suppress(DeliveryError):
            await route.send(sample_sms(), f"key-{number}")
    assert (await health.shut("c") is not None) == opens


async def test_routes_share_what_they_know() -> None:
    """A channel that failed in one route is not tried in another that names it."""
    health = circuits(Clock())
    first, second = Scripted("c", ["misconfigured"]), Scripted("c")
    await Failover([first, Scripted("d")], health=health).send(sample_sms(), "key-1")
    receipt = await RoundRobin([second, Scripted("e")], health=health).send(sample_sms(), "key-2")
    assert (receipt.channel, second.log) == ("e", [])


async def test_routes_of_a_process_share_without_being_told() -> None:
    """Where no health is given it is the process's own, by the channel's name."""
    name = "only-in-this-test"
    with pytest.raises(Misconfigured):
        await Failover([Scripted(name, ["misconfigured"])]).send(sample_sms(), "key-1")
    assert await CIRCUITS.shut(name)
    with pytest.raises(Misconfigured, match=r"not tried: unhealthy for \d+ s more, after"):
        await Throttled(Scripted(name), rate="1/s").send(sample_sms(), "key-2")


async def test_a_cancelled_probe_is_no_failure() -> None:
    """The send that comes after it is the next probe."""
    clock = Clock()
    health = circuits(clock)
    channel = Scripted("c", ["misconfigured", "hang"])
    route = Failover([channel], health=health)
    with pytest.raises(Misconfigured):
        await route.send(sample_sms(), "key-1")
    clock.now += 60
    probe = asyncio.create_task(route.send(sample_sms(), "key-2"))
    await channel.hanging.wait()
    with pytest.raises(Misconfigured, match="not tried"):
        await route.send(sample_sms(), "key-3")
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    assert isinstance(await route.send(sample_sms(), "key-4"), Receipt)


async def test_the_reason_names_no_address() -> None:
    """A refusal may; it is shown in errors about other people's messages."""
    health = circuits(Clock())
    channel = Scripted("c", ["deferred"] * 3)
    route = Throttled(channel, health=health)
    for number in range(3):
        with pytest.raises(Deferred, match="deferred words"):
            await route.send(sample_sms(), f"key-{number}")
    with pytest.raises(Deferred) as caught:
        await route.send(sample_sms(), "key-4")
    words = "c: not tried: unhealthy for 10 s more, after Deferred: 4.5.6"
    assert (str(caught.value), caught.value.retry_after) == (words, 10.0)


@pytest.mark.parametrize("personal", [True, False])
async def test_a_host_that_the_recipient_chose_shuts_nothing(personal: bool) -> None:
    """Anybody may register an address that never answers; others get theirs all the same."""
    script = ["greylisted", "strange"] if personal else ["deferred", "uncertain"]
    health = circuits(Clock())
    route = Guarded(Scripted("hooks", script * 5), health)
    for _ in range(10):
        with suppress(DeliveryError):
            await route.send(sample_sms(), "k")
    assert (await health.shut("hooks") is None) is personal
