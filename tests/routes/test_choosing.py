"""Failover and round robin: which channel gets a message, and what is raised where none does."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_channel import ERRORS, Scripted

from vero_channels.memory import Memory
from vero_deliver.channel import Receipt
from vero_deliver.errors import (
    ConfigError,
    Deferred,
    DeliveryError,
    Gone,
    Misconfigured,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import RenderedSms
from vero_deliver.routes import Circuits, Failover, RoundRobin, Throttled
from vero_deliver.testing import sample_sms

Log = list[tuple[str, str, str]]

GOES_ON = {"deferred", "greylisted", "misconfigured"}


def fails(name: str, error: DeliveryError) -> Memory:
    memory = Memory(name=name)
    memory.fail(error, times=100)
    return memory


@pytest.mark.anyio
@pytest.mark.parametrize("error", [Deferred, Misconfigured])
async def test_fails_over(error: type[DeliveryError]) -> None:
    """The next channel gets it, and the receipt says so."""
    second = Memory(name="second")
    route = Failover([fails("first", error("x", channel="first")), second], health=Circuits())
    receipt = await route.send(sample_sms(), "key-1")
    assert (receipt.channel, len(second.sent)) == ("second", 1)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [Refused, Gone, Uncertain])
@pytest.mark.parametrize("route", [Failover, RoundRobin])
async def test_final_and_uncertain_end_it(
    kind: type[DeliveryError], route: type[Failover[RenderedSms]]
) -> None:
    """Raised as the channel raised it; no other channel sees the message."""
    error, second = kind("x", channel="first", code="7"), Memory(name="second")
    with pytest.raises(kind) as caught:
        await route([fails("first", error), second], health=Circuits()).send(sample_sms(), "key-1")
    assert caught.value is error
    assert not second.sent


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ((30, 20), 20), ((30, None), 30), ((None, None), None),
        ((7200, None), None),  # the one without a word is tried sooner than the other's quota is
        (("misconfigured", 90), 90), (("misconfigured", None), None),
    ],
)  # fmt: skip
async def test_deferred_by_all(waits: tuple[object, ...], expected: float | None) -> None:
    """The smallest retry_after, all names with their words."""
    errors = [
        Misconfigured("bad key", channel=f"c{n}", code="401")
        if wait == "misconfigured"
        else Deferred("busy", channel=f"c{n}", code="421", retry_after=wait)  # type: ignore[arg-type]
        for n, wait in enumerate(waits)
    ]
    route = Failover([fails(e.channel, e) for e in errors], name="r", health=Circuits())
    with pytest.raises(Deferred) as caught:
        await route.send(sample_sms(), "key-1")
    assert caught.value.retry_after == expected
    assert str(caught.value) == f"r: {errors[0]}; {errors[1]}"


@pytest.mark.anyio
async def test_misconfigured_only_where_all_are() -> None:
    """Then waiting helps nobody."""
    channels = [fails(name, Misconfigured("no", channel=name)) for name in ("a", "b")]
    route = Failover(channels, name="r", health=Circuits())
    with pytest.raises(Misconfigured, match="r: a: no; b: no"):
        await route.send(sample_sms(), "key-1")
    with pytest.raises(
        Misconfigured, match=r"r: a: not tried: unhealthy for 3\d\d s more, after Misc"
    ):
        await route.send(sample_sms(), "key-2")


@pytest.mark.anyio
async def test_a_defect_of_a_channel_is_no_reason_to_send_again() -> None:
    """What is no DeliveryError says nothing about whether it left."""

    class Defect(Memory):
        async def send(self, rendered: object, key: str) -> Receipt:
            raise KeyError("id")

    second = Memory(name="second")
    with pytest.raises(KeyError):
        await Failover([Defect(), second], health=Circuits()).send(sample_sms(), "key-1")
    assert not second.sent


OUTCOMES = st.sampled_from(["ok", "ok", *ERRORS])
SCRIPTS = st.lists(st.lists(OUTCOMES, max_size=12), min_size=1, max_size=4)


@given(SCRIPTS, st.integers(1, 12), st.booleans(), st.booleans())
@settings(max_examples=300, deadline=None)
def test_never_two_for_one_send(
    scripts: list[list[str]], sends: int, turns: bool, together: bool
) -> None:
    """Whatever the channels do: after ok, Uncertain or a refusal nothing more is sent for a key."""
    log: Log = []
    channels = [Scripted(f"c{n}", script, log) for n, script in enumerate(scripts)]
    health = Circuits(failures=2)
    inner = Failover(channels[1:], name="inner", health=health) if channels[1:] else channels[0]
    both = [Throttled(channels[0], health=health), inner] if channels[1:] else [channels[0]]
    route = (RoundRobin if turns else Failover)(both, health=health)

    async def outcome(key: str) -> str:
        try:
            return (await route.send(sample_sms(), key)).channel
        except DeliveryError as error:
            return type(error).__name__

    async def main() -> list[str]:
        keys = [f"key-{n}" for n in range(sends)]
        if together:
            return list(await asyncio.gather(*map(outcome, keys)))
        return [await outcome(key) for key in keys]

    for number, result in enumerate(asyncio.run(main())):
        words = [(name, word) for name, key, word in log if key == f"key-{number}"]
        assert all(word in GOES_ON for _, word in words[:-1]), words
        assert len({name for name, _ in words}) == len(words), "one channel was tried twice"
        if words and words[-1][1] == "ok":
            assert result == words[-1][0]
        elif words and words[-1][1] not in GOES_ON:
            assert result == type(ERRORS[words[-1][1]]("", channel="")).__name__
        else:
            assert result in {"Deferred", "Misconfigured"}


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_weights_hold_in_every_stretch(weights: list[int]) -> None:
    """After any number of sends each is within one (of few channels) of its share, and smooth."""
    log: Log = []
    channels = [Scripted(f"c{n}", (), log) for n in range(len(weights))]
    route = RoundRobin(channels, weights, health=Circuits())

    async def main() -> None:
        for number in range(2 * sum(weights)):
            await route.send(sample_sms(), str(number))

    asyncio.run(main())
    names = [name for name, _, _ in log]
    total = sum(weights)
    for start in range(0, len(names), total):
        counts = Counter(names[start : start + total])
        assert counts == {f"c{n}": weight for n, weight in enumerate(weights)}
    for length in range(1, len(names) + 1):
        counts = Counter(names[:length])
        for n, weight in enumerate(weights):
            assert abs(counts[f"c{n}"] - length * weight / total) < max(2, len(weights) / 2)


@pytest.mark.anyio
async def test_turns_are_smooth() -> None:
    """nginx's own example: 5, 1, 1 give a a b a c a a."""
    log: Log = []
    route = RoundRobin([Scripted(n, (), log) for n in "abc"], [5, 1, 1], health=Circuits())
    for number in range(7):
        await route.send(sample_sms(), str(number))
    assert "".join(name for name, _, _ in log) == "aabacaa"


