"""Whom not to send to: what is learnt, what it forbids, when it is looked at."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from promising import ADA, NEWS, Clock, states

from vero_deliver import Deliverer, Device, Email, Message, Outbox, Push, Sms, User, Worker
from vero_deliver.channel import Receipt
from vero_deliver.desk.intake import Intake
from vero_deliver.errors import Gone
from vero_deliver.feedback import Feedback, Kind
from vero_deliver.outbox import suppressions
from vero_deliver.outbox.suppressions import Told
from vero_deliver.rendered import ContentName
from vero_deliver.suppression import REASONS, Reason, comparable, digest_of, forbids

pytestmark = pytest.mark.anyio

DAY = 24 * 3600 * 1000
NOW = 1_800_000_000_000
WEEKLY = Message(
    title="Weekly",
    kind="marketing",
    topic="weekly",
    email=Email(
        from_="shop@example.com", subject="News", html="<p>News</p>",
        headers={"List-Unsubscribe": "<https://shop.example.com/u>"},
    ),
    sms=Sms(body="News"),
)  # fmt: skip


class Taking:
    """A channel that takes everything, or calls it dead."""

    idempotent = False

    def __init__(self, name: str, dead: bool = False, since: datetime | None = None) -> None:
        self.name, self.dead, self.since = name, dead, since
        self.keys: list[str] = []

    async def send(self, rendered: Any, key: str) -> Receipt:
        self.keys.append(key)
        if self.dead:
            raise Gone("no such mailbox", channel=self.name, code="550 5.1.1", since=self.since)
        return Receipt(self.name, "id", datetime.now(UTC))

    async def aclose(self) -> None:
        """Nothing to close."""


@pytest.fixture
def timed(database: str) -> Iterator[tuple[Outbox, Clock]]:
    """An outbox whose clock stands still."""
    clock = Clock()
    outbox = Outbox(database, clock=clock)
    outbox.create()
    yield outbox, clock
    outbox.close()


def learn(outbox: Outbox, told: Sequence[Told]) -> None:
    with outbox.database.writing() as connection:
        suppressions.learn(connection, outbox.env, told)


def told(kind: Kind, at: int = NOW, recipient: str = "ada@example.org", **changes: Any) -> Told:
    values: dict[str, Any] = {"kind": kind, "recipient": recipient, "at": at, "id": f"{kind}/{at}"}
    return Told(**values | changes)


def reasons(outbox: Outbox, content: ContentName, address: str) -> list[str]:
    return [one.reason for one in outbox.suppressions.find(content, address)]


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("reason", REASONS)
async def test_what_a_reason_forbids(outbox: Outbox, reason: Reason, bulk: bool) -> None:
    """Transactional mail ignores unsubscriptions and nothing else; a text message heeds STOP."""
    outbox.suppressions.add("email", "ADA@Example.org ", reason)
    outbox.suppressions.add("sms", "+420 601 000 001", reason)
    mail, texts = Taking("mail"), Taking("texts")
    async with Deliverer(outbox=outbox, email=mail, sms=texts) as deliverer:
        message = WEEKLY if bulk else NEWS
        sent = await deliverer.send(message, ADA, key="k", data={} if bulk else {"n": 1})
    goes = reason == "unsubscribed" and not bulk
    assert states(sent) == ["accepted" if goes else "suppressed", "suppressed"]
    assert bool(mail.keys) == goes
    assert not texts.keys
    assert sent[1].detail.startswith(reason)
    assert "601" not in sent[1].detail
    record = outbox.get("k-sms")
    assert record is not None
    assert (record.state, record.attempts) == ("suppressed", 0)


@pytest.mark.parametrize(
    ("topic", "state"), [("weekly", "suppressed"), ("", "suppressed"), ("offers", "accepted")]
)
async def test_topics(outbox: Outbox, topic: str, state: str) -> None:
    """One may leave one topic and keep the others."""
    outbox.suppressions.add("email", "ada@example.org", "unsubscribed", topic=topic)
    async with Deliverer(outbox=outbox, email=Taking("mail")) as deliverer:
        sent = await deliverer.send(WEEKLY, ADA, key="k", contents=["email"])
    assert states(sent) == [state]


async def test_looked_at_when_it_is_sent(outbox: Outbox) -> None:
    """Who unsubscribes after it was queued gets nothing; who is lifted, something."""
    mail = Taking("mail")
    async with Deliverer(outbox=outbox, email=mail) as deliverer:
        for key in ("k1", "k2"):
            await deliverer.enqueue(WEEKLY, ADA, key=key, contents=["email"])
        outbox.suppressions.add("email", "ada@example.org", "complained")
        await Worker(deliverer).run(drain=True)
        assert not mail.keys
        [lifted] = outbox.suppressions.remove("email", "Ada@example.org")
        assert lifted.reason == "complained"
        assert outbox.retry("k1-email", timedelta(days=1))
        await Worker(deliverer).run(drain=True)
    assert mail.keys == ["k1-email"]


async def test_the_next_content_goes_where_one_is_suppressed(outbox: Outbox) -> None:
    """choose="first" passes over what the user must not get."""
    outbox.suppressions.add("email", "ada@example.org", "bounced")
    async with Deliverer(outbox=outbox, email=Taking("mail"), sms=Taking("texts")) as deliverer:
        sent = await deliverer.send(NEWS, ADA, key="k", data={"n": 1}, choose="first")
    assert states(sent) == ["suppressed", "accepted"]


async def test_one_of_several_recipients_stops_it(outbox: Outbox) -> None:
    """All recipients or none, as everywhere."""
    message = replace_to(("{{ user.email }}", "bob@example.org"))
    outbox.suppressions.add("email", "bob@example.org", "bounced")
    async with Deliverer(outbox=outbox, email=Taking("mail")) as deliverer:
        assert states(await deliverer.send(message, ADA, key="k")) == ["suppressed"]


def replace_to(to: tuple[str, ...]) -> Message:
    email = Email(from_="shop@example.com", to=to, subject="Both", html="<p>x</p>")
    return Message(title="Both", email=email)


async def test_what_a_channel_calls_dead_is_suppressed(outbox: Outbox) -> None:
    """At once, and not shown for a device; of several recipients nobody knows which."""
    user = User(id="u1", email="ada@example.org", devices=(Device(token="0a1b", platform="ios"),))
    message = Message(
        title="Both",
        email=Email(from_="shop@example.com", subject="x", html="<p>x</p>"),
        push=Push(title="x"),
    )
    mail, push = Taking("mail", dead=True), Taking("push", dead=True)
    async with Deliverer(outbox=outbox, email=mail, push=push) as deliverer:
        assert states(await deliverer.send(message, user, key="k1")) == ["gone", "gone"]
        assert states(await deliverer.send(message, user, key="k2")) == ["suppressed"] * 2
        both = replace_to(("bob@example.org", "eve@example.org"))
        assert states(await deliverer.send(both, user, key="k3")) == ["gone"]
    assert len(mail.keys) == 2
    assert reasons(outbox, "email", "bob@example.org") == []
    found = {one.content: one for one in outbox.suppressions.list()}
    assert {one.reason for one in found.values()} == {"gone"}
    assert found["push"].address == ""
    assert found["email"].source == "k1-email"


@pytest.mark.parametrize(("hours", "held"), [(-1, []), (1, ["gone"]), (None, ["gone"])])
async def test_a_token_that_was_registered_again_lives(
    timed: tuple[Outbox, Clock], hours: int | None, held: list[str]
) -> None:
    """What the provider tells of the time before says nothing; what it tells of later does."""
    outbox, clock = timed
    user = User(id="u1", devices=(Device(token="0a1b", platform="ios"),))
    message = Message(title="x", push=Push(title="x"))
    outbox.suppressions.remove("push", "0a1b")  # the app registers it
    registered = datetime.fromtimestamp(outbox.now() / 1000, UTC)
    since = None if hours is None else registered + timedelta(hours=hours)
    clock.now += 24 * 3600
    async with Deliverer(outbox=outbox, push=Taking("push", True, since)) as deliverer:
        assert states(await deliverer.send(message, user, key="k")) == ["gone"]
    assert reasons(outbox, "push", "0a1b") == held


@pytest.mark.parametrize("ahead", [0, 3600])
def test_whoever_decides_has_the_last_word(timed: tuple[Outbox, Clock], ahead: int) -> None:
    """In the same millisecond, and after a machine whose clock is ahead."""
    outbox, clock = timed
    held, who = outbox.suppressions, "ada@example.org"
    clock.now += ahead
    held.add("email", who)
    held.remove("email", who)
    held.choose("email", who, {"weekly": False})
    held.choose("email", who, {"weekly": True, "": True})
    clock.now -= ahead
    assert held.find("email", who) == []
    held.add("email", who)
    held.choose("email", who, {"weekly": False})
    assert reasons(outbox, "email", who) == ["unsubscribed", "manual"]
    held.choose("email", who, {"weekly": True, "": True})
    held.remove("email", who)
    assert held.find("email", who) == []


@pytest.mark.parametrize(
    ("kind", "permanent", "reason"),
    [
        ("bounced", True, ["bounced"]),
        ("bounced", False, []),
        ("bounced", None, []),
        ("rejected", True, ["bounced"]),
        ("rejected", None, []),
        ("complained", None, ["complained"]),
        ("unsubscribed", None, ["unsubscribed"]),
        ("deferred", True, []),
        ("delivered", None, []),
        ("opened", None, []),
        ("inbound", None, []),
    ],
)
def test_what_feedback_asks_for(
    outbox: Outbox, kind: Kind, permanent: bool | None, reason: list[str]
) -> None:
    """Hard bounces at once, complaints, unsubscriptions; nothing else by itself."""
    learn(outbox, [told(kind, permanent=permanent)])
    assert reasons(outbox, "email", "ada@example.org") == reason


def test_five_soft_bounces_in_thirty_days(outbox: Outbox) -> None:
    """The fifth counts, told twice or not; four do not, nor five in a longer time."""
    early = [told("bounced", NOW - 40 * DAY + n) for n in range(4)]
    learn(outbox, early)
    learn(outbox, early)
    assert reasons(outbox, "email", "ada@example.org") == []
    learn(outbox, [told("bounced", NOW - n * DAY) for n in range(4)])
    assert reasons(outbox, "email", "ada@example.org") == []
    learn(outbox, [told("bounced", NOW - 4 * DAY)])
    assert reasons(outbox, "email", "ada@example.org") == ["soft_bounced"]
    outbox.suppressions.remove("email", "ada@example.org")
    learn(outbox, [told("bounced", NOW + 1)])
    assert reasons(outbox, "email", "ada@example.org") == []


def test_stop_and_start(outbox: Outbox) -> None:
    """The number's last word counts, in whatever order it is told."""
    number = "+420601000001"
    learn(outbox, [told("resubscribed", NOW + 2, number), told("unsubscribed", NOW + 1, number)])
    assert reasons(outbox, "sms", number) == []
    learn(outbox, [told("unsubscribed", NOW + 3, number)])
    assert reasons(outbox, "sms", number) == ["unsubscribed"]
    assert outbox.suppressions.topics("sms", number) == {"": True}


