"""A worker hands over in one call what a provider takes so, and files each outcome by itself."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from http_server import Answer, Asked, serving
from promising import ADA, NEWS

from vero_channels.email.postmark import Postmark
from vero_channels.email.resend import Resend
from vero_deliver import Deliverer, Outbox, Receipt, RenderedSms, Worker
from vero_deliver.desk.batched import Batched, batched
from vero_deliver.errors import DeliveryError, Refused
from vero_deliver.testing import sample_sms

pytestmark = pytest.mark.anyio

MANY = 64


def postmark(asked: Asked) -> Answer:
    """As Postmark: one object for each; number 7 is not taken."""
    mails = asked.json if asked.path == "/email/batch" else [asked.json]
    said = [_said(mail["Subject"]) for mail in mails]
    return Answer(json=said if asked.path == "/email/batch" else said[0])


def _said(subject: str) -> dict[str, Any]:
    if subject == "Number 7":
        return {"ErrorCode": 300, "Message": "Invalid email request"}
    return {"ErrorCode": 0, "Message": "OK", "MessageID": f"id of {subject}"}


async def promise(deliverer: Deliverer) -> None:
    for n in range(MANY):
        await deliverer.enqueue(NEWS, ADA, key=f"k{n}", contents=["email"], data={"n": n})


async def test_few_calls_and_an_outcome_each(outbox: Outbox) -> None:
    """Every message arrives once, in a fraction of the calls; one is refused, for itself alone."""
    async with serving(postmark) as server:
        channel = Postmark("secret", base_url=server.url)
        async with Deliverer(email=channel, outbox=outbox) as deliverer:
            await promise(deliverer)
            await Worker(deliverer, concurrency=16).run(drain=True)
        mails = [mail["Subject"] for asked in server.asked for mail in _mails(asked)]
        assert len(server.asked) <= MANY / 4
    assert Counter(mails) == Counter(f"Number {n}" for n in range(MANY))
    assert outbox.count() == {"accepted": MANY - 1, "refused": 1}
    for n in (0, 63):
        record = outbox.get(f"k{n}-email")
        assert record
        assert record.provider_id == f"id of Number {n}"
    refused = outbox.get("k7-email")
    assert refused
    assert (refused.state, refused.code) == ("refused", "300")


def _mails(asked: Asked) -> list[Any]:
    return asked.json if isinstance(asked.json, list) else [asked.json]


async def test_a_call_without_an_answer_is_doubt_of_each(outbox: Outbox) -> None:
    """None of its messages goes again."""
    async with serving(lambda _: Answer(close="now")) as server:
        channel = Postmark("secret", base_url=server.url)
        async with Deliverer(email=channel, outbox=outbox) as deliverer:
            await promise(deliverer)
            await Worker(deliverer, concurrency=16).run(drain=True)
        tried = [mail["Subject"] for asked in server.asked for mail in _mails(asked)]
    assert max(Counter(tried).values()) == 1
    assert outbox.count()["uncertain"] == len(tried)
    assert set(outbox.count()) <= {"uncertain", "queued", "deferred"}


async def test_an_idempotent_channel_gets_each_alone(outbox: Outbox) -> None:
    """For its key promises nothing of a call of many."""

    def resend(asked: Asked) -> Answer:
        return Answer(json={"id": asked.headers["idempotency-key"]})

    async with serving(resend) as server:
        channel = Resend("secret", base_url=server.url)
        async with Deliverer(email=channel, outbox=outbox) as deliverer:
            await promise(deliverer)
            await Worker(deliverer, concurrency=16).run(drain=True)
        assert Counter(asked.path for asked in server.asked) == {"/emails": MANY}


class Fake:
    """Keeps its calls; breaks where told to; answers when told to."""

    name, idempotent = "fake", False

    def __init__(self, *outcomes: Receipt | DeliveryError) -> None:
        self.outcomes = list(outcomes)
        self.calls: list[list[str]] = []
        self.go = asyncio.Event()

    async def send(self, rendered: RenderedSms, key: str) -> Receipt:
        raise AssertionError("one by one")

    async def send_many(
        self, batch: Sequence[tuple[RenderedSms, str]]
    ) -> list[Receipt | DeliveryError]:
        self.calls.append([key for _, key in batch])
        await self.go.wait()
        return self.outcomes

    async def aclose(self) -> None:
        """Nothing to close."""


async def test_one_that_is_cancelled_before_the_call_is_not_in_it() -> None:
    """Nobody would file what became of it."""
    fake = Fake(Receipt("fake", "1", datetime.now(UTC)))
    together = Batched(fake)
    first, second = (asyncio.ensure_future(together.send(sample_sms(), k)) for k in "ab")
    asyncio.get_running_loop().call_soon(first.cancel)
    fake.go.set()
    assert (await second).provider_id == "1"
    assert first.cancelled()
    assert fake.calls == [["b"]]


async def test_outcomes_that_are_not_one_each_are_nobodys() -> None:
    """The desk files doubt for an error that is no DeliveryError."""
    fake = Fake(Refused("no", channel="fake"))
    fake.go.set()
    both = [Batched(fake).send(sample_sms(), "a"), batched(fake).send(sample_sms(), "b")]
    with pytest.raises(Refused):
        await both[0]
    together = batched(fake)
    both = [both[1], together.send(sample_sms(), "c"), together.send(sample_sms(), "d")]
    found = await asyncio.gather(*both, return_exceptions=True)
    assert [type(one) for one in found] == [Refused, ValueError, ValueError]
