"""Connections to one server, shared by all who send: a queue, and sessions that work it off.

First come, first served. A letter that a dying connection certainly did not deliver goes on over
another one; nothing is ever written twice once its end has left us.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from vero_channels.transport.smtp_bdat import by_bdat
from vero_channels.transport.smtp_data import by_data
from vero_channels.transport.smtp_dialogue import Reply, SessionError
from vero_channels.transport.smtp_flight import EndError, Flight, Parcel
from vero_channels.transport.smtp_letter import Letter
from vero_channels.transport.smtp_pipelining import Mode, Pipelining
from vero_channels.transport.smtp_server import Server
from vero_channels.transport.smtp_session import Session, open_session
from vero_deliver.errors import ConfigError, Deferred, DeliveryError

_PAUSE = 10.0  # seconds without another connection after one was refused while others work
_QUIT = 5.0  # seconds for the answer to QUIT


Dial = Callable[[Server], Awaitable[Session]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How a pool uses its server.

    connections: at most so many at once. messages_per_connection: then QUIT and a new one.
    idle: seconds that a connection is kept without work.
    window: messages that mode `bdat` writes on one connection before the first is answered; so
    many become Uncertain where it is lost.
    """

    pipelining: Mode = "envelope"
    connections: int = 5
    messages_per_connection: int = 100
    idle: float = 30.0
    window: int = 8

    def problems(self) -> Iterator[str]:
        """What cannot work."""
        if self.pipelining not in get_args(Mode):
            yield f"pipelining {self.pipelining!r} is none of {', '.join(get_args(Mode))}"
        for name in ("connections", "messages_per_connection", "window"):
            if not isinstance(value := getattr(self, name), int) or value < 1:
                yield f"{name} {value!r} is no number of 1 or more"
        if not isinstance(self.idle, int | float) or self.idle < 0:
            yield f"idle {self.idle!r} is no number of seconds"


class Pool:
    """Hands letters over to one server, in one event loop at a time.

    dial: opens a session with the server, or with another one that does as well.
    Raises ConfigError where the limits cannot work.
    """

    def __init__(
        self,
        server: Server,
        limits: Limits,
        dial: Dial = open_session,
    ) -> None:
        if problems := "; ".join(limits.problems()):
            raise ConfigError(f"channel {server.channel!r}: {problems}")
        self._server, self._limits, self._dial = server, limits, dial
        self._pipelining = Pipelining(limits.pipelining)
        self._current: _LoopPool | None = None

    async def hand_over(self, letter: Letter) -> Reply:
        """The server's yes to the message, for all of its recipients. Raises DeliveryError.

        Uncertain: the connection broke, or no answer came, after the end of the message was
        written. Cancelling gives up: what had not been written will not be.
        """
        return await self._bound().hand_over(letter)

    async def aclose(self) -> None:
        """Let what waits be sent, then say QUIT on every connection. A later letter opens anew."""
        await self._bound().aclose()

    @property
    def unused(self) -> bool:
        """True while it has neither letters nor connections."""
        return self._current is None or self._current.unused

    def spare(self) -> bool:
        """Close the connection that has been idle longest; False where none is."""
        return self._current is not None and self._current.spare()

    def _bound(self) -> _LoopPool:
        loop = asyncio.get_running_loop()
        if self._current is None or self._current.loop is not loop:
            # asyncio.run() made a new loop: the connections died with the old one.
            self._current = _LoopPool(
                loop, self._server, self._limits, self._pipelining, self._dial
            )
        return self._current


