"""Rates, quotas and waiting, in virtual time."""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_channel import Scripted
from virtual_time import VirtualLoop, moment, run

from vero_channels.memory import Memory
from vero_deliver.channel import Channel, Receipt
from vero_deliver.errors import ConfigError, Deferred, DeliveryError, Misconfigured
from vero_deliver.rendered import Address, Rendered, RenderedEmail
from vero_deliver.routes import Circuits, Failover, Throttled
from vero_deliver.routes.limits import Bucket, Limits, Window
from vero_deliver.routes.rates import parse
from vero_deliver.testing import sample_email, sample_http, sample_push, sample_sms

EXACT = 1e-6  # seconds; virtual time is that exact


class Sink:
    """Keeps who arrived when."""

    name = "sink"
    idempotent = False

    def __init__(self) -> None:
        self.at: list[float] = []
        self.who: list[str] = []
        self.domains: list[tuple[float, str]] = []

    async def send(self, rendered: Rendered, key: str) -> Receipt:
        now = moment()
        self.at.append(now)
        self.who.append(key)
        if isinstance(rendered, RenderedEmail):
            domains = {email.rpartition("@")[2] for email in rendered.recipients}
            self.domains += [(now, domain) for domain in sorted(domains)]
        return await Memory().send(rendered, key)

    async def aclose(self) -> None: ...


def throttled(channel: Channel[Rendered], rate: str = "", **options: object) -> Throttled[Rendered]:
    return Throttled(
        channel, rate, health=Circuits(clock=moment), clock=moment, **options,  # type: ignore[arg-type]
    )  # fmt: skip


def to(*domains: str) -> RenderedEmail:
    return sample_email(to=tuple(Address(f"ada@{domain}") for domain in domains))


def most_in(moments: Sequence[float], seconds: float) -> int:
    """The most that fall into any half-open window of that length."""
    return max(
        (bisect_left(moments, start + seconds - EXACT) - index
         for index, start in enumerate(moments)), default=0,
    )  # fmt: skip


async def all_of(route: Channel[Rendered], rendered: Sequence[Rendered]) -> list[str]:
    """Send all at the same time; how each ended."""

    async def one(number: int, content: Rendered) -> str:
        try:
            await route.send(content, f"{number}")
        except DeliveryError as error:
            return type(error).__name__
        return "accepted"

    return list(await asyncio.gather(*(one(n, content) for n, content in enumerate(rendered))))


def test_an_even_pace_in_order() -> None:
    """Ten at once at 2/s leave half a second apart, first come, first served."""
    sink = Sink()
    assert run(all_of(throttled(sink, "2/s"), [sample_sms()] * 10)) == ["accepted"] * 10
    assert sink.who == [str(n) for n in range(10)]
    assert [round(at - sink.at[0], 6) for at in sink.at] == [n / 2 for n in range(10)]


