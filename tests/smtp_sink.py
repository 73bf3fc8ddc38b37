"""A sink with faults: a real SMTP server that keeps count of what it took.

`Faulty` is one connection of `benchmarks.smtp.sink` whose answers a plan may change, step by step.
Steps are "connect", "EHLO", "MAIL", "RCPT", "DATA", "body" (when a message begins to come in), "."
(the answer to a message, however it came) and "RSET".
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum

from benchmarks.smtp.sink import OFFER, Sink


class Fault(Enum):
    """What the sink does instead of giving its usual answer."""

    DROP = "closes the connection"
    DROP_TAKEN = "takes the message, then closes the connection instead of saying so"
    SPLIT = "answers in pieces"
    LATE = "answers late"
    SILENT = "says nothing, reads nothing more"
    DISCARD = "answers, and throws away what has come in already"
    GRANT = "says 354, to whatever"
    STRICT = "ends the session where more has come in already, as Exim does"
    PATIENT = "answers, then 503 to each command that has come in already, as Haraka does"


Plan = Callable[[str, str], "str | Fault | None"]
TOKEN = re.compile(rb"token-\d+-")


def no_plan(_step: str, _argument: str) -> None:
    """No faults."""


@dataclass
class Taken:
    """What a sink was told and accepted.

    reads: what came in at once. connections: how many were opened; open, most: at the same time.
    peers: the address that each message came from.
    """

    port: int = 0
    messages: list[tuple[str, tuple[str, ...], bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    peers: list[str] = field(default_factory=list)
    reads: list[bytes] = field(default_factory=list)
    connections: int = 0
    open: int = 0
    most: int = 0

    @property
    def tokens(self) -> Counter[str]:
        """How often each token of a message's text came in."""
        found = (TOKEN.search(body) for _, _, body in self.messages)
        return Counter(token[0].decode() for token in found if token)


class Faulty(Sink):
    """One connection of a sink with faults."""

    def __init__(
        self, taken: Taken, plan: Plan, offer: str, starttls: ssl.SSLContext | None
    ) -> None:
        super().__init__()
        self.offer, self._starttls_context = offer, starttls
        self._taken, self._plan = taken, plan
        self._pace: Fault | None = None
        self._then = asyncio.get_running_loop().create_future()
        self._then.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._taken.connections += 1
        self._taken.open += 1
        self._taken.most = max(self._taken.most, self._taken.open)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.over = True
        self._taken.open -= 1

    def data_received(self, data: bytes) -> None:
        self._taken.reads.append(data)
        super().data_received(data)

    def answer(self, step: str, argument: str, usual: str) -> str:
        self._taken.commands.append(f"{step} {argument}".strip())
        action = self._plan(step, argument)
        if isinstance(action, str):
            said = super().answer(step, argument, action)
            if said.startswith("421"):
                self._end_session()
            return said
        if action is Fault.DROP_TAKEN and usual.startswith("2") and step == ".":
            self.accepted()
        if action in (Fault.DROP, Fault.DROP_TAKEN):
            self._end_session()
            return ""
        if action is Fault.SILENT:
            self._flush()
            self.over = True
            return ""
        if action is Fault.STRICT and self.unread:
            said = super().answer(step, argument, "554 5.5.0 SMTP synchronization error")
            self._end_session()
            return said
        if action is Fault.PATIENT and self.unread:
            early = self.unread.count(b"\n")
            usual += "\r\n503 5.5.1 Bad sequence of commands" * early
        if action in (Fault.DISCARD, Fault.PATIENT):
            self.discard()
        if action in (Fault.SPLIT, Fault.LATE):
            self._pace = action
        return super().answer(step, argument, "354 go on" if action is Fault.GRANT else usual)

    def accepted(self) -> None:
        self._taken.peers.append(self.transport.get_extra_info("peername")[0])
        self._taken.messages.append((self.sender, tuple(self.recipients), self.body))

    def _starttls(self, argument: str) -> None:
        self.answer("STARTTLS", argument, "220 2.0.0 go")
        self._flush()
        self.discard()
        self._then = asyncio.get_running_loop().create_task(self._secure())

    async def _secure(self) -> None:
        loop = asyncio.get_running_loop()
        assert self._starttls_context
        secured = await loop.start_tls(
            self.transport, self, self._starttls_context, server_side=True
        )
        assert isinstance(secured, asyncio.Transport)
        self.transport, self.offer = secured, self.offer.replace(",STARTTLS", "")

    def _lines(self) -> bool:
        return not self._stopped_in_body() and super()._lines()

    def _octets(self) -> bool:
        return not self._stopped_in_body() and super()._octets()

    def _stopped_in_body(self) -> bool:
        return bool(self.unread) and self._plan("body", "") is Fault.DROP and self._end_session()

    def _end_session(self) -> bool:
        self._flush()
        self.over = True
        self.transport.close()
        return True

    def deliver(self, text: bytes) -> None:
        pace, self._pace = self._pace, None
        loop = asyncio.get_running_loop()
        if pace is Fault.SPLIT:
            pieces, pause = [text[at : at + 7] for at in range(0, len(text), 7)], 0.001
        elif pace is Fault.LATE:
            pieces, pause = [text], 0.02
        else:
            pieces, pause = [text], 0.0
        if not pause and self._then.done():
            self.transport.write(text)
            return
        previous = self._then
        self._then = loop.create_task(self._trickle(previous, pieces, pause))

    async def _trickle(
        self, previous: asyncio.Future[None], pieces: list[bytes], pause: float
    ) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await previous
        for piece in pieces:
            await asyncio.sleep(pause)
            self.transport.write(piece)


@asynccontextmanager
async def sink(
    plan: Plan = no_plan,
    *,
    offer: str = OFFER,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Taken]:
    """Run a sink, `tls` from the first byte, or `starttls` where that is offered."""
    taken = Taken()
    connections: list[Faulty] = []

    def connection() -> Faulty:
        connections.append(Faulty(taken, plan, offer, starttls))
        return connections[-1]

    server = await asyncio.get_running_loop().create_server(connection, host, port, ssl=tls)
    taken.port = server.sockets[0].getsockname()[1]
    try:
        yield taken
    finally:
        server.close()
        for each in connections:
            each.transport.abort()
        await asyncio.sleep(0)
