"""The desk: every content of a message to one user, and what became of each."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vero_channels.email.eml import Eml
from vero_channels.memory import Memory
from vero_deliver import Deliverer, Delivery, Device, Email, Message, Push, Sms, User, sync
from vero_deliver.channel import Receipt
from vero_deliver.deliver import Outcome
from vero_deliver.errors import (
    Deferred,
    DeliveryError,
    Gone,
    MessageError,
    Misconfigured,
    Refused,
    RenderError,
    Uncertain,
)
from vero_deliver.keys import delivery_key, derive_key
from vero_deliver.rendered import RenderedPush, Skipped

NOW = datetime(2026, 11, 23, tzinfo=UTC)
PHONE, TABLET = Device(token="p" * 64, platform="ios"), Device(token="t" * 64, platform="android")
ADA = User(id="1", email="ada@example.com", phone="+420601000001", devices=(PHONE, TABLET))
NEWS = Message(
    title="News",
    email=Email(from_="shop@example.com", subject="News", text="{{ x }}"),
    push=Push(title="News"),
    sms=Sms(body="News"),
)


@pytest.mark.anyio
async def test_one_delivery_per_content_and_device() -> None:
    """Email, two devices and sms make four deliveries with keys of their own."""
    memory = Memory()
    async with Deliverer(email=memory, push=memory, sms=memory) as deliverer:
        deliveries = await deliverer.send(NEWS, ADA, data={"x": 1}, key="k", now=NOW)
    assert [d.state for d in deliveries] == ["accepted"] * 4
    assert [d.content for d in deliveries] == ["email", "push", "push", "sms"]
    assert [sent.key for sent in memory.sent] == [d.key for d in deliveries]
    assert len({d.key for d in deliveries}) == 4
    pushes = [s.rendered for s in memory.sent if isinstance(s.rendered, RenderedPush)]
    assert [push.device for push in pushes] == [PHONE, TABLET]


@pytest.mark.anyio
async def test_nothing_is_dropped_silently() -> None:
    """A content without a channel, a user without a device: skipped, with the reason."""
    deliverer = Deliverer(email=Memory())
    deliveries = await deliverer.send(NEWS, User(email="a@b.example", phone="+4"), data={"x": 1})
    assert {d.content: d.detail for d in deliveries if d.state == "skipped"} == {
        "push": "the user has no device",
        "sms": "no channel carries sms",
    }


@pytest.mark.anyio
async def test_only_the_contents_asked_for() -> None:
    """`contents` names some of the message's."""
    memory = Memory()
    await Deliverer(email=memory, sms=memory).send(NEWS, ADA, contents=["sms"])
    assert [sent.rendered.content for sent in memory.sent] == ["sms"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Refused, "refused"),
        (Gone, "gone"),
        (Deferred, "deferred"),
        (Misconfigured, "misconfigured"),
        (Uncertain, "uncertain"),
    ],
)
async def test_each_error_has_its_state(error: type[DeliveryError], state: str) -> None:
    """What a channel raises becomes the outcome; the other contents are sent all the same."""
    broken, memory = Memory(), Memory()
    broken.fail(error("no", channel="broken"))
    deliverer = Deliverer(email=broken, sms=memory)
    email, sms = await deliverer.send(NEWS, ADA, contents=["email", "sms"], data={"x": 1})
    assert (email.state, email.receipt, email.detail) == (state, None, "broken: no")
    assert sms.state == "accepted"


@pytest.mark.anyio
async def test_what_cannot_be_rendered_is_not_sent() -> None:
    """A missing value is the outcome of that content; nothing reaches the channel."""
    memory = Memory()
    [delivery] = await Deliverer(email=memory).send(NEWS, ADA, contents=["email"])
    assert delivery.state == "unrendered"
    assert isinstance(delivery.outcome, RenderError)
    assert memory.sent == []


@pytest.mark.anyio
async def test_values_that_make_no_mime_are_an_outcome(tmp_path: Path) -> None:
    """An encoded word smuggled into a List-Id stops that user's mail and nobody else's."""
    message = Message(
        title="x",
        email=Email(from_="a@b.example", subject="s", text="t", headers={"List-Id": "{{ x }}"}),
    )
    deliverer = Deliverer(email=Eml(tmp_path / "outbox"))
    [delivery] = await deliverer.send(message, ADA, data={"x": "=?utf-8?q?=0ABcc:?= <a.b>"})
    assert delivery.state in {"unrendered", "refused"}
    assert "List-Id" in delivery.detail
    assert not list(tmp_path.rglob("*.eml"))


@pytest.mark.anyio
async def test_a_broken_message_raises() -> None:
    """A template that no user can be sent is the caller's mistake, before anything is sent."""
    memory = Memory()
    broken = Message(title="x", sms=Sms(body="{% if %}"), email=NEWS.email)
    with pytest.raises(MessageError):
        await Deliverer(email=memory, sms=memory).send(broken, ADA, data={"x": 1})
    assert memory.sent == []


def test_keys_are_stable_and_tell_apart() -> None:
    """The same message, user and data give the same key; a change of any gives another."""
    key = derive_key(NEWS, ADA, data={"x": 1})
    assert key == derive_key(NEWS, ADA, data={"x": 1})
    others = [
        derive_key(NEWS, ADA, data={"x": 2}),
        derive_key(NEWS, User(id="2"), data={"x": 1}),
        derive_key(Message(title="News", sms=Sms(body="other")), ADA, data={"x": 1}),
        derive_key(NEWS, ADA, data={"x": 1}, event={"e": 1}),
    ]
    assert len({key, *others}) == 5
    assert delivery_key("k", "email") == "k-email"
    assert delivery_key("k", "push", PHONE) != delivery_key("k", "push", TABLET)


def test_state_of_every_outcome() -> None:
    """Every outcome has a state in one word."""
    outcomes: dict[str, Outcome] = {
        "accepted": Receipt("c", "id", NOW),
        "skipped": Skipped("why"),
        "unrendered": RenderError("x"),
        "gone": Gone("x", channel="c"),
    }
    for state, outcome in outcomes.items():
        assert Delivery("k", "email", ADA, outcome).state == state


def test_blocking_facade() -> None:
    """The same names without async; channels are kept between calls and closed at the end."""
    memory = Memory()
    with sync.Deliverer(email=memory, sms=memory) as deliverer:
        first = deliverer.send(NEWS, ADA, contents=["email"], data={"x": 1}, key="a")
        second = deliverer.send(NEWS, ADA, contents=["email"], data={"x": 1}, key="b")
    assert [d.state for d in (*first, *second)] == ["accepted", "accepted"]
    deliverer.close()


def test_blocking_facade_inside_a_running_loop() -> None:
    """In a notebook a loop runs already; the facade has one of its own."""

    async def notebook() -> str:
        with sync.Deliverer(sms=Memory()) as deliverer:
            [delivery] = deliverer.send(NEWS, ADA, contents=["sms"])
            return delivery.state

    assert asyncio.run(notebook()) == "accepted"