@given(
    rate=st.floats(0.1, 200).map(lambda r: round(r, 2)),
    burst=st.none() | st.integers(1, 20),
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
@settings(max_examples=150, deadline=None)
def test_no_window_has_more_than_the_rate(
    rate: float, burst: int | None, pauses: list[float]
) -> None:
    """In any t seconds at most burst + t * rate, however they come; nobody is lost."""
    sink = Sink()
    route = throttled(sink, f"{rate}/s", burst=burst, max_wait=1e6)

    async def main() -> list[str]:
        sends = []
        for number, pause in enumerate(pauses):
            sends.append(asyncio.create_task(route.send(sample_sms(), str(number))))
            if pause > 1:  # some at once, some later
                await asyncio.sleep(pause)
        return [receipt.channel for receipt in await asyncio.gather(*sends)]

    assert len(run(main())) == len(pauses)
    assert sink.who == [str(n) for n in range(len(pauses))]
    allowed = burst or max(1, int(rate / 20))
    for seconds in (1 / rate, 1.0, 2.5, 10.0):
        assert most_in(sink.at, seconds) <= allowed + seconds * rate + EXACT


def test_default_burst_never_passes_slow_rates() -> None:
    """Up to 39/s there is no burst, so that no second has more than the provider allows."""
    sink = Sink()
    run(all_of(throttled(sink, "5/s"), [sample_sms()] * 50))
    assert most_in(sink.at, 1.0) == 5
    assert most_in(sink.at, 2.0) == 10


def test_a_quota_holds_in_any_window() -> None:
    """Not even around midnight: 20/hour for hours gives no hour 21, and uses what there is."""
    sink = Sink()
    route = throttled(sink, quota="20/hour", max_wait=1e9)

    async def main() -> None:
        await all_of(route, [sample_sms()] * 7)
        await asyncio.sleep(1_800)
        await all_of(route, [sample_sms()] * 200)

    run(main())
    assert len(sink.at) == 207
    assert most_in(sink.at, 3_600) == 20
    assert sink.at[-1] - sink.at[0] < 11.5 * 3_600  # 11 hours if windows were not by 24ths


def test_a_spent_quota_is_deferred_at_once() -> None:
    """With the time until it is free; nobody waits hours for it."""

    async def main() -> None:
        sink = Sink()
        route = throttled(sink, quota="3/day", name="daily")
        for number in range(3):
            await route.send(sample_sms(), str(number))
        began = moment()
        with pytest.raises(Deferred) as caught:
            await route.send(sample_sms(), "key-4")
        assert moment() == began
        wait = caught.value.retry_after
        assert wait is not None
        assert 24 * 3600 <= wait <= 25 * 3600
        assert str(caught.value).startswith("daily: over the quota of 3/day; it is free again in")
        await asyncio.sleep(wait)
        await route.send(sample_sms(), "key-5")
        assert len(sink.at) == 4

    run(main())


@pytest.mark.parametrize(
    ("word", "left"),
    [("deferred", 2), ("refused", 2), ("misconfigured", 2), ("uncertain", 1), ("ok", 1)],
)
def test_what_was_not_accepted_uses_no_quota(word: str, left: int) -> None:
    """A server that is down for the night does not cost the day's mail."""

    async def main() -> None:
        channel = Scripted("c", [word])
        route = Throttled(channel, quota="2/day", health=Circuits(misconfigured=0), clock=moment)
        try:
            await route.send(sample_sms(), "key-0")
        except DeliveryError as error:
            ended = type(error).__name__.lower()
        else:
            ended = "ok"
        assert ended == word
        for number in range(left):
            await route.send(sample_sms(), f"key-{number}")
        with pytest.raises(Deferred, match="over the quota"):
            await route.send(sample_sms(), "key-9")

    run(main())


def test_waits_no_longer_than_told() -> None:
    """What can be foreseen is Deferred at once; the others get their turn."""

    async def main() -> None:
        route = throttled(Sink(), "1/s", max_wait=3)
        began = moment()
        ends = await all_of(route, [sample_sms()] * 6)
        assert ends == ["accepted"] * 4 + ["Deferred"] * 2
        assert round(moment() - began, 6) == 3
        waiting = [asyncio.create_task(route.send(sample_sms(), str(n))) for n in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(
            Deferred, match=r"over the rate of 1/s; it is free again in 4.0 s"
        ) as caught:
            await route.send(sample_sms(), "late")
        assert caught.value.retry_after == pytest.approx(4)
        await asyncio.gather(*waiting)

    run(main())


def test_whoever_waited_in_vain_is_told_how_long_the_queue_is() -> None:
    """A retry_after of 0 would only bring it back."""

    async def main() -> None:
        route = throttled(Sink(), "1/min", rate_per_domain="1/s", max_wait=90)
        began = moment()
        sends = [route.send(to(domain), domain) for domain in "abcd"]
        *early, third, fourth = await asyncio.gather(*sends, return_exceptions=True)
        assert moment() - began == pytest.approx(90)
        assert all(isinstance(one, Receipt) for one in early)
        for late in (third, fourth):
            assert isinstance(late, Deferred)
            assert str(late).startswith("sink: over the rate of 1/min; it is free again in")
            assert late.retry_after is not None
            assert 30 <= late.retry_after <= 90 + EXACT

    run(main())


def test_zero_patience_overflows_to_the_next_channel() -> None:
    """max_wait = 0 in a failover: what is over the rate goes to the other at once."""

    async def main() -> None:
        first, second = Sink(), Memory(name="second")
        health = Circuits(failures=1, clock=moment)
        warm = throttled(first, "1/s", max_wait=0, name="warm")
        route: Failover[Rendered] = Failover([warm, second], health=health)
        began = moment()
        assert await all_of(route, [sample_sms()] * 5) == ["accepted"] * 5
        assert moment() == began
        assert (len(first.at), len(second.sent)) == (1, 4)
        await asyncio.sleep(1)
        await route.send(sample_sms(), "again")  # over the rate is no failure of the channel
        assert len(first.at) == 2

    run(main())


def test_domains_do_not_hold_up_each_other() -> None:
    """A slow domain's queue waits; mail for others overtakes it."""

    async def main() -> None:
        sink = Sink()
        route = throttled(sink, "10/s", rate_per_domain="1/s")
        emails = [to("Slow.example")] * 5 + [to(f"d{n}.example") for n in range(5)]
        began = moment()
        await all_of(route, emails)
        at = {key: round(when - began, 6) for key, when in zip(sink.who, sink.at, strict=True)}
        assert at["0"] == 0
        assert max(at[str(n)] for n in range(5, 10)) <= 0.6
        assert [at[str(n)] for n in range(5)] == [0, 1, 2, 3, 4]

    run(main())


DOMAINS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3, unique=True)


@given(st.lists(DOMAINS, min_size=1, max_size=40), st.integers(1, 3))
@settings(max_examples=150, deadline=None)
def test_nobody_starves_and_every_limit_holds(sends: list[list[str]], burst: int) -> None:
    """Several domains per email, a sender and the whole: all leave, each domain in order."""
    sink = Sink()
    route = throttled(
        sink, "3/s", rate_per_domain="1/s", rate_per_sender="2/s", quota_per_domain="30/hour",
        burst=burst, max_wait=1e9,
    )  # fmt: skip
    ends = run(all_of(route, [to(*domains) for domains in sends]))
    assert ends == ["accepted"] * len(sends)
    assert most_in(sink.at, 1.0) <= burst + 2
    by_domain: dict[str, list[float]] = defaultdict(list)
    for when, domain in sink.domains:
        by_domain[domain].append(when)
    for moments in by_domain.values():
        assert most_in(moments, 1.0) <= burst
        assert most_in(moments, 3_600) <= 30
    left_at = {int(key): when for key, when in zip(sink.who, sink.at, strict=True)}
    for domain in "abc":
        mine = [left_at[n] for n, domains in enumerate(sends) if domain in domains]
        assert mine == sorted(mine)


def test_two_domains_are_not_starved_by_one() -> None:
    """An email to a and b gets its turn although mail to a alone and to b alone never ends."""

    async def main() -> None:
        sink = Sink()
        route = throttled(sink, "100/s", rate_per_domain="1/s", max_wait=1e9)
        for number in range(3):
            asyncio.create_task(route.send(to("a"), f"a{number}"))  # noqa: RUF006
            asyncio.create_task(route.send(to("b"), f"b{number}"))  # noqa: RUF006
        await asyncio.sleep(0)
        both = asyncio.create_task(route.send(to("a", "b"), "both"))
        began = moment()
        for number in range(40):
            asyncio.create_task(route.send(to("a" if number % 2 else "b"), f"later{number}"))  # noqa: RUF006
            await asyncio.sleep(0.25)
        assert both.done()
        assert sink.at[sink.who.index("both")] - began <= 3 + EXACT

    run(main())


def test_cancelling_frees_the_place() -> None:
    """Those behind move up; nothing is taken."""

    async def main() -> None:
        sink = Sink()
        route = throttled(sink, "1/s")
        tasks = [asyncio.create_task(route.send(sample_sms(), str(n))) for n in range(5)]
        await asyncio.sleep(0.5)
        for task in tasks[1:3]:
            task.cancel()
        began = sink.at[0]
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(end, asyncio.CancelledError) for end in ends] == [
            False, True, True, False, False,
        ]  # fmt: skip
        assert sink.who == ["0", "3", "4"]
        assert [round(at - began, 6) for at in sink.at] == [0, 1, 2]

    run(main())


