"""Feedback that is taken: kept once, matched, and weighed against what the worker files."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from promising import NEWS, order
from telling import SECOND, START, accepted, clocked, end, started, state, told

from vero_deliver import Intake, Outbox
from vero_deliver.errors import OutboxError
from vero_deliver.feedback import Kind
from vero_deliver.mime import key_digest
from vero_deliver.outbox.records import Start
from vero_deliver.outbox.suppressions import Entry
from vero_deliver.states import State

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("kinds", "end_state"),
    [
        (["sent"], "accepted"),
        (["deferred", "delivered"], "delivered"),
        (["opened"], "delivered"),
        (["clicked", "sent"], "delivered"),
        (["bounced", "delivered"], "bounced"),
        (["rejected"], "bounced"),
        (["failed"], "bounced"),
        (["complained", "bounced", "delivered"], "complained"),
        (["unsubscribed", "inbound", "unknown", "autoresponded"], "accepted"),
    ],
)
async def test_the_state_follows(outbox: Outbox, kinds: list[Kind], end_state: State) -> None:
    """What was accepted goes on to what is told, whatever the order."""
    for number, ordered in enumerate((kinds, kinds[::-1])):
        key = f"k{number}"
        accepted(outbox, key)
        for kind in ordered:
            await Intake(outbox).take([told(kind, key)])
        assert state(outbox, key) == end_state


@pytest.mark.parametrize(
    "about",
    [
        {"key": "k"},
        {"digest": key_digest("k")},
        {"provider_id": "p1"},
    ],
    ids=["key", "digest", "provider_id"],
)
async def test_it_finds_its_delivery(outbox: Outbox, about: Any) -> None:
    """By key, by the key's digest, by channel and the provider's id; and by nothing else."""
    accepted(outbox, "k", "p1")
    accepted(outbox, "other", "p2")
    strange = [told("bounced", "K"), told("bounced", provider_id="p1", channel="d")]
    strange += [told("bounced"), told("bounced", digest="f" * 32), told("bounced", digest="k")]
    await Intake(outbox).take(strange)
    assert state(outbox, "k") == "accepted"
    await Intake(outbox).take([told("delivered", **about)])
    assert state(outbox, "k") == "delivered"
    assert state(outbox, "other") == "accepted"


async def test_another_environment_is_not_touched(outbox: Outbox) -> None:
    """The same key there is another delivery."""
    prod = Outbox(outbox.database.engine, env="prod")
    for one in (outbox, prod):
        accepted(one, "k", "p")
    for about in ({"key": "k"}, {"digest": key_digest("k")}, {"provider_id": "p"}):
        await Intake(prod).take([told("bounced", **about)])
    assert (state(outbox, "k"), state(prod, "k")) == ("accepted", "bounced")
    assert outbox.feedback.search() == []


async def test_what_is_told_twice_counts_once(outbox: Outbox) -> None:
    """In one post or in two; with another channel's name it is another's."""
    accepted(outbox, "k")
    one = told("opened", "k", id="e")
    await Intake(outbox).take([one, one])
    await Intake(outbox).take([one, told("opened", "k", id="e", channel="d")])
    assert [kept.feedback.channel for kept in outbox.feedback.of("k")] == ["c", "d"]


async def test_all_of_it_is_kept(outbox: Outbox) -> None:
    """What is read back is what was told, but for what no database takes."""
    accepted(outbox, "k")
    full = told(
        "clicked", "k", digest=key_digest("k"), provider_id="p", recipient="ada@example.org",
        reason="other", permanent=False, smtp_code=450, enhanced_status="4.7.1", diagnostic="no",
        text="hm", url="https://example.com/ü", user_agent="Mozilla", ip="192.0.2.1", machine=True,
        tags=("a", "b"), metadata={"order": "7"}, raw={"n": [1, "\0", None]},
    )  # fmt: skip
    odd = told("inbound", "k", text="a\0b\ud800", smtp_code=10**20, id="x" * 9_000)
    await Intake(outbox).take([full, odd])
    [first, second] = outbox.feedback.of("k")
    assert first.feedback == full
    assert first.delivery == "k"
    assert (second.feedback.text, second.feedback.smtp_code) == ("ab?", None)
    assert len(second.feedback.id) < 100


@pytest.mark.parametrize("about", [{"key": "k"}, {"provider_id": "p"}])
async def test_a_webhook_may_be_quicker_than_the_worker(outbox: Outbox, about: Any) -> None:
    """It comes while the message is being sent; once the worker files "accepted" it counts."""
    leased = started(outbox, "k")
    await Intake(outbox).take([told("delivered", **about)])
    assert state(outbox, "k") == "sending", "the worker has it"
    assert end(outbox, leased, "accepted", provider_id="p", digest="d")
    record = outbox.get("k")
    assert record
    assert (record.state, record.provider_id, record.digest) == ("delivered", "p", "d")
    assert [(kept.delivery, kept.pending) for kept in outbox.feedback.search()] == [("k", False)]


async def test_a_webhook_may_be_quicker_than_the_record(outbox: Outbox) -> None:
    """What no record is known of waits for it; nothing goes from queued to delivered."""
    await Intake(outbox).take([told("delivered", "k")])
    outbox.add(NEWS, [order(outbox, "k")])
    assert state(outbox, "k") == "queued"
    [leased] = outbox.claim(["sms"], 1)
    outbox.file([Start(leased, "c", repeatable=False)], [])
    assert end(outbox, leased, "accepted")
    assert state(outbox, "k") == "delivered"


async def test_it_settles_what_a_lost_worker_had(outbox: Outbox) -> None:
    """Told before the lease has run out: the message is not sent again."""
    own, clock = clocked(outbox)
    leased = started(own, "k", repeatable=True)
    await Intake(own).take([told("sent", "k")])
    clock.now += 61
    own.recover()
    assert state(own, "k") == "accepted"
    assert own.claim(["sms"], 1) == []
    assert not end(own, leased, "deferred"), "the late answer changes nothing"
    assert state(own, "k") == "accepted"


@pytest.mark.parametrize("repeatable", [True, False])
async def test_it_settles_doubt(outbox: Outbox, *, repeatable: bool) -> None:
    """Told after it: what is uncertain, or would be tried again, has arrived."""
    own, clock = clocked(outbox)
    started(own, "k", repeatable=repeatable)
    clock.now += 61
    own.recover()
    assert state(own, "k") == ("deferred" if repeatable else "uncertain")
    await Intake(own).take([told("opened", "k", provider_id="p")])
    record = own.get("k")
    assert record
    assert (record.state, record.in_doubt, record.error) == ("delivered", False, "")
    assert (record.next_attempt_at, record.lease_until, record.provider_id) == (None, None, "p")
    assert record.accepted_at == START
    assert own.claim(["sms"], 1) == []


async def test_what_is_leased_again_is_not_sent_again(outbox: Outbox) -> None:
    """The first attempt arrived, as is told between the second lease and its hand-over."""
    own, clock = clocked(outbox)
    started(own, "k", repeatable=True)
    clock.now += 61
    own.recover()
    [again] = own.claim(["sms"], 1)
    await Intake(own).take([told("delivered", "k")])
    assert not own.file([Start(again, "c", repeatable=True)], []).held
    assert state(own, "k") == "delivered"


async def test_a_bounce_of_an_earlier_attempt(outbox: Outbox) -> None:
    """A person had it sent again, and the provider accepted that: the old bounce is history."""
    own, _ = clocked(outbox)
    assert end(own, started(own, "k"), "refused", provider_id="p1")
    assert own.retry("k", timedelta(days=1))
    [leased] = own.claim(["sms"], 1)
    own.file([Start(leased, "c", repeatable=False)], [])
    assert end(own, leased, "accepted", provider_id="p2")
    await Intake(own).take([told("bounced", "k", provider_id="p1")])
    assert state(own, "k") == "accepted"
    await Intake(own).take([told("bounced", "k", provider_id="p2")])
    assert state(own, "k") == "bounced"


async def test_a_bounce_says_why(outbox: Outbox) -> None:
    """The server's words, the latest ones."""
    accepted(outbox, "k")
    words = {"diagnostic": "no such user", "smtp_code": 550, "enhanced_status": "5.1.1"}
    late = told("bounced", "k", at=START + SECOND, **words)
    await Intake(outbox).take([late, told("bounced", "k", diagnostic="hm")])
    record = outbox.get("k")
    assert record
    assert (record.error, record.code) == ("no such user", "550 5.1.1")


