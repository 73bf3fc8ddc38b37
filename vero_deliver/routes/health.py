"""Whether a channel works: a circuit breaker for each, shared by all routes that name it.

A circuit is closed while the channel works. Failures one after another open it: nothing is sent
for a while. Then it is half open: one send, the probe, goes through. Its success closes the
circuit, its failure opens it for longer.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

Verdict = Literal["works", "failed", "misconfigured", "unknown"]

_PROBE: Final = 1.0  # seconds after which a probe that is under way has usually ended


@dataclass(frozen=True, slots=True)
class Admission:
    """Leave to send once; give it back with `settle`. period: of the circuit, when it was given."""

    channel: str
    period: int = 0
    probe: bool = False


@dataclass(frozen=True, slots=True)
class Shut:
    """No leave: the circuit is open.

    wait: seconds until it may be worth trying. reason: the words of the failure that opened it.
    """

    wait: float
    reason: str
    misconfigured: bool = False


class Health(Protocol):
    """Remembers failures by the channel's name.

    No method raises: a memory that cannot be reached lets everything through, for an error here
    would lose the receipt of a message that was accepted, and it would be sent twice.
    """

    async def shut(self, channel: str) -> Shut | None:
        """Why admit() would refuse now; None where it would not. Takes no leave."""
        ...

    async def admit(self, channel: str) -> Admission | Shut:
        """Leave to send once, or why not."""
        ...

    async def settle(self, admission: Admission, verdict: Verdict, reason: str = "") -> None:
        """Say what became of it; "unknown" where the send was cancelled and tells nothing."""
        ...


@dataclass(slots=True)
class Circuit:
    """until: when an open circuit becomes half open; None while it is closed."""

    period: int = 0
    failures: int = 0  # one after another, while closed
    openings: int = 0  # one after another, without a success between them
    until: float | None = None
    probing: bool = False
    reason: str = ""
    misconfigured: bool = False


@dataclass(slots=True)
class Rules:
    """When a circuit opens and closes, wherever it is kept.

    failures: how many one after another open a circuit.
    cooldown: seconds it stays open the first time; twice as long each time after, up to `longest`,
    and up to a quarter more at random, so that not all processes probe together.
    misconfigured: seconds it stays open where our own settings are wrong; grows alike.
    """

    failures: int = 5
    cooldown: float = 30.0
    longest: float = 600.0
    misconfigured: float = 300.0
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)
    random: Callable[[], float] = field(default=random.random, repr=False)

    def why_shut(self, circuit: Circuit) -> Shut | None:
        """Why nothing may be sent now; None where something may."""
        if circuit.until is None:
            return None
        wait = circuit.until - self.clock()
        if wait > 0:
            return Shut(wait, circuit.reason, circuit.misconfigured)
        return Shut(_PROBE, circuit.reason, circuit.misconfigured) if circuit.probing else None

    def let(self, channel: str, circuit: Circuit) -> Admission | Shut:
        """Leave to send once, or why not."""
        shut = self.why_shut(circuit)
        if shut is not None:
            return shut
        circuit.probing = circuit.until is not None
        return Admission(channel, circuit.period, circuit.probing)

    def count(self, circuit: Circuit, admission: Admission, verdict: Verdict, reason: str) -> None:
        """Count a send, unless the circuit opened or closed since: then it tells of the past."""
        if admission.period != circuit.period:
            return
        if admission.probe:
            circuit.probing = False
        if verdict == "works":
            circuit.failures = 0
            if admission.probe:
                self._close(circuit)
        elif verdict == "misconfigured":
            self._open(circuit, self.misconfigured, reason, misconfigured=True)
        elif verdict == "failed":
            circuit.failures += 1
            if admission.probe or circuit.failures >= self.failures:
                self._open(circuit, self.cooldown, reason)

    def _open(
        self, circuit: Circuit, first: float, reason: str, *, misconfigured: bool = False
    ) -> None:
        seconds = min(first * 2 ** min(circuit.openings, 30), max(first, self.longest))
        circuit.until = self.clock() + seconds * (1 + self.random() / 4)
        circuit.period += 1
        circuit.openings += 1
        circuit.failures = 0
        circuit.reason, circuit.misconfigured = reason, misconfigured

    def _close(self, circuit: Circuit) -> None:
        circuit.until = None
        circuit.period += 1
        circuit.openings = 0


@dataclass(slots=True)
class Circuits(Rules):
    """Health in the memory of this process, for any of its threads."""

    _circuits: dict[str, Circuit] = field(default_factory=dict, init=False, repr=False)
    # the blocking facade runs each deliverer on a thread of its own
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    async def shut(self, channel: str) -> Shut | None:
        """Why admit() would refuse now; None where it would not."""
        with self._lock:
            return self.why_shut(self._circuits.get(channel, Circuit()))

    async def admit(self, channel: str) -> Admission | Shut:
        """Leave to send once, or why not."""
        with self._lock:
            return self.let(channel, self._circuits.setdefault(channel, Circuit()))

    async def settle(self, admission: Admission, verdict: Verdict, reason: str = "") -> None:
        """Count it, unless the circuit opened or closed since: then it tells of the past."""
        with self._lock:
            circuit = self._circuits.setdefault(admission.channel, Circuit())
            self.count(circuit, admission, verdict, reason)


CIRCUITS: Final = Circuits()  # of this process: what routes share that are given no other
