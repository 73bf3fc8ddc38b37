"""The content that a user prefers, and another one where it is not delivered in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from promising import NEWS, Clock, states
from telling import told

from vero_channels.memory import Memory
from vero_deliver import Deliverer, Outbox, User, Worker
from vero_deliver.errors import DataError, Deferred, Gone, Refused, Uncertain

pytestmark = pytest.mark.anyio

BOTH: Any = {"contents": ["email", "sms"], "data": {"n": 1}, "key": "k"}
WAIT: Any = BOTH | {"choose": "first", "fallback_after": timedelta(minutes=10)}


def ada(**attributes: Any) -> User:
    return User(id="u1", email="ada@example.org", phone="+420601000001", attributes=attributes)


@pytest.mark.parametrize(
    ("preferred", "first"),
    [(["sms"], "sms"), ("sms, email", "sms"), (["push"], "email"), ("", "email"), (None, "email")],
)
async def test_what_the_user_prefers_goes_first(
    outbox: Outbox, preferred: object, first: str
) -> None:
    """With an outbox or without; what the message does not have is passed over."""
    for more in ({}, {"outbox": outbox}):
        memory = Memory()
        deliverer = Deliverer(sms=memory, email=memory, **more)  # type: ignore[arg-type]
        await deliverer.send(NEWS, ada(preferred=preferred), choose="preferred", **BOTH)
        assert [sent.key for sent in memory.sent] == [f"k-{first}"]


async def test_the_others_follow(outbox: Outbox) -> None:
    """Where the preferred one does not reach the user."""
    sms, email = Memory(), Memory()
    sms.fail(Gone("no such number", channel="memory"))
    deliverer = Deliverer(sms=sms, email=email, outbox=outbox)
    sent = await deliverer.send(NEWS, ada(preferred="sms"), choose="preferred", **BOTH)
    assert [(one.content, one.state) for one in sent] == [("sms", "gone"), ("email", "accepted")]


async def test_a_preference_that_is_none_is_the_datas_fault(outbox: Outbox) -> None:
    """Told as an outcome of each content, with or without an outbox."""
    for more in ({}, {"outbox": outbox}):
        deliverer = Deliverer(sms=Memory(), email=Memory(), **more)  # type: ignore[arg-type]
        sent = await deliverer.send(NEWS, ada(preferred=5), choose="preferred", **BOTH)
        assert states(sent) == ["unrendered"] * 2
        assert "user.preferred" in sent[0].detail
        assert isinstance(sent[0].outcome, DataError)


class Fallback:
    """An outbox whose clock is ours, and a worker that sends email first, then sms."""

    def __init__(self, outbox: Outbox) -> None:
        self.clock = Clock()
        self.outbox = Outbox(outbox.database.engine, clock=self.clock)
        self.email, self.sms = Memory(name="email"), Memory(name="sms")
        self.deliverer = Deliverer(email=self.email, sms=self.sms, outbox=self.outbox)

    async def work(self, minutes: float = 0) -> list[str | None]:
        """States of email and sms, after so long and what a worker makes of it."""
        self.clock.now += 60 * minutes
        await Worker(self.deliverer).run(drain=True)
        found = self.outbox.find(["k-email", "k-sms"])
        return [found[key].state for key in ("k-email", "k-sms")]


@pytest.fixture
def fallback(outbox: Outbox) -> Fallback:
    return Fallback(outbox)


async def test_no_delivery_in_time(fallback: Fallback) -> None:
    """The next content goes once the time is over, and not before."""
    await fallback.deliverer.enqueue(NEWS, ada(), **WAIT)
    assert await fallback.work() == ["accepted", "queued"]
    assert await fallback.work(9) == ["accepted", "queued"]
    assert await fallback.work(2) == ["accepted", "accepted"]


@pytest.mark.parametrize("kind", ["delivered", "opened", "clicked", "complained"])
async def test_a_delivery_in_time(fallback: Fallback, kind: Any) -> None:
    """Whatever shows that it arrived calls the next one off."""
    await fallback.deliverer.enqueue(NEWS, ada(), **WAIT)
    await fallback.work()
    fallback.outbox.feedback.take([told(kind, key="k-email")])
    assert (await fallback.work(20))[1] == "cancelled"
    assert not fallback.sms.sent


async def test_a_bounce_does_not_wait(fallback: Fallback) -> None:
    """The next one goes at once."""
    await fallback.deliverer.enqueue(NEWS, ada(), **WAIT)
    await fallback.work()
    fallback.outbox.feedback.take([told("bounced", key="k-email")])
    assert await fallback.work() == ["bounced", "accepted"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Refused("spam", channel="email"), ["refused", "accepted"]),
        (Gone("nobody", channel="email"), ["gone", "accepted"]),
        (Deferred("busy", channel="email"), ["deferred", "queued"]),
    ],
)
async def test_what_is_not_accepted(
    fallback: Fallback, error: Exception, expected: list[str]
) -> None:
    """Refused for whatever reason: at once. Deferred: it has its time yet."""
    fallback.email.fail(error)  # type: ignore[arg-type]
    await fallback.deliverer.enqueue(NEWS, ada(), **WAIT)
    assert await fallback.work() == expected


async def test_doubt_is_no_delivery(outbox: Outbox, fallback: Fallback) -> None:
    """What may have arrived has its time too."""
    fallback.email = Memory(name="email", idempotent=False)
    fallback.email.fail(Uncertain("silence", channel="email"))
    fallback.deliverer = Deliverer(email=fallback.email, sms=fallback.sms, outbox=fallback.outbox)
    await fallback.deliverer.enqueue(NEWS, ada(), **WAIT)
    assert await fallback.work() == ["uncertain", "queued"]
    assert await fallback.work(11) == ["uncertain", "accepted"]


async def test_a_send_leaves_the_rest_to_a_worker(fallback: Fallback) -> None:
    """Sent again with the same key nothing goes early."""
    for _ in range(2):
        sent = await fallback.deliverer.send(NEWS, ada(), **WAIT)
        assert states(sent) == ["accepted"]
    assert await fallback.work() == ["accepted", "queued"]
    assert await fallback.work(11) == ["accepted", "accepted"]


async def test_it_needs_an_outbox_and_a_choice(outbox: Outbox) -> None:
    """The errors say so."""
    with pytest.raises(TypeError, match="fallback_after needs an outbox"):
        await Deliverer(sms=Memory()).send(NEWS, ada(), **WAIT)
    for wrong in ({"choose": "all"}, {"fallback_after": timedelta(0)}):
        with pytest.raises(TypeError, match="fallback_after is a length of time"):
            await Deliverer(sms=Memory(), outbox=outbox).send(NEWS, ada(), **(WAIT | wrong))
    with pytest.raises(TypeError, match="expected one of 'all', 'first', 'preferred'"):
        await Deliverer(sms=Memory()).send(NEWS, ada(), **(BOTH | {"choose": "best"}))
