"""A Deliverer with an outbox records first, sends a key once, and says how it stands."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from promising import ADA, NEWS, PATIENT, Clock, states

from vero_channels.memory import Memory
from vero_deliver import (
    Deliverer,
    Message,
    Outbox,
    Policy,
    Push,
    Receipt,
    RenderedSms,
    Sms,
    User,
    Worker,
)
from vero_deliver.channel import Channel
from vero_deliver.errors import (
    DataError,
    Deferred,
    DeliveryError,
    Gone,
    MessageError,
    Misconfigured,
    OutboxError,
    Refused,
    Uncertain,
)
from vero_deliver.sync import Deliverer as BlockingDeliverer
from vero_deliver.user import Device

pytestmark = pytest.mark.anyio


class Unsure:
    """A channel that is not idempotent; it keeps what it gets, and raises what it is told to."""

    name, idempotent = "unsure", False

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.keys: list[str] = []
        self.times: list[datetime] = []

    async def send(self, rendered: RenderedSms, key: str) -> Receipt:
        self.keys.append(key)
        self.times.append(rendered.at)
        if self.errors:
            raise self.errors.pop(0)
        return Receipt(self.name, f"id-{key}", datetime.now(UTC))

    async def aclose(self) -> None:
        """Nothing to close."""


def sms(outbox: Outbox, channel: Channel[RenderedSms], **options: Any) -> Deliverer:
    return Deliverer(sms=channel, outbox=outbox, **options)


async def test_a_key_is_sent_once(outbox: Outbox) -> None:
    """The second send with a key sends nothing and gives the first one's receipt."""
    memory = Unsure()
    deliverer = sms(outbox, memory)
    [first] = await deliverer.send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    [second] = await deliverer.send(NEWS, ADA, contents=["sms"], data={"n": 2}, key="k")
    assert memory.keys == ["k-sms"]
    assert first.receipt
    assert second.receipt
    assert second.receipt.provider_id == first.receipt.provider_id == "id-k-sms"


async def test_what_became_of_it_is_filed(outbox: Outbox) -> None:
    """The record has channel, provider id, digest, times and one attempt."""
    [delivery] = await sms(outbox, Unsure()).send(
        NEWS, ADA, contents=["sms"], data={"n": 1}, key="k"
    )
    record = outbox.get(delivery.key)
    assert record is not None
    assert (record.state, record.channel, record.provider_id) == ("accepted", "unsure", "id-k-sms")
    assert len(record.digest) == 64
    assert record.user_id == "u1"
    assert record.created_at <= record.accepted_at <= record.updated_at  # type: ignore[operator]
    [attempt] = outbox.attempts(delivery.key)
    assert (attempt.number, attempt.state, attempt.provider_id) == (1, "accepted", "id-k-sms")


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Gone("no such number", channel="unsure", code="21211"), "gone"),
        (Refused("no", channel="unsure", code="30003"), "refused"),
        (Deferred("later", channel="unsure", code="429"), "deferred"),
        (Misconfigured("bad key", channel="unsure", code="401"), "deferred"),
        (Uncertain("silence", channel="unsure"), "uncertain"),
        (ValueError("a driver's mistake"), "uncertain"),
    ],
)
async def test_failures_are_filed_by_what_happens_next(
    outbox: Outbox, error: Exception, state: str
) -> None:
    """Each error has its state, with the provider's words; nothing is raised."""
    deliverer = sms(outbox, Unsure(error))
    [delivery] = await deliverer.send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    record = outbox.get("k-sms")
    assert record is not None
    assert record.state == state
    assert (record.next_attempt_at is not None) == (state == "deferred")
    if isinstance(error, DeliveryError):
        assert delivery.outcome is error
        assert (record.error, record.code) == (error.detail, error.code)


async def test_a_deferred_send_may_be_repeated_at_once(outbox: Outbox) -> None:
    """The same key again tries again, with the bytes of the first time."""
    channel = Unsure(Deferred("later", channel="unsure", retry_after=3600))
    deliverer = sms(outbox, channel)
    await deliverer.send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    [second] = await deliverer.send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    assert second.state == "accepted"
    assert channel.times[0] == channel.times[1]
    assert [one.state for one in outbox.attempts("k-sms")] == ["deferred", "accepted"]


async def test_an_uncertain_send_is_not_repeated(outbox: Outbox) -> None:
    """At most once: nothing but a person sends it again."""
    channel = Unsure(Uncertain("silence", channel="unsure"))
    deliverer = sms(outbox, channel)
    for _ in range(2):
        [delivery] = await deliverer.send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
        assert delivery.state == "uncertain"
    assert len(channel.keys) == 1
    assert outbox.retry("k-sms", timedelta(days=1))
    [delivery] = await deliverer.send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    assert delivery.state == "accepted"