def test_cancelled_in_the_moment_of_its_turn() -> None:
    """It gives back what it took, so that the next goes instead."""

    async def main() -> None:
        sink = Sink()
        route = throttled(sink, "1/s", quota="9/day")
        await route.send(sample_sms(), "first")
        second = asyncio.create_task(route.send(sample_sms(), "second"))
        third = asyncio.create_task(route.send(sample_sms(), "third"))
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.now += 1
        route._queue.serve()
        assert len(route._queue) == 1, "it is not its turn"
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        await third
        assert sink.who == ["first", "third"]
        assert sink.at[1] - sink.at[0] == pytest.approx(1)

    run(main())


def test_what_was_not_accepted_makes_room_at_once() -> None:
    """Whoever waits for the quota goes when a send before it fails, not an hour later."""

    async def main() -> None:
        route = Throttled(
            Scripted("c", ["deferred"]), quota="1/hour", max_wait=9e9, clock=moment,
            health=Circuits(),
        )  # fmt: skip
        began = moment()
        sends = [route.send(sample_sms(), key) for key in ("fails", "waits")]
        fails, waits = await asyncio.gather(*sends, return_exceptions=True)
        assert isinstance(fails, Deferred)
        assert isinstance(waits, Receipt)
        assert moment() == began

    run(main())


