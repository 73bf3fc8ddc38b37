"""Circuit breakers that all processes of an outbox share: what one of them learns, all know."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, select

from vero_deliver.errors import OutboxError
from vero_deliver.outbox import rows
from vero_deliver.outbox.schema import circuits
from vero_deliver.outbox.store import Outbox
from vero_deliver.routes.health import Admission, Circuit, Rules, Shut, Verdict

_c = circuits.c
_T = TypeVar("_T")

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class SharedCircuits(Rules):
    """Health in the outbox's database, by the rules of Circuits.

    refresh: seconds for which this process believes what it read. While a channel works that is
    all it asks of the database; failures, probes and recoveries are written at once.
    """

    outbox: Outbox
    refresh: float = 1.0
    _seen: dict[str, tuple[float, Circuit]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self.clock = lambda: self.outbox.now() / 1000  # of all processes, unlike a monotonic one

    async def shut(self, channel: str) -> Shut | None:
        """Why admit() would refuse now; None where it would not."""
        return self.why_shut(await self._view(channel))

    async def admit(self, channel: str) -> Admission | Shut:
        """Leave to send once, or why not."""
        circuit = await self._view(channel)
        if circuit.until is None:
            return Admission(channel, circuit.period)
        if (shut := self.why_shut(circuit)) is not None:
            return shut
        asked = await self._change(channel, lambda its: self.let(channel, its))
        return asked or Admission(channel, circuit.period)

    async def settle(self, admission: Admission, verdict: Verdict, reason: str = "") -> None:
        """Count it, unless the circuit opened or closed since: then it tells of the past."""
        if not admission.probe:
            circuit = await self._view(admission.channel)
            nothing_new = verdict == "works" and not circuit.failures
            if verdict == "unknown" or nothing_new:
                return

        def counted(its: Circuit) -> None:
            self.count(its, admission, verdict, reason)

        await self._change(admission.channel, counted)

    async def _view(self, channel: str) -> Circuit:
        read_at, circuit = self._seen.get(channel, (-self.refresh, Circuit()))
        if time.monotonic() - read_at >= self.refresh:
            # until it has been read, all others go by what is known
            self._seen[channel] = (time.monotonic(), circuit)
            try:
                circuit = await asyncio.to_thread(self._read, channel)
            except OutboxError as error:
                log.warning("health of %s not known: %s", channel, error)
            self._seen[channel] = (time.monotonic(), circuit)
        return circuit

    async def _change(self, channel: str, change: Callable[[Circuit], _T]) -> _T | None:
        """What the change gives; None where the database fails: an error would lose a receipt."""
        try:
            circuit, given = await asyncio.to_thread(self._changed, channel, change)
        except OutboxError as error:
            log.warning("health of %s not shared: %s", channel, error)
            return None
        self._seen[channel] = (time.monotonic(), circuit)
        return given

    def _read(self, channel: str) -> Circuit:
        with self.outbox.database.reading() as connection:
            return self._load(connection, channel)

    def _changed(self, channel: str, change: Callable[[Circuit], _T]) -> tuple[Circuit, _T]:
        with self.outbox.database.writing() as connection:
            circuit = self._load(connection, channel)
            given = change(circuit)
            now = self.outbox.now()
            values = {
                "env": self.outbox.env,
                "channel": channel,
                "period": circuit.period,
                "failures": circuit.failures,
                "openings": circuit.openings,
                "open_until": None if circuit.until is None else int(circuit.until * 1000),
                # a probe whose process was killed is forgotten as its leases are
                "probe_until": now + int(self.outbox.lease * 1000) if circuit.probing else None,
                "reason": circuit.reason,
                "misconfigured": circuit.misconfigured,
            }
            rows.write_over(connection, circuits, values, "env", "channel")
        return circuit, given

    def _load(self, connection: Connection, channel: str) -> Circuit:
        query = select(circuits).where(_c.env == self.outbox.env, _c.channel == channel)
        row: Any = connection.execute(query.with_for_update()).one_or_none()
        if row is None:
            return Circuit()
        return Circuit(
            period=row.period,
            failures=row.failures,
            openings=row.openings,
            until=None if row.open_until is None else row.open_until / 1000,
            probing=row.probe_until is not None and row.probe_until > self.outbox.now(),
            reason=row.reason,
            misconfigured=row.misconfigured,
        )