async def test_an_idempotent_channel_is_asked_again(outbox: Outbox) -> None:
    """Uncertain on an idempotent channel waits for its repetition."""
    memory = Memory()
    memory.fail(Uncertain("silence", channel="memory"))
    deliverer = sms(outbox, memory, policy=PATIENT)
    await deliverer.send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    record = outbox.get("k-sms")
    assert record is not None
    assert (record.state, record.in_doubt) == ("deferred", True)
    assert [one.state for one in outbox.attempts("k-sms")] == ["uncertain"]
    [delivery] = await deliverer.send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    assert delivery.state == "accepted"
    assert len(memory.sent) == 1


@pytest.mark.parametrize(
    ("hours", "policy", "state"),
    [
        (23.9, Policy(), "accepted"),
        (24, Policy(), "uncertain"),
        (24, Policy(transactional="at_least_once"), "accepted"),
    ],
)
async def test_a_key_that_is_forgotten_is_not_relied_on(
    outbox: Outbox, hours: float, policy: Policy, state: str
) -> None:
    """What is in doubt for longer than its provider keeps keys is not repeated."""
    clock, memory = Clock(), Forgetful()
    memory.fail(Uncertain("silence", channel="memory"))
    own = Outbox(outbox.database.engine, clock=clock)
    deliverer = Deliverer(sms=memory, outbox=own, policy=policy)
    await deliverer.enqueue(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    await Worker(deliverer).run(drain=True)
    clock.now += hours * 3_600
    await Worker(deliverer).run(drain=True)
    record = own.get("k-sms")
    assert record
    assert record.state == state
    assert ("may have forgotten the key" in record.error) == (state == "uncertain")


class Forgetful(Memory):
    """Keeps its keys for a day."""

    idempotency_window = timedelta(days=1)


async def test_a_slow_send_keeps_its_lease(outbox: Outbox) -> None:
    """A provider that takes longer than a lease does not put the delivery in doubt."""

    class Slow(Unsure):
        async def send(self, rendered: RenderedSms, key: str) -> Receipt:
            await asyncio.sleep(1.5)
            return await super().send(rendered, key)

    own = Outbox(outbox.database.engine, lease=0.8)
    send = sms(own, Slow()).send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    sending = asyncio.create_task(send)
    recovered = 0
    while not sending.done():
        recovered += await asyncio.to_thread(outbox.recover)
        await asyncio.sleep(0.1)
    assert recovered == 0
    assert states(await sending) == ["accepted"]


async def test_doubt_does_not_move_to_another_channel(outbox: Outbox) -> None:
    """What one channel may have delivered, another one does not send."""
    memory, other = Memory(), Unsure()
    memory.fail(Uncertain("silence", channel="memory"))
    await sms(outbox, memory).send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    await sms(outbox, other).send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    assert not other.keys
    record = outbox.get("k-sms")
    assert record is not None
    assert record.state == "uncertain"


async def test_first_stops_at_the_first_that_reaches(outbox: Outbox) -> None:
    """Without a phone the sms is skipped and the email sent; with one the email is called off."""
    email, text = Memory(name="email"), Memory(name="sms")
    deliverer = Deliverer(email=email, sms=text, outbox=outbox)
    how: dict[str, Any] = {"contents": ["sms", "email"], "choose": "first", "data": {"n": 1}}
    nobody = User(email="ada@example.org")
    assert states(await deliverer.send(NEWS, nobody, key="a", **how)) == ["skipped", "accepted"]
    assert states(await deliverer.send(NEWS, ADA, key="b", **how)) == ["accepted"]
    assert {r.key: r.state for r in outbox.search(send_key="b")} == {
        "b-sms": "accepted",
        "b-email": "cancelled",
    }
    assert (len(email.sent), len(text.sent)) == (1, 1)


async def test_gone_devices_fall_back() -> None:
    """Where every device is gone the next content goes; one that accepts is enough."""
    push, text = Memory(name="push"), Memory(name="sms")
    message = Message(title="T", push=Push(title="Hi"), sms=Sms(body="Hi"))
    phones = (Device(token="t1", platform="ios"), Device(token="t2", platform="ios"))
    user = User(phone="+420601000001", devices=phones)
    deliverer = Deliverer(push=push, sms=text)
    push.fail(Gone("unregistered", channel="push"), 2)
    both = await deliverer.send(message, user, choose="first")
    assert states(both) == ["gone", "gone", "accepted"]
    push.fail(Gone("unregistered", channel="push"), 1)
    assert states(await deliverer.send(message, user, choose="first", key="2")) == [
        "gone",
        "accepted",
    ]


async def test_gone_devices_fall_back_recorded(outbox: Outbox) -> None:
    """The same with an outbox."""
    push, text = Memory(name="push"), Memory(name="sms")
    message = Message(title="T", push=Push(title="Hi"), sms=Sms(body="Hi"))
    phones = (Device(token="t1", platform="ios"), Device(token="t2", platform="ios"))
    user = User(phone="+420601000001", devices=phones)
    deliverer = Deliverer(push=push, sms=text, outbox=outbox)
    push.fail(Gone("unregistered", channel="push"), 2)
    both = await deliverer.send(message, user, choose="first", key="1")
    assert states(both) == ["gone", "gone", "accepted"]
    push.fail(Gone("unregistered", channel="push"), 1)
    others = (Device(token="t3", platform="ios"), Device(token="t4", platform="ios"))
    user = User(phone="+420601000001", devices=others)
    one = await deliverer.send(message, user, choose="first", key="2")
    assert states(one) == ["gone", "accepted"]
    assert len(text.sent) == 1


async def test_data_comes_back_as_it_was(outbox: Outbox) -> None:
    """Dates, decimals and objects with odd names render as they do without an outbox."""
    body = "{{ d.year }} {{ m * 3 }} {{ t.x['$decimal'] }} {{ u.hour }}"
    message = Message(title="T", sms=Sms(body=body))
    data = {
        "d": datetime(2026, 1, 2, tzinfo=UTC),
        "u": datetime(2026, 1, 2, 12, tzinfo=UTC),
        "m": Decimal("0.10"),
        "t": {"x": {"$decimal": "no number"}},
    }
    plain, kept = Memory(), Memory()
    await Deliverer(sms=plain).send(message, ADA, data=data, key="k")
    await sms(outbox, kept).send(message, ADA, data=data, key="k")
    assert kept.sent[0].rendered.body == plain.sent[0].rendered.body  # type: ignore[union-attr]


async def test_data_that_cannot_be_kept_is_an_outcome(outbox: Outbox) -> None:
    """It is not recorded and not sent, and says where it is; enqueue raises it."""
    deliverer = sms(outbox, Unsure())
    how: dict[str, Any] = {"contents": ["sms"], "data": {"n": [object()]}, "key": "k"}
    [delivery] = await deliverer.send(NEWS, ADA, **how)
    assert delivery.state == "unrendered"
    assert "about.data.n[0]" in delivery.detail
    with pytest.raises(DataError):
        await deliverer.enqueue(NEWS, ADA, **how)
    assert outbox.get("k-sms") is None


@pytest.mark.parametrize("key", ["a\0b", "a\nb", "k" * 501, "lone-\udc80"])
async def test_keys_that_no_index_takes_are_outcomes(outbox: Outbox, key: str) -> None:
    """A key with control characters or 501 characters is refused before anything is sent."""
    channel = Unsure()
    [delivery] = await sms(outbox, channel).send(
        NEWS, ADA, contents=["sms"], data={"n": 1}, key=key
    )
    assert delivery.state == "unrendered"
    assert not channel.keys


async def test_a_user_that_no_index_takes_is_an_outcome(outbox: Outbox) -> None:
    """A hostile id or address is refused before anything is sent."""
    channel = Unsure()
    for user in (User(id="a\0b", phone="+420601000001"), User(email="\udc80@example.org")):
        [delivery] = await sms(outbox, channel).send(NEWS, user, contents=["sms"], data={"n": 1})
        assert delivery.state == "unrendered"
    assert not channel.keys


async def test_any_words_of_a_provider_can_be_filed(outbox: Outbox) -> None:
    """NUL, half a character, megabytes: what cannot be kept as it is is kept without."""
    error = Refused("no\0 \udc80" + "x" * 10**6, channel="unsure", code="5\0")
    await sms(outbox, Unsure(error)).send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    record = outbox.get("k-sms")
    assert record is not None
    assert record.state == "refused"
    assert record.error.startswith("no ?x")
    assert record.code == "5"


async def test_a_broken_message_raises_before_it_is_recorded(outbox: Outbox) -> None:
    """MessageError, as without an outbox."""
    broken = Message(title="T", sms=Sms(body="{{ n"))
    with pytest.raises(MessageError):
        await sms(outbox, Unsure()).send(broken, ADA, key="k")
    assert not outbox.search()


async def test_without_tables_it_says_what_to_do(database: str) -> None:
    """An outbox that was not created names the command."""
    async with sms(Outbox(database), Unsure()) as deliverer:
        with pytest.raises(OutboxError, match="vero-deliver outbox create"):
            await deliverer.send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")


async def test_environments_share_tables_and_nothing_else(outbox: Outbox, database: str) -> None:
    """The same key in another environment is another delivery."""
    other = Outbox(database, env="prod")
    channel = Unsure()
    for own in (outbox, other):
        await sms(own, channel).send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    assert len(channel.keys) == 2
    assert len(outbox.search()) == len(other.search()) == 1
    other.close()


def test_the_blocking_twin_records(outbox: Outbox) -> None:
    """The blocking facade has the same outbox."""
    with BlockingDeliverer(sms=Unsure(), outbox=outbox) as deliverer:
        [delivery] = deliverer.send(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
        [queued] = deliverer.enqueue(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k2")
        [again] = deliverer.enqueue(NEWS, ADA, contents=["sms"], data={"n": 1}, key="k")
    assert [one.state for one in (delivery, queued, again)] == ["accepted", "queued", "accepted"]
