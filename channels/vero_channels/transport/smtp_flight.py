"""The letters that are under way on one session, and what becomes of them when it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from vero_channels.transport.smtp_dialogue import Reply, SessionError
from vero_channels.transport.smtp_letter import Command, Letter, envelope
from vero_channels.transport.smtp_pipelining import Mode, Pipelining
from vero_channels.transport.smtp_replies import refusal
from vero_channels.transport.smtp_server import Server
from vero_channels.transport.smtp_session import Session
from vero_deliver.errors import Deferred, DeliveryError, Uncertain

CHUNK = 262_144  # octets of a body handed over before the server's answer is looked at
END = Command("the message", b"")
_RESENDS = 2  # times that a letter goes on after a connection died under it


@dataclass(slots=True, eq=False)
class Parcel:
    """A letter on its way, and the future of whoever waits for the server's answer.

    ended: its last octet has been written, so from here on the server may have accepted it.
    sent_on: how often it was given back because a connection died under it.
    """

    letter: Letter
    answer: asyncio.Future[Reply]
    flight: Flight | None = None
    commands: list[Command] = field(default_factory=list)
    ended: bool = False
    sent_on: int = 0

    def settle(self, outcome: Reply | Exception) -> None:
        """Give the answer, unless nobody waits for it any more."""
        if self.answer.done():
            return
        if isinstance(outcome, Reply):
            self.answer.set_result(outcome)
        else:
            self.answer.set_exception(outcome)


class EndError(Exception):
    """The server ended the session by a reply: nothing in flight was accepted.

    sync: it did so because we had not waited for it, so the letters go on in another mode.
    """

    def __init__(self, error: DeliveryError, *, sync: bool = False) -> None:
        super().__init__(str(error))
        self.error, self.sync = error, sync


class Flight:
    """Letters from `take` over one session; those that may go over another one to `again`.

    left: how many messages it may still take. wanting: it would write one more at once.
    fresh: no message has been answered yet, and it has not been idle either.
    """

    def __init__(
        self,
        session: Session,
        server: Server,
        pipelining: Pipelining,
        *,
        messages: int,
        take: Callable[[], Parcel | None],
        again: Callable[[Sequence[Parcel]], None],
    ) -> None:
        self.dialogue, self.server = session.dialogue, server
        self.pipelining = pipelining
        self.left, self.fresh, self.wanting = messages, True, False
        self.parcels: deque[Parcel] = deque()
        self._extensions = session.extensions
        self._take, self._again = take, again

    @property
    def usable(self) -> bool:
        """True while it can take another message."""
        return self.left > 0 and self.dialogue.usable

    @property
    def mode(self) -> Mode:
        """How much may be written at once, as of now."""
        return self.pipelining.mode(self._extensions)

    def next(self) -> Parcel | None:
        """The letter that has waited longest, now in flight; None where nothing waits."""
        while self.usable and (parcel := self._take()):
            if self.begin(parcel):
                return parcel
        return None

    def begin(self, parcel: Parcel) -> bool:
        """Put it in flight; False where its sender has gone or the server's offer rules it out."""
        if parcel.answer.done():
            return False
        try:
            parcel.commands = envelope(parcel.letter, self._extensions, self.server)
        except (DeliveryError, ValueError) as error:
            parcel.settle(error)
            return False
        parcel.flight, parcel.ended = self, False
        self.parcels.append(parcel)
        self.left -= 1
        return True

    def say(self, commands: Sequence[Command]) -> None:
        """Write commands at once."""
        if commands:
            self.dialogue.say(b"".join(command.line for command in commands), len(commands))

    async def write(self, parcel: Parcel, data: bytes, tail: bytes, replies: int) -> None:
        """All of the data but its last piece as the server takes it, then that with the tail.

        replies: how many answer what is written from the last piece on.
        """
        start = 0
        while len(data) - start > CHUNK:
            self.dialogue.say(data[start : start + CHUNK], 0)
            start += CHUNK
            early = await self.dialogue.room(self.server.timeout)
            if early is not None:
                # The message has no end yet, so whatever this says it was not accepted.
                if early.code == 421:
                    raise EndError(self.refusal(END, early))
                parcel.settle(self.refusal(END, early))
                raise SessionError("the server did not wait for the end of the message")
        self.dialogue.say(data[start:] + tail, replies)
        parcel.ended = True

    def settle(self, outcome: Reply | DeliveryError | None) -> None:
        """The oldest letter is done; without an outcome where nobody waits for it."""
        parcel = self.parcels.popleft()
        parcel.flight = None
        self.fresh = False
        if outcome is not None:
            parcel.settle(outcome)

    def put_back(self) -> None:
        """The oldest letter was not accepted and goes on another way."""
        parcel = self.parcels.popleft()
        parcel.flight = None
        self._again([parcel])

    def refusal(self, command: Command, reply: Reply) -> DeliveryError:
        """The error that a reply to this command is."""
        address = command.path.decode().strip("<>")
        return refusal(reply, command.step, channel=self.server.channel, address=address)

    def over(self, end: EndError) -> None:
        """The server ended the session by a reply."""
        self._give_back(lambda _: end.error, always=end.sync)

    def lost(self, broken: SessionError) -> None:
        """The connection is gone: who has ended may be accepted, who has not is not."""
        channel, detail = self.server.channel, f"{self.server}: {broken}"

        def fate(parcel: Parcel) -> DeliveryError:
            return (Uncertain if parcel.ended else Deferred)(
                detail, channel=channel, code=broken.code
            )

        self._give_back(fate)

    def _give_back(self, fate: Callable[[Parcel], DeliveryError], *, always: bool = False) -> None:
        """Settle what is in flight, but give back what may well go over another connection.

        Not what has been given back often, nor the first letter of a fresh session: that would
        be a second try of the same thing.
        """
        self.dialogue.abort()
        back: list[Parcel] = []
        first = self.fresh
        for parcel in self.parcels:
            error = fate(parcel)
            parcel.flight = None
            if isinstance(error, Uncertain) or parcel.answer.done():
                parcel.settle(error)
            elif always or (not first and parcel.sent_on < _RESENDS):
                parcel.sent_on += not always
                back.append(parcel)
            else:
                parcel.settle(error)
            first = False
        self.parcels.clear()
        self._again(back)