def test_a_domain_is_served_in_order_whoever_sends() -> None:
    """Who waits for its sender keeps its place in the domain: others would take each token."""

    async def main() -> None:
        sink = Sink()
        route = throttled(sink, rate_per_domain="1/s", rate_per_sender="1/s")

        def mail(sender: str, domain: str) -> RenderedEmail:
            return replace(to(domain), from_=Address(f"{sender}@example.com"))

        await all_of(route, [mail("s", "b"), mail("s", "a"), mail("t", "a"), mail("u", "c")])
        assert sink.who == ["0", "3", "1", "2"]

    run(main())


def test_a_known_failure_does_not_wait_for_its_turn() -> None:
    """While the channel is unhealthy a send is told at once, and takes nothing."""

    async def main() -> None:
        route = Throttled(
            Scripted("c", ["misconfigured"]), "1/min", clock=moment, health=Circuits(clock=moment)
        )
        for words in ("misconfigured words", "not tried"):
            with pytest.raises(Misconfigured, match=words):
                await route.send(sample_sms(), "key-1")
        assert moment() == 1_000_000.0

    run(main())


def test_one_loop_after_another() -> None:
    """asyncio.run() in a loop: the rate goes on, those who waited in a dead loop are forgotten."""
    sink = Sink()
    route = throttled(sink, "1/s")
    loop = asyncio.new_event_loop()
    loop.run_until_complete(route.send(sample_sms(), "one"))
    left = loop.create_task(route.send(sample_sms(), "left"))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert len(route._queue) == 1

    async def main() -> None:
        await asyncio.sleep(2_000_000 - moment())
        await asyncio.wait_for(route.send(sample_sms(), "two"), 10)

    run(main())
    assert sink.who == ["one", "two"]
    left._log_destroy_pending = False  # type: ignore[attr-defined]
    left.get_coro().close()


def test_the_real_clock() -> None:
    """40 messages at 200/s with bursts of 10 take 0.15 s, and not much more."""

    async def main() -> float:
        began = time.monotonic()
        await all_of(Throttled(Memory(), "200/s"), [sample_sms()] * 40)
        return time.monotonic() - began

    assert 0.149 <= asyncio.run(main()) < 1.5


def test_idle_domains_are_forgotten() -> None:
    """Of 20,000 domains those are kept that were busy in the last hour."""

    async def main() -> None:
        route = throttled(Memory(), rate_per_domain="5/s", quota_per_domain="10/hour")
        for number in range(20_000):
            await route.send(to(f"d{number}.example"), str(number))
            if number % 1_000 == 0:
                await asyncio.sleep(600)
        buckets, windows = route._domains
        assert len(buckets) <= 2 * 1_024
        assert len(windows) <= 3 * 1_000 * 6.25 + 1_024

    run(main())


