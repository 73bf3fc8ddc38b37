"""The desk: every content of a message to one user, and what became of each."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import vero_deliver
from vero_channels.email.eml import Eml
from vero_channels.memory import Memory
from vero_deliver import (
    Deliverer,
    Delivery,
    Device,
    Email,
    Message,
    Project,
    Push,
    Renderer,
    Sms,
    User,
    sync,
)
from vero_deliver.channel import Receipt
from vero_deliver.delivery import Outcome
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

untyped: Any = vero_deliver  # for calls that a type checker would refuse
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
    deliveries = await deliverer.send(
        NEWS, User(email="a@b.example", phone="+420601000001"), data={"x": 1}
    )
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
    deliverer = Deliverer(email=Eml(tmp_path / "captured"))
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


def test_blocking_facade_over_a_project(tmp_path: Path) -> None:
    """A project's channels serve code without async as well."""
    (tmp_path / "vero-deliver.toml").write_text("")
    with sync.Deliverer.over(Project.find(tmp_path).deliverer()) as deliverer:
        [delivery] = deliverer.send(NEWS, ADA, contents=["sms"])
    assert delivery.state == "accepted"
    assert list((tmp_path / "captured").glob("*.json"))


class Shop:
    """An object of the sender's own."""


@pytest.mark.parametrize("value", [Shop(), (n for n in range(3)), Shop, {"deep": [Shop()]}])
@pytest.mark.anyio
async def test_no_key_from_what_does_not_last(value: object) -> None:
    """A memory address is no key: such data needs one from the caller."""
    memory = Memory()
    deliverer = Deliverer(sms=memory)
    [delivery] = await deliverer.send(NEWS, ADA, contents=["sms"], data={"x": value})
    assert delivery.state == "unrendered"
    assert "no key can be derived" in delivery.detail
    [delivery] = await deliverer.send(NEWS, ADA, contents=["sms"], data={"x": value}, key="k")
    assert delivery.state == "accepted"


def test_sets_and_dates_make_lasting_keys() -> None:
    """A set has no order, a date no JSON; both give one key in every process."""
    program = (
        "from datetime import date; from decimal import Decimal; from vero_deliver import *;"
        "from vero_deliver.keys import derive_key;"
        "data = {'s': {'a', 'b', 'c', 'd'}, 'd': date(2026, 1, 2), 'n': Decimal('1.5')};"
        "print(derive_key(Message(title='x', sms=Sms(body='x')), User(id='1'), data=data))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: untyped.Deliverer(emial=Memory()), "did you mean 'email'"),
        (lambda: untyped.Deliverer(Memory()), "Deliverer(email=channel)"),
        (lambda: untyped.sync.Deliverer(emial=Memory()), "did you mean 'email'"),
        (lambda: untyped.Attachment(filename="a", content="text"), "content takes bytes"),
        (lambda: untyped.Email(subject="x", to="ada@example.com"), "takes a tuple"),
        (lambda: next(untyped.Deliverer().render(NEWS, ADA, dta={})), "did you mean 'data'"),
        (lambda: next(untyped.Deliverer().render(NEWS, {"email": "a"})), "User.from_dict"),
        (lambda: next(untyped.Deliverer().render("welcome", ADA)), "expected a Message"),
        (lambda: next(untyped.Deliverer().render(NEWS, ADA, now="2026-01-01")), "a datetime"),
        (lambda: untyped.Renderer().render(NEWS, ADA, "sms", dta={}), "did you mean 'data'"),
    ],
)
async def test_wrong_calls_are_told(call: Callable[[], object], words: str) -> None:
    """What a type checker would say is said at run time too, with the right name."""
    with pytest.raises(TypeError) as caught:
        call()
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            untyped.Message(title="x", kind="marketting", sms=Sms(body="x")),
            "did you mean 'marketing'",
        ),
        (
            Message(title="x", email=untyped.Email(subject=3), sms=Sms(body="x")),
            "email.subject: expected a string",
        ),
        (untyped.Message(title="x", sms=Sms(body="x", max_segments=0)), "at least 1"),
    ],
)
def test_messages_made_in_python_are_checked(message: Message, words: str) -> None:
    """As a folder is: wrong values are an error before anything is rendered."""
    with pytest.raises(MessageError) as caught:
        Renderer().render(message, ADA, "sms")
    assert words in str(caught.value)
