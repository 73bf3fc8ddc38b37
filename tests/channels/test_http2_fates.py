"""Every request ends, once: whatever the server does, its log and our count agree."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from push_server import Answer, Asked, Fate, Server, Trouble, client_context, serving

from vero_channels.transport.http2 import Http2Client
from vero_channels.transport.http2_exchange import UnansweredError, UnsentError
from vero_channels.transport.http2_fields import Fields, literal

pytestmark = pytest.mark.anyio

SENDS, FLIGHT = 5_000, 200
FIELDS = Fields("push.example.com", [("apns-topic", "com.example.app"), ("authorization", "b x")])


def accept(asked: Asked) -> Answer:
    return Answer(200, headers={"apns-id": asked.headers["apns-id"]})


@asynccontextmanager
async def client_of(server: Server) -> AsyncIterator[Http2Client]:
    client = Http2Client("127.0.0.1", server.port, context=client_context())
    try:
        yield client
    finally:
        await client.aclose()


async def post(client: Http2Client, number: int, body: bytes = b'{"aps":{}}') -> str:
    """One request; how it ended."""
    path = literal(":path", f"/3/device/{number:064x}")
    try:
        answer = await client.request(FIELDS, path, literal("apns-id", f"id-{number}"), body)
    except UnsentError:
        return "refused"
    except UnansweredError:
        return "uncertain"
    return "accepted" if answer.status == 200 else str(answer.status)


async def post_all(client: Http2Client, count: int, flight: int) -> dict[int, str]:
    numbers, ends = iter(range(count)), {}

    async def worker() -> None:
        for number in numbers:
            assert number not in ends
            ends[number] = await post(client, number)

    await asyncio.gather(*(worker() for _ in range(flight)))
    return ends


def fates(seed: int, **weights: float) -> Callable[[int], Fate]:
    """A fate for each request, by chance."""
    chance = random.Random(seed)
    names: list[Fate] = ["answer", *weights]  # type: ignore[list-item]
    odds = [1 - sum(weights.values()), *weights.values()]
    return lambda number: chance.choices(names, odds)[0]


TROUBLES = {
    "goaway": Trouble(goaway=1_000),
    "one stream": Trouble(streams=1),
    "refused": Trouble(fate=fates(1, refuse=0.1)),
    "reset": Trouble(fate=fates(2, reset=0.05)),
    "killed": Trouble(fate=fates(3, kill=0.002)),
    "half-closed": Trouble(fate=fates(4, half=0.002)),
    "small windows": Trouble(window=7),
    "no table": Trouble(table=0),
    "small table": Trouble(table=90),
    "all at once": Trouble(
        goaway=300, streams=50, fate=fates(5, refuse=0.02, reset=0.01, kill=0.002, half=0.002)
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
async def test_every_request_ends_and_none_arrives_twice(name: str) -> None:
    """5,000 requests: accepted, uncertain and refused are all of them, as the server's log says."""
    trouble = TROUBLES[name]
    async with serving(accept, trouble) as server, client_of(server) as client:
        ends = await post_all(client, SENDS, FLIGHT)
    arrived = Counter(asked.headers["apns-id"] for asked in server.asked)
    assert len(ends) == SENDS
    assert not [key for key, times in arrived.items() if times > 1]
    of = {
        end: {f"id-{number}" for number, found in ends.items() if found == end}
        for end in ("accepted", "uncertain", "refused")
    }
    assert sum(map(len, of.values())) == SENDS
    assert of["accepted"] <= set(arrived)
    assert set(arrived) <= of["accepted"] | of["uncertain"]
    if name in ("reset", "killed", "half-closed", "all at once"):
        assert of["uncertain"]
    else:
        assert len(of["accepted"]) == SENDS
    assert server.most_streams <= trouble.streams


async def test_storm_of_errors_with_bodies_does_not_stop() -> None:
    """5,000 answers with bodies are many times the 65,535 bytes of the default window."""
    dead = Answer(410, {"reason": "Unregistered", "timestamp": 1454402113000})
    async with serving(lambda _: dead) as server, client_of(server) as client:
        ends = await post_all(client, SENDS, FLIGHT)
    assert Counter(ends.values()) == {"410": SENDS}
    assert len(server.asked) == SENDS