def test_start_lifts_no_bounce(outbox: Outbox) -> None:
    """Wanting mail makes no mailbox."""
    learn(outbox, [told("bounced", NOW, permanent=True), told("resubscribed", NOW + 1)])
    assert reasons(outbox, "email", "ada@example.org") == ["bounced"]


def test_a_bounce_cannot_choose_whom_it_is_about(outbox: Outbox) -> None:
    """Only who the delivery went to; a forwarded address stands for the one that forwards."""
    ada, bob = (digest_of("email", f"{name}@example.org") for name in ("ada", "bob"))
    forged = told("bounced", permanent=True, recipient="victim@example.org", content="email")
    learn(outbox, [replace(forged, recipients=(ada, bob), id="1")])
    assert outbox.suppressions.list() == []
    learn(outbox, [replace(forged, recipients=(ada,), id="2")])
    assert reasons(outbox, "email", "ada@example.org") == ["bounced"]
    assert reasons(outbox, "email", "victim@example.org") == []
    learn(outbox, [replace(forged, recipients=(ada, bob), recipient="BOB@example.org", id="3")])
    assert reasons(outbox, "email", "bob@example.org") == ["bounced"]


def test_erased_users_stay_suppressed(outbox: Outbox) -> None:
    """Only the digest is kept, so that nobody writes to them again."""
    learn(outbox, [told("complained")])
    digest = digest_of("email", "ada@example.org")
    with outbox.database.writing() as connection:
        suppressions.forget(connection, outbox.env, [digest])
    [kept] = outbox.suppressions.list()
    assert (kept.address, kept.digest, kept.reason) == ("", digest, "complained")
    assert reasons(outbox, "email", "ada@example.org") == ["complained"]