async def test_contents_of_which_one_is_sent(outbox: Outbox) -> None:
    """What is told to have arrived calls off the one that waits for it to fail."""
    own, clock = clocked(outbox)
    orders = [order(own, f"k{rank}", send_key="k", rank=rank) for rank in (0, 1)]
    own.add(NEWS, orders)
    [leased] = own.claim(["sms"], 2)
    own.file([Start(leased, "c", repeatable=False)], [])
    clock.now += 61
    own.recover()
    assert [state(own, f"k{rank}") for rank in (0, 1)] == ["uncertain", "cancelled"]
    await Intake(own).take([told("opened", "k0")])
    assert state(own, "k0") == "delivered"


async def test_replay_after_a_restore(outbox: Outbox) -> None:
    """Deliveries that come from an older copy learn what was told since; again changes nothing."""
    accepted(outbox, "k", "p")
    await Intake(outbox).take([told("bounced", "k"), told("delivered", "gone"), told("inbound")])
    with outbox.database.writing() as connection:
        connection.exec_driver_sql("UPDATE vero_deliveries SET state = 'accepted'")
    for _ in range(2):
        assert outbox.feedback.replay() == 1
        assert state(outbox, "k") == "bounced"
    assert outbox.feedback.replay(kinds=["delivered"]) == 0


