"""The outbox as a state machine: whatever workers, people and clocks do, in whatever order."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from promising import NEWS, Clock, order
from sqlalchemy import Engine
from telling import told

from vero_deliver import Outbox
from vero_deliver.feedback import Kind
from vero_deliver.mime import key_digest
from vero_deliver.outbox.records import Leased, Result, Start
from vero_deliver.states import FOLLOWS, OPEN, UNREACHABLE, State

ANSWERS: tuple[State, ...] = ("accepted", "deferred", "refused", "gone", "uncertain")
GIVEN_UP: tuple[State, ...] = ("skipped", "unrendered")
FIRST, SECOND = "x-0", "x-1"  # contents of one send, of which the first reachable is sent
ALONE = "abcdef"
KEYS = st.sampled_from([*ALONE, FIRST, SECOND])
WORKERS = st.sampled_from([0, 1])
_environments = count(1)


class Life(RuleBasedStateMachine):
    """Two workers over one store; each delivery is what it was, or what may follow."""

    leases = Bundle("leases")  # claimed
    begun = Bundle("begun")  # allowed to be handed over

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.clock = Clock()
        env = f"e{next(_environments)}"  # deliveries of its own
        self.workers = [Outbox(engine, env=env, clock=self.clock, lease=60) for _ in range(2)]
        self.outbox = self.workers[0]
        self.before: dict[str, State] = {}
        self.handed: dict[str, list[tuple[str, bool]]] = defaultdict(list)  # lease, repeatable
        self.again: set[str] = set()  # a person said so
        self.patience: int | None = None  # of the second of two

    @rule(keys=st.lists(st.sampled_from(ALONE), min_size=1, max_size=3), late=st.booleans())
    def add(self, keys: list[str], *, late: bool) -> None:
        """A key that is there stays as it is."""
        changes = {"due_at": self.outbox.now() + 500_000} if late else {}
        orders = [order(self.outbox, key, user_id=key, **changes) for key in dict.fromkeys(keys)]
        assert self.outbox.add(NEWS, orders) == set(keys) - set(self.before)

    @rule(patience=st.sampled_from([None, 100_000]))
    def add_first_of_two(self, patience: int | None) -> None:
        """The second waits for what becomes of the first, or for its time to be over."""
        how: Any = {"send_key": "x", "fallback_after": patience}
        orders = [
            order(self.outbox, key, user_id=key, rank=rank, **how)
            for rank, key in enumerate((FIRST, SECOND))
        ]
        if self.outbox.add(NEWS, orders):
            self.patience = patience
        assert {FIRST, SECOND} <= set(self.states())

    @rule(target=leases, worker=WORKERS, limit=st.integers(1, 3))
    def claim(self, worker: int, limit: int) -> object:
        """Each claim is a lease of its own."""
        claimed = self.workers[worker].claim(["sms"], limit)
        assert len(claimed) <= limit
        assert all(self.before[one.key] in ("queued", "deferred") for one in claimed)
        return multiple(*claimed)

    @rule(target=begun, lease=leases, worker=WORKERS, repeatable=st.booleans())
    def start(self, lease: Leased, worker: int, *, repeatable: bool) -> object:
        """Who may hand over is nobody's rival, and repeats only what may be repeated."""
        if self._handed_over(lease):
            return multiple()  # the desk hands over once per lease
        if not self.workers[worker].file([Start(lease, "c", repeatable)], []).held:
            return multiple()
        states = {one.number: one.state for one in self.outbox.attempts(lease.key)}
        if lease.key not in self.again:
            for number, (_, may_repeat) in enumerate(self.handed[lease.key], 1):
                assert states[number] == "deferred" or may_repeat, "handed over again"
        self.handed[lease.key].append((lease.lease, repeatable))
        return lease

    @rule(
        answered=st.lists(st.tuples(consumes(begun), st.sampled_from(ANSWERS)), max_size=3),
        worker=WORKERS,
    )
    def answer(self, answered: list[tuple[Leased, State]], worker: int) -> None:
        """An answer counts where the lease holds; else it is kept as an attempt."""
        now = self.outbox.now()
        results = [
            Result(
                leased=lease, state=state, ended_at=now, started_at=now, channel="c",
                next_attempt_at=now + 1000 if state == "deferred" else None,
                in_doubt=lease.in_doubt or state == "uncertain",
            )
            for lease, state in answered
        ]  # fmt: skip
        self.workers[worker].file([], results)
        shown = self.states()
        self.workers[worker].file([], results)  # the same again changes nothing
        assert shown == self.states()
        assert [self._told(lease) for lease, _ in answered] == [state for _, state in answered]

    @rule(lease=leases, state=st.sampled_from(GIVEN_UP))
    def give_up(self, lease: Leased, state: State) -> None:
        """It could not be rendered; that counts only while it was not handed over."""
        if not self._handed_over(lease):
            self.outbox.file([], [Result(leased=lease, state=state, ended_at=self.outbox.now())])

    @rule(lease=leases)
    def release(self, lease: Leased) -> None:
        """What was handed over is not given back."""
        self.outbox.release([lease])

    @rule(lease=leases, worker=WORKERS)
    def renew(self, lease: Leased, worker: int) -> None:
        """A lease that was lost stays lost."""
        self.workers[worker].renew([lease.lease])

    @rule(seconds=st.sampled_from([1, 61, 3_600, -3_600]), worker=WORKERS)
    def pass_time(self, seconds: int, worker: int) -> None:
        """Also an hour forth or back."""
        self.clock.now += seconds
        self.workers[worker].recover()

    @rule(key=KEYS)
    def cancel(self, key: str) -> None:
        """What may be under way, or has been sent, cannot be called off."""
        done = self.outbox.cancel(key)
        assert not done or self.before[key] in ("queued", "deferred", "uncertain")

    @rule(key=KEYS)
    def retry(self, key: str) -> None:
        """A person may repeat whatever ended without being accepted."""
        if self.outbox.retry(key, timedelta(days=1)):
            self.again.add(key)

    @rule(key=KEYS)
    def erase(self, key: str) -> None:
        """Its key stays, so that it is not sent again."""
        self.outbox.erase(key)

    @rule(
        key=KEYS,
        kinds=st.lists(st.sampled_from(get_args(Kind)), min_size=1, max_size=3),
        by_digest=st.booleans(),
    )
    def tell(self, key: str, kinds: list[Kind], *, by_digest: bool) -> None:
        """Feedback at any time, also of what is not there or was never sent."""
        about = {"digest": key_digest(key)} if by_digest else {"key": key}
        self.outbox.feedback.take([told(kind, **about) for kind in kinds])

    @rule()
    def replay(self) -> None:
        """Once more from what is kept changes nothing that is not pending."""
        self.outbox.feedback.replay()

    @invariant()
    def only_documented_transitions(self) -> None:
        """From any state to one that can be reached from it by documented steps."""
        now = self.states()
        assert set(self.before) <= set(now)
        for key, state in self.before.items():
            assert now[key] == state or now[key] in reachable(state), (key, state, now[key])
        self.before = now

    @invariant()
    def waiting_and_leased_are_what_they_say(self) -> None:
        """What waits has a time; what is leased has an end; nothing else has either."""
        for record in self.outbox.search():
            waits = record.state in ("queued", "deferred")
            if record.key != SECOND:
                assert (record.next_attempt_at is not None) == waits
            assert (record.lease_until is not None) == (record.state == "sending")
            assert record.state in OPEN or record.next_attempt_at is None

    @invariant()
    def one_content_at_a_time(self) -> None:
        """The second goes only where the first does not reach the user, unless a person asked."""
        if SECOND in self.before and not self.again & {FIRST, SECOND}:
            tried = self.before[SECOND] not in ("queued", "cancelled")
            ended = self.before[FIRST] in UNREACHABLE or self.patience is not None
            assert not tried or ended

    def states(self) -> dict[str, State]:
        return {record.key: record.state for record in self.outbox.search()}

    def _handed_over(self, lease: Leased) -> bool:
        return any(token == lease.lease for token, _ in self.handed[lease.key])

    def _told(self, lease: Leased) -> State:
        told = {one.number: one for one in self.outbox.attempts(lease.key)}
        return told[lease.attempts + 1].state


def reachable(state: State) -> frozenset[State]:
    """In one step, or in the two that one transaction may take (leased, and at once expired)."""
    next_ = FOLLOWS[state]
    return next_ | (FOLLOWS["sending"] if "sending" in next_ else frozenset())


def test_every_order_of_events(outbox: Outbox) -> None:
    """Hypothesis looks for an order that breaks what Life holds."""
    few: Any = [HealthCheck.too_slow]
    machine: Any = partial(Life, outbox.database.engine)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=few
        ),
    )