async def test_erasing_a_user_forgets_the_address(outbox: Outbox) -> None:
    """By way of the deliveries that went there."""
    async with Deliverer(outbox=outbox, email=Taking("mail")) as deliverer:
        await deliverer.send(NEWS, ADA, key="k", data={"n": 1}, contents=["email"])
    outbox.suppressions.add("email", "ada@example.org", note="asked by phone")
    assert outbox.erase("u1") == 1
    [kept] = outbox.suppressions.list()
    assert (kept.address, kept.note) == ("", "")


async def test_erasing_whoever_never_got_anything(outbox: Outbox) -> None:
    """Their address is forgotten though no delivery went to it."""
    outbox.suppressions.add("email", "Ada@example.org", note="asked by phone")
    outbox.suppressions.add("sms", "+420601000001")
    async with Deliverer(outbox=outbox, email=Taking("mail"), sms=Taking("texts")) as deliverer:
        sent = await deliverer.send(NEWS, ADA, key="k", data={"n": 1})
    assert states(sent) == ["suppressed"] * 2
    assert outbox.erase("u1") == 2
    assert {(one.address, one.note) for one in outbox.suppressions.list()} == {("", "")}
    assert reasons(outbox, "email", "ada@example.org") == ["manual"]


def test_other_environments_are_others(database: str, outbox: Outbox) -> None:
    """What dev suppresses, prod does not."""
    outbox.suppressions.add("email", "ada@example.org")
    prod = Outbox(database, env="prod")
    assert prod.suppressions.find("email", "ada@example.org") == []
    prod.close()