async def test_addresses_are_learnt(outbox: Outbox) -> None:
    """A hard bounce, and whatever else suppresses; the app hears of it, also when told again."""
    heard: list[str] = []

    async def learnt(entries: Sequence[Entry]) -> None:
        heard.extend(f"{one.reason} {one.address} {one.topic}" for one in entries)
        if len(heard) == 1:
            raise RuntimeError("the app's database is away")

    intake = Intake(outbox, learnt=learnt)
    bounce = told("bounced", "nobody's", recipient="ada@example.org", permanent=True)
    with pytest.raises(RuntimeError):
        await intake.take([bounce])
    await intake.take([bounce])
    await intake.take([told("unsubscribed", recipient="bob@example.org", topic="news")])
    await intake.take([told("opened", recipient="bob@example.org")])
    dead = "bounced ada@example.org "
    assert heard == [dead, dead, "unsubscribed bob@example.org news"]
    assert [one.reason for one in outbox.suppressions.find("email", "Ada@Example.org")] == [
        "bounced"
    ]


async def test_one_post_of_many(outbox: Outbox) -> None:
    """Posts that come together are written together; each is answered."""
    for number in range(20):
        accepted(outbox, f"k{number}")
    intake = Intake(outbox)
    posts = [[told("delivered", f"k{n}"), told("opened", f"k{n}")] for n in range(20)]
    await asyncio.gather(*[intake.take(post) for post in posts])
    assert outbox.count() == {"delivered": 20}
    assert len(outbox.feedback.search()) == 40


async def test_a_post_that_cannot_be_kept_fails_alone(outbox: Outbox) -> None:
    """Whatever is wrong with it: those that came at the same moment are kept."""
    accepted(outbox, "k")
    intake = Intake(outbox)
    naive = told("opened", "k", at=START.replace(tzinfo=None))
    posts = [[told("opened", "k")], [naive], [told("clicked", "k")]]
    ends = await asyncio.gather(*map(intake.take, posts), return_exceptions=True)
    assert [type(end) for end in ends] == [type(None), TypeError, type(None)]
    assert len(outbox.feedback.of("k")) == 2


async def test_a_database_that_fails_is_told(tmp_path: Any) -> None:
    """The provider has to repeat it."""
    outbox = Outbox(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(OutboxError, match="outbox create"):
        await Intake(outbox).take([told("opened", "k")])
    outbox.create()
    intake = Intake(outbox)
    await intake.take([])
    await intake.take([told("opened", "k")])
    assert len(outbox.feedback.search()) == 1
    outbox.close()


async def test_search(outbox: Outbox) -> None:
    """All that is given must match; the newest comes first."""
    own, clock = clocked(outbox)
    accepted(own, "k")
    await Intake(own).take([told("sent", "k"), told("opened", "k"), told("sent", channel="d")])
    clock.now += 10
    await Intake(own).take([told("clicked", "k")])
    assert own.feedback.search(key="k")[0].feedback.kind == "clicked"
    assert len(own.feedback.search(kinds=["sent"], channel="d")) == 1
    since = datetime.fromtimestamp(clock.now, UTC)
    assert [kept.feedback.kind for kept in own.feedback.search(since=since)] == ["clicked"]
    [latest] = own.feedback.search(limit=1)
    assert own.feedback.after(latest.received_at, latest.number) == []
    first = own.feedback.after(START, limit=2)
    rest = own.feedback.after(first[-1].received_at, first[-1].number)
    assert [kept.number for kept in first + rest] == [1, 2, 3, 4]


async def test_erase_and_purge(outbox: Outbox) -> None:
    """Nothing of an erased user is left in feedback, also of what comes later; the old goes."""
    own, clock = clocked(outbox)
    own.add(NEWS, [order(own, "k", user='{"email": "Ada@example.org", "phone": "+4206"}')])
    personal: Any = {"recipient": "ada@example.org", "ip": "192.0.2.9", "user_agent": "Ada's"}
    personal |= {"text": "Ada", "diagnostic": "<Ada>", "raw": {"email": "ada@example.org"}}
    inbound = told("inbound", id="i", recipient="+4206", text="Ada was here")
    await Intake(own).take([told("opened", "k", **personal), inbound])
    own.erase("u1")
    await Intake(own).take([inbound, told("clicked", "k", **personal)])
    with own.database.reading() as connection:
        text = str(connection.exec_driver_sql("SELECT * FROM vero_events").all())
    assert not [
        word for word in ("da", "+4206", "192.0.2.9") if word in text.replace("pending", "")
    ]
    assert len(own.feedback.search()) == 3
    clock.now += 86_400
    assert own.purge(datetime.fromtimestamp(clock.now, UTC)) == 1
    assert own.feedback.search() == []