def test_a_limit_that_somebody_waits_for_is_kept() -> None:
    """Though it looks idle: a second one would let twice as many through."""
    limits = Limits(lambda key: Bucket(parse("rate", "1/s"), 1, key))
    kept = limits.of("kept", 0.0)
    kept.waiting = 1
    for number in range(5_000):
        limits.of(str(number), float(number))
    assert limits.of("kept", 5_000.0) is kept
    assert len(limits) < 1_100


def test_contents_without_domain_or_sender_are_free() -> None:
    """A push has neither, a text message a sender, a request a host."""

    async def main() -> None:
        route = throttled(Memory(idempotent=False), rate_per_domain="1/s", rate_per_sender="1/s")
        pace = Counter[str]()
        for make in (sample_push, sample_sms, sample_http, sample_email):
            began = moment()
            await all_of(route, [make()] * 3)
            pace[make.__name__] = round(moment() - began)
        assert pace == {"sample_push": 0, "sample_sms": 2, "sample_http": 2, "sample_email": 2}

    run(main())


PAUSES = st.floats(0, 200) | st.floats(0, 5_000)


@given(st.lists(st.tuples(PAUSES, st.booleans()), max_size=80))
@settings(max_examples=100, deadline=None)
def test_a_window_tells_when_it_is_free(steps: list[tuple[float, bool]]) -> None:
    """wait() is 0 exactly when a day and a 24th hold less than the quota; after it one is free."""
    window, now, taken = Window(parse("quota", "5/hour"), ""), 0.0, list[float]()
    for pause, back in steps:
        now += pause
        wait = window.wait(now)
        recent = [at for at in taken if now - at < 3_600]
        assert wait > 0 or len(recent) < 5
        assert wait == 0 or sum(now - at < 3_600 + 150 + EXACT for at in taken) >= 5
        now += wait
        assert window.wait(now) == 0
        window.take(now)
        if back:
            window.undo(now)
        else:
            taken.append(now)


def test_a_window_forgets_nothing_too_early() -> None:
    """What was taken at the end of a 24th counts for the whole hour after that."""
    window = Window(parse("quota", "1/hour"), "")
    window.take(149.0)
    assert window.wait(3_748.0) == 2.0
    assert window.wait(3_750.0) == 0


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [("100/s", 100, 1), ("0.5 / second", 0.5, 1), ("30/min", 30, 60), ("30/minute", 30, 60),
     ("1_000/h", 1000, 3600), ("1000/hour", 1000, 3600), ("5/d", 5, 86400), ("5/day", 5, 86400)],
)  # fmt: skip
def test_rates_are_read(text: str, count: float, seconds: float) -> None:
    """A number per second, minute, hour or day."""
    rate = parse("rate", text)
    assert (rate.count, rate.seconds, str(rate)) == (count, seconds, text)


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("rate", "100", "rate: '100' is no rate; write a number per s, min, hour or day, such as"),
        ("rate", "-1/s", "is no rate"),
        ("rate", "1/week", "is no rate"),
        ("rate", "٣/s", "is no rate"),
        ("rate", "0/s", "must be over 0 and at most 1,000,000,000"),
        ("rate_per_domain", "x/s", "rate_per_domain: 'x/s' is no rate"),
        ("quota", "9/s", "quota: '9/s': a quota is per hour or day; use rate"),
        ("quota_per_domain", "9/min", "use rate_per_domain"),
        ("quota", "0.5/day", "a whole number"),
        ("burst", 0, "burst must be at least 1, not 0"),
        ("max_wait", -1, "max_wait must be 0 or more, not -1"),
        ("max_wait", float("nan"), "max_wait must be 0 or more, not nan"),
    ],
)
def test_mistakes_name_route_and_option(option: str, text: object, words: str) -> None:
    """What is wrong and what to write."""
    with pytest.raises(ConfigError, match=r"^route 'r': ") as caught:
        Throttled(Memory(), name="r", **{option: text})  # type: ignore[arg-type]
    assert words in str(caught.value)
