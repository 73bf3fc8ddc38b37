"""Whatever the order of the worker's result and what the provider tells, the end is the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from promising import NEWS, Clock, order
from telling import told

from vero_deliver import Outbox
from vero_deliver.feedback import Feedback, Kind
from vero_deliver.mime import key_digest
from vero_deliver.outbox import events
from vero_deliver.outbox.evidence import SAYS
from vero_deliver.outbox.records import Leased, Result, Start
from vero_deliver.states import State

WEIGHT: Final[tuple[State, ...]] = ("accepted", "delivered", "bounced", "complained")
SILENT: Final[tuple[Kind, ...]] = ("inbound", "unknown", "unsubscribed")
_numbers = count()
Answer = Literal["accepted", "uncertain", "refused", "lost"]


@dataclass(frozen=True)
class Story:
    """What truly happened to one delivery, and what is told of it."""

    answer: Answer  # what the worker files; "lost" is a worker that never does
    kinds: tuple[Kind, ...]
    by: Literal["key", "digest", "provider_id"]

    def feedback(self, key: str) -> list[Feedback]:
        about: dict[str, Any] = {
            "key": {"key": key},
            "digest": {"digest": key_digest(key)},
            "provider_id": {"provider_id": f"p-{key}"},
        }[self.by]
        return [told(kind, **about) for kind in self.kinds]

    def end(self) -> State:
        """The state that is true of it."""
        said: set[State] = {SAYS[kind] for kind in self.kinds if kind in SAYS}
        if self.by == "provider_id" and self.answer != "accepted":
            said = set()  # nobody knows whose it is
        if self.answer == "refused":
            return "refused"
        if self.answer == "accepted":
            said.add("accepted")
        return max(said, key=WEIGHT.index) if said else "uncertain"


stories = st.builds(
    Story,
    st.sampled_from(("accepted", "uncertain", "lost")),
    st.lists(st.sampled_from([*SAYS, *SILENT]), max_size=3).map(tuple),
    st.sampled_from(("key", "digest", "provider_id")),
) | st.builds(Story, st.just("refused"), st.just(()), st.just("key"))


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data(), told_of=st.lists(stories, min_size=1, max_size=3))
def test_any_interleaving_ends_alike(
    outbox: Outbox, data: st.DataObject, told_of: list[Story]
) -> None:
    """Also where it is told twice, several in one post, and replayed at the end."""
    clock = Clock()
    env = f"e{next(_numbers)}"
    own = Outbox(outbox.database.engine, env=env, clock=clock)
    keys = [f"k{number}" for number in range(len(told_of))]
    own.add(NEWS, [order(own, key) for key in keys])
    leased = {one.key: one for one in own.claim(["sms"], 10)}
    own.file([Start(one, "c", repeatable=False) for one in leased.values()], [])
    acts: list[Callable[[], object]] = []
    for key, story in zip(keys, told_of, strict=True):
        posts = story.feedback(key)
        acts += [_taking(own, posts[:1]), _taking(own, posts[1:]), _taking(own, posts)]
        if story.answer != "lost":
            acts.append(_filing(own, leased[key], story.answer))

    def recover() -> None:
        """The lost worker's lease has ended, and maybe that of the others."""
        clock.now += 61
        own.recover()

    acts.append(recover)
    for act in data.draw(st.permutations(acts)):
        act()
    recover()
    true = {key: one.end() for key, one in zip(keys, told_of, strict=True)}
    assert {record.key: record.state for record in own.search()} == true
    own.feedback.replay()
    assert {record.key: record.state for record in own.search()} == true
    assert own.claim(["sms"], 10) == [], "nothing is sent again"


def _taking(outbox: Outbox, feedback: list[Feedback]) -> Callable[[], object]:
    return lambda: outbox.feedback.take(feedback)


def _filing(outbox: Outbox, leased: Leased, answer: State) -> Callable[[], object]:
    def file() -> None:
        now = outbox.now()
        named = f"p-{leased.key}" if answer == "accepted" else ""
        about: Any = {"ended_at": now, "started_at": now, "channel": "c", "provider_id": named}
        about["in_doubt"] = answer == "uncertain"
        outbox.file([], [Result(leased=leased, state=answer, **about)])

    return file


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_two_at_the_same_moment(outbox: Outbox) -> None:
    """PostgreSQL shows neither transaction the other's rows: the next recover() joins them."""
    outbox.add(NEWS, [order(outbox, "k")])
    [leased] = outbox.claim(["sms"], 1)
    outbox.file([Start(leased, "c", repeatable=False)], [])
    now = outbox.now()
    with outbox.database.writing() as connection:
        events.take(connection, "dev", [told("delivered", provider_id="p-k")], now)
        _filing(outbox, leased, "accepted")()
    assert outbox.count() == {"accepted": 1}
    outbox.recover()
    assert outbox.count() == {"delivered": 1}