class _LoopPool:
    """The queue and the connections of one event loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        server: Server,
        limits: Limits,
        pipelining: Pipelining,
        dial: Dial,
    ) -> None:
        self.loop = loop
        self._server, self._limits, self._pipelining = server, limits, pipelining
        self._dial = dial
        self._waiting: deque[Parcel] = deque()
        self._idle: dict[Flight, asyncio.TimerHandle] = {}  # the longest idle one first
        self._busy: dict[Flight, asyncio.Task[None]] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._pausing = 0  # busy ones that are about to look for their next letter
        self._full_until = 0.0
        self._failed = False  # the last try to open a connection, without any other, did

    async def hand_over(self, letter: Letter) -> Reply:
        parcel = Parcel(letter, self.loop.create_future())
        self._waiting.append(parcel)
        self._dispatch()
        try:
            return await parcel.answer
        except asyncio.CancelledError:
            self._cancelled(parcel)
            raise

    @property
    def unused(self) -> bool:
        connections = self._idle or self._busy or self._opening or self._closing
        return not (self._waiting or connections)

    async def aclose(self) -> None:
        while working := {*self._busy.values(), *self._opening, *self._closing}:
            self._stop_openings()
            await asyncio.wait(working)
        idle, self._idle = self._idle, {}
        for timer in idle.values():
            timer.cancel()
        await asyncio.gather(*map(self._quit, idle))

    # what waits, and who takes it

    def _take(self) -> Parcel | None:
        while self._waiting:
            parcel = self._waiting.popleft()
            if not parcel.answer.done():
                return parcel
        return None

    def _again(self, parcels: Sequence[Parcel]) -> None:
        self._waiting.extendleft(reversed(parcels))

    def _dispatch(self) -> None:
        """Give work to idle connections, open others within the limit, wake who wants more."""
        while self._idle and (parcel := self._take()):
            flight, timer = self._idle.popitem()
            timer.cancel()
            if flight.usable:
                self._set_to_work(flight, parcel)
            else:
                flight.dialogue.abort()
                self._again([parcel])
        if not self._waiting:
            return
        while len(self._opening) + self._pausing < len(self._waiting) and self._may_open():
            self._track(self._open(), self._opening)
        for flight in self._busy:
            if flight.wanting:
                flight.dialogue.nudge()

    def _may_open(self) -> bool:
        count = len(self._opening) + len(self._busy) + len(self._idle) + len(self._closing)
        full = count > 0 and self.loop.time() < self._full_until
        return count < self._limits.connections and not full

    def _cancelled(self, parcel: Parcel) -> None:
        flight = parcel.flight
        if flight is None:
            if parcel in self._waiting:
                self._waiting.remove(parcel)
            self._stop_openings()
        elif all(other is parcel for other in flight.parcels):
            flight.dialogue.abort()  # at once, since no other letter is harmed

    def _stop_openings(self) -> None:
        """Give up connections that nobody waits for any more."""
        for task in [*self._opening][len(self._waiting) :]:
            task.cancel()

    # a connection's life

    async def _open(self) -> None:
        try:
            session = await self._dial(self._server)
        except Exception as error:  # noqa: BLE001  # whatever it is, who waits is to hear of it
            self._opening -= {asyncio.current_task()}
            self._refused(error)
            return
        self._failed = False
        flight = Flight(
            session,
            session.server,
            self._pipelining,
            messages=self._limits.messages_per_connection,
            take=self._take,
            again=self._again,
        )
        self._set_to_work(flight, self._take())

    def _refused(self, error: Exception) -> None:
        """No session could be opened. With other connections, those have to do.

        Without any the letter that has waited longest is told; where the next try fails as well,
        or none can succeed, everybody is.
        """
        if self._busy or self._idle or self._opening:
            self._full_until = self.loop.time() + _PAUSE
            return
        everybody = self._failed or not isinstance(error, Deferred)
        self._failed = not everybody
        while parcel := self._take():
            # one for each: tracebacks grow where it is raised
            parcel.settle(_twin(error) if isinstance(error, DeliveryError) else error)
            if not everybody:
                return

    def _set_to_work(self, flight: Flight, parcel: Parcel | None) -> None:
        self._busy[flight] = self.loop.create_task(self._work(flight, parcel))

    async def _work(self, flight: Flight, parcel: Parcel | None) -> None:
        try:
            if parcel is not None and not flight.begin(parcel):
                parcel = None
            while parcel := parcel or await self._soon(flight):
                if flight.mode == "bdat":
                    await by_bdat(flight, parcel, self._limits.window)
                else:
                    await by_data(flight, parcel)
                parcel = None
            if flight.left <= 0:
                await self._quit(flight)
        except SessionError as broken:
            flight.lost(broken)
        except EndError as end:
            flight.over(end)
        except (Exception, asyncio.CancelledError):
            flight.lost(SessionError("the connection was given up"))
            raise
        finally:
            if not self.loop.is_closed():
                self._rest(flight)

    async def _soon(self, flight: Flight) -> Parcel | None:
        """The next letter; who was just answered has one turn of the loop to hand it over."""
        parcel = flight.next()
        if parcel is None:
            self._pausing += 1
            try:
                await asyncio.sleep(0)
            finally:
                self._pausing -= 1
            parcel = flight.next()
        return parcel

    def _rest(self, flight: Flight) -> None:
        """Work is over, for now or for good."""
        del self._busy[flight]
        if flight.usable:
            flight.fresh = False
            self._idle[flight] = self.loop.call_later(self._limits.idle, self._expire, flight)
        self._dispatch()

    def spare(self) -> bool:
        if not self._idle:
            return False
        flight, timer = next(iter(self._idle.items()))
        timer.cancel()
        self._expire(flight)
        return True

    def _expire(self, flight: Flight) -> None:
        del self._idle[flight]
        self._track(self._quit(flight), self._closing)

    async def _quit(self, flight: Flight) -> None:
        try:
            if flight.dialogue.usable:
                await flight.dialogue.command(b"QUIT", min(_QUIT, self._server.timeout))
        except SessionError:
            pass  # it is closed either way
        finally:
            await flight.dialogue.close()

    def _track(self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]) -> None:
        """Run it beside everything else, and see to what waits when it is done."""
        task = self.loop.create_task(work)
        tasks.add(task)

        def done(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            self._dispatch()

        task.add_done_callback(done)


def _twin(error: DeliveryError) -> DeliveryError:
    twin = type(error)(error.detail, channel=error.channel, code=error.code)
    if isinstance(error, Deferred) and isinstance(twin, Deferred):
        twin.retry_after, twin.personal = error.retry_after, error.personal
    return twin