@pytest.mark.parametrize(
    ("content", "spellings"),
    [
        ("email", ["ada@example.org", " ADA@Example.ORG", "Ada@EXAMPLE.org "]),
        ("email", ["ada@bücher.example", "ADA@BÜCHER.example", "ada@xn--bcher-kva.example"]),
        ("sms", ["+420601000001", "+420 601 000 001", "+420-601-000-001"]),
        ("push", ['{"endpoint": "https://p.example/x", "keys": {}}',
                  '{"keys":{"a":1},"endpoint":"https://p.example/x"}']),
    ],
)  # fmt: skip
def test_spellings_of_one_address(content: ContentName, spellings: list[str]) -> None:
    """They have one digest."""
    assert len({digest_of(content, one) for one in spellings}) == 1


@given(st.text(max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_text_may_be_an_address(text: str) -> None:
    """Comparing twice changes nothing, whatever it is."""
    for content in ("email", "sms", "push"):
        once = comparable(content, text)
        assert comparable(content, once) == once
        digest_of(content, text)


KINDS: list[Kind] = ["bounced", "complained", "unsubscribed", "resubscribed", "delivered"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(KINDS),
            st.integers(0, 12),
            st.sampled_from([True, False, None]),
            st.sampled_from(["", "weekly", "offers"]),
        ),
        max_size=12,
    ),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_order_and_repetition_change_nothing(
    facts: list[tuple[Kind, int, bool | None, str]], chance: random.Random
) -> None:
    """Told in any order, any of it twice, in any batches: the same holds in the end."""
    all_told = [
        told(
            kind, NOW + at * DAY, permanent=permanent, topic=topic * (kind != "bounced"), id=str(n)
        )
        for n, (kind, at, permanent, topic) in enumerate(facts)
    ]
    ends = []
    for _ in range(2):
        some = [*all_told, *chance.sample(all_told, len(all_told) // 2)]
        chance.shuffle(some)
        with TemporaryDirectory() as folder:
            outbox = Outbox(f"sqlite:///{folder}/o.db", clock=Clock())
            outbox.create()
            while some:
                size = chance.randint(1, 4)
                learn(outbox, some[:size])
                some = some[size:]
            found = outbox.suppressions.list()
            outbox.close()
        ends.append(sorted((one.reason, one.topic, one.since) for one in found))
    assert ends[0] == ends[1]


def test_forbidding_is_about_kind_topic_and_content() -> None:
    """The table of docs/suppression.md."""
    for reason in REASONS:
        for content in ("email", "sms", "push"):
            for kind in ("transactional", "marketing"):
                found = forbids(reason, "", content=content, kind=kind, topic="")
                free = reason == "unsubscribed" and kind == "transactional" and content != "sms"
                assert found is not free


async def test_a_clock_that_is_ahead_decides_nothing(outbox: Outbox) -> None:
    """START "in 2099" lifts what was told before it came, and nothing after."""
    number = "+420601000001"
    about: dict[str, Any] = {"channel": "texts", "recipient": number}
    later = datetime(2099, 1, 1, tzinfo=UTC)
    intake = Intake(outbox)
    await intake.take([Feedback(kind="resubscribed", id="1", at=later, **about)])
    outbox.suppressions.add("sms", number, "unsubscribed")
    assert reasons(outbox, "sms", number) == ["unsubscribed"]
    await intake.take([Feedback(kind="unsubscribed", id="2", at=later, **about)])
    outbox.suppressions.remove("sms", number)
    assert reasons(outbox, "sms", number) == []