@pytest.mark.anyio
@pytest.mark.parametrize("failover", [True, False])
async def test_who_is_left_keeps_the_weights(failover: bool) -> None:
    """While one channel is unhealthy the others share as before, within 5 %."""
    log: Log = []
    health = Circuits(failures=1)
    down = Scripted("down", ["misconfigured"], log)
    others = [Scripted("three", (), log), Scripted("one", (), log)]
    route = RoundRobin([down, *others], [4, 3, 1], failover=failover, health=health)
    for number in range(401):
        try:
            await route.send(sample_sms(), str(number))
        except Misconfigured:
            assert not failover
    counts = Counter(name for name, _, _ in log)
    assert counts["down"] == 1
    assert abs(counts["three"] - 300) <= 15


@pytest.mark.anyio
async def test_round_robin_without_failover() -> None:
    """The channel's own error, and no other channel is tried; unhealthy ones are passed over."""
    log: Log = []
    health = Circuits(failures=1)
    route = RoundRobin(
        [Scripted("a", ["deferred"], log), Scripted("b", ["deferred"], log)],
        failover=False, health=health,
    )  # fmt: skip
    with pytest.raises(Deferred, match="a: deferred words"):
        await route.send(sample_sms(), "key-1")
    with pytest.raises(Deferred, match="b: deferred words"):
        await route.send(sample_sms(), "key-2")
    with pytest.raises(Deferred, match="not tried"):
        await route.send(sample_sms(), "key-3")
    assert len(log) == 2


def test_idempotent_only_with_one_channel() -> None:
    """Two idempotent ones deliver twice where the second time another is chosen."""
    one, two = Memory(name="one"), Memory(name="two")
    health = Circuits()
    assert Failover([one], health=health).idempotent
    assert Throttled(one, health=health).idempotent
    assert not Throttled(Memory(idempotent=False), health=health).idempotent
    assert not Failover([one, two], health=health).idempotent
    assert not RoundRobin([one, two], health=health).idempotent


@pytest.mark.anyio
async def test_a_repeated_key_may_go_to_another_channel() -> None:
    """Why a route of two idempotent channels is not idempotent."""
    one, two = Memory(name="one"), Memory(name="two")
    route = Failover([one, two], health=Circuits())
    await route.send(sample_sms(), "key-1")
    one.fail(Deferred("down", channel="one"))
    await route.send(sample_sms(), "key-1")
    assert (len(one.sent), len(two.sent)) == (1, 1)


@pytest.mark.anyio
async def test_aclose_closes_all() -> None:
    """Those inside routes too, and the others where one fails to close."""

    class Stuck(Scripted):
        async def aclose(self) -> None:
            raise OSError("stuck")

    inside, last = Scripted("inside"), Scripted("last")
    inner: Failover[RenderedSms] = Failover([inside], name="inner")
    route: Failover[RenderedSms] = Failover([inner, Stuck("stuck"), last])
    with pytest.raises(OSError, match="stuck"):
        await route.aclose()
    assert (inside.closed, last.closed) == (1, 1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda a, b: Failover([], name="r"), "route 'r': it has no channels"),
        (lambda a, b: Failover([a, a]), "two of its channels are named 'a'"),
        (lambda a, b: RoundRobin([a, b], [1]), "1 weights for 2 channels"),
        (lambda a, b: RoundRobin([a, b], [1, 0]), "a whole number from 1 up, not 0"),
        (
            lambda a, b: RoundRobin([a, b], json.loads("[1, 1.5]")),
            "a whole number from 1 up, not 1.5",
        ),
    ],
)
def test_mistakes_are_config_errors(make: object, words: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigError, match=words):
        make(Memory(name="a"), Memory(name="b"))  # type: ignore[operator]


def test_repr_shows_the_channels() -> None:
    """Nested as they are."""
    slow: Throttled[RenderedSms] = Throttled(Memory(name="a"), rate="1/s")
    route: Failover[RenderedSms] = Failover([slow, Memory(name="b")], name="r")
    assert repr(route) == (
        "Failover([Throttled([Memory(name='a')], name='a'), Memory(name='b')], name='r')"
    )


@pytest.mark.anyio
async def test_a_user_channel_needs_no_base_class() -> None:
    """Anything with the four members of the protocol will do."""

    class Mine:
        name = "mine"
        idempotent = False

        async def send(self, rendered: RenderedSms, key: str) -> Receipt:
            return Receipt("mine", key, datetime.now(UTC))

        async def aclose(self) -> None: ...

    assert (await Failover([Mine()]).send(sample_sms(), "key-1")).channel == "mine"
