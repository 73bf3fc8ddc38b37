"""The outbox as a state machine: whatever workers, people and clocks do, in whatever order."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)
from promising import NEWS, Clock, order
from telling import told

from vero_deliver import Outbox
from vero_deliver.feedback import Kind
from vero_deliver.mime import key_digest
from vero_deliver.outbox.records import Leased, Result, Start
from vero_deliver.states import FOLLOWS, OPEN, State

ANSWERS: tuple[State, ...] = (
    "accepted", "deferred", "refused", "gone", "uncertain", "skipped", "unrendered",
)  # fmt: skip


class Life(RuleBasedStateMachine):
    """Two workers' worth of leases over one store; each key is what it was, or what may follow."""

    leases = Bundle("leases")  # claimed
    begun = Bundle("begun")  # allowed to be handed over

    @initialize()
    def open(self) -> None:
        self.folder = TemporaryDirectory()
        self.clock = Clock()
        self.outbox = Outbox(f"sqlite:///{Path(self.folder.name)}/o.db", clock=self.clock, lease=60)
        self.outbox.create()
        self.before: dict[str, State] = {}
        self.handed: dict[str, list[tuple[str, bool]]] = {}  # key: each lease, and repeatable
        self.again: set[str] = set()  # a person said so

    def teardown(self) -> None:
        if hasattr(self, "outbox"):
            self.outbox.close()
            self.folder.cleanup()

    @rule(keys=st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3), late=st.booleans())
    def add(self, keys: list[str], *, late: bool) -> None:
        """A key that is there stays as it is."""
        known = set(self.before)
        changes = {"due_at": self.outbox.now() + 500_000} if late else {}
        orders = [order(self.outbox, key, **changes) for key in dict.fromkeys(keys)]
        assert self.outbox.add(NEWS, orders) == set(keys) - known

    @rule(target=leases, limit=st.integers(1, 3))
    def claim(self, limit: int) -> object:
        claimed = self.outbox.claim(["sms"], limit)
        assert len(claimed) <= limit
        return multiple(*claimed)

    @rule(target=begun, lease=leases, repeatable=st.booleans())
    def start(self, lease: Leased, *, repeatable: bool) -> object:
        """Who may hand over is nobody's rival, and repeats only what may be repeated."""
        if any(token == lease.lease for token, _ in self.handed.get(lease.key, [])):
            return multiple()  # the desk hands over once per lease
        if not self.outbox.file([Start(lease, "c", repeatable)], []):
            return multiple()
        earlier = self.handed.setdefault(lease.key, [])
        states = {one.number: one.state for one in self.outbox.attempts(lease.key)}
        if lease.key not in self.again:
            for number, (_, may_repeat) in enumerate(earlier, 1):
                assert states[number] == "deferred" or may_repeat, "handed over again"
        earlier.append((lease.lease, repeatable))
        return lease

    @rule(lease=consumes(begun), state=st.sampled_from(ANSWERS[:5]))
    def answer(self, lease: Leased, state: State) -> None:
        """An answer counts where the lease holds; else it is kept as an attempt."""
        now = self.outbox.now()
        again = now + 1000 if state == "deferred" else None
        doubt = lease.in_doubt or state == "uncertain"
        self.outbox.file(
            [],
            [
                Result(
                    leased=lease, state=state, ended_at=now, started_at=now, channel="c",
                    next_attempt_at=again, in_doubt=doubt,
                )
            ],
        )  # fmt: skip
        told = {one.number: one.state for one in self.outbox.attempts(lease.key)}
        assert told[lease.attempts + 1] == state

    @rule(lease=leases, state=st.sampled_from(ANSWERS[5:]))
    def give_up(self, lease: Leased, state: State) -> None:
        """It could not be rendered; that counts only while it was not handed over."""
        if not any(token == lease.lease for token, _ in self.handed.get(lease.key, [])):
            self.outbox.file([], [Result(leased=lease, state=state, ended_at=self.outbox.now())])

    @rule(lease=leases)
    def release(self, lease: Leased) -> None:
        self.outbox.release([lease])

    @rule(seconds=st.sampled_from([1, 61, 3_600, -3_600]))
    def pass_time(self, seconds: int) -> None:
        """Also an hour forth or back."""
        self.clock.now += seconds
        self.outbox.recover()

    @rule(key=st.sampled_from("abcdef"))
    def cancel(self, key: str) -> None:
        record = self.outbox.get(key)
        done = self.outbox.cancel(key)
        assert not done or (record and record.state in ("queued", "deferred", "uncertain"))

    @rule(key=st.sampled_from("abcdef"))
    def retry(self, key: str) -> None:
        if self.outbox.retry(key, timedelta(days=1)):
            self.again.add(key)

    @rule(
        key=st.sampled_from("abcdef"),
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
        if not hasattr(self, "outbox"):
            return
        now: dict[str, State] = {record.key: record.state for record in self.outbox.search()}
        for key, state in self.before.items():
            assert now[key] == state or now[key] in reachable(state), (key, state, now[key])
        self.before = now

    @invariant()
    def waiting_and_leased_are_what_they_say(self) -> None:
        """What waits has a time; what is leased has an end; nothing else has either."""
        if not hasattr(self, "outbox"):
            return
        for record in self.outbox.search():
            waits = record.state in ("queued", "deferred")
            assert (record.next_attempt_at is not None) == waits
            assert (record.lease_until is not None) == (record.state == "sending")
            assert record.state in OPEN or record.next_attempt_at is None


def reachable(state: State) -> frozenset[State]:
    """In one step, or in the two that one transaction may take (leased, and at once expired)."""
    next_ = FOLLOWS[state]
    return next_ | (FOLLOWS["sending"] if "sending" in next_ else frozenset())


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
