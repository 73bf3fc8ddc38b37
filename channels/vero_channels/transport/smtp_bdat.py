"""Messages by BDAT: whole letters behind one another, unanswered (RFC 3030, RFC 2920)."""

from __future__ import annotations

from collections import deque

from vero_channels.transport.smtp_data import by_data
from vero_channels.transport.smtp_dialogue import Reply, SessionError
from vero_channels.transport.smtp_flight import CHUNK, END, EndError, Flight, Parcel
from vero_channels.transport.smtp_letter import Command
from vero_channels.transport.smtp_pipelining import out_of_step
from vero_deliver.errors import Uncertain

_RSET = b"RSET\r\n"


async def by_bdat(flight: Flight, first: Parcel, size: int) -> None:
    """Hand over this letter and those that wait, at most `size` of them unanswered.

    Raises SessionError or EndError where the session is over, with the letters still in flight.
    """
    try:
        await _Window(flight, size).hand_over(first)
    except SessionError:
        if flight.dialogue.overdue and not flight.fresh:
            flight.pipelining.lower("bdat")  # it may have thrown away what it did not expect
        raise


class _Window:
    """The letters of one flight that are written and not yet answered, oldest first.

    RFC 3030 leaves open what state a refused BDAT leaves behind, and with letters in flight
    nobody knows yet whether one will be refused: so RSET stands before each but a first one.
    """

    def __init__(self, flight: Flight, size: int) -> None:
        self._flight, self._size = flight, size
        self._written: deque[bool] = deque()  # for each letter: RSET was said before it
        self._unclear = False  # the last one that was answered was refused

    async def hand_over(self, first: Parcel) -> None:
        parcel: Parcel | None = first
        while parcel or self._written:
            if parcel:
                await self._write(parcel)
            else:
                await self._hear()
            room = len(self._written) < self._size and self._flight.mode == "bdat"
            parcel = self._flight.next() if room else None
        await self._clear()

    async def _write(self, parcel: Parcel) -> None:
        data = parcel.letter.data
        if len(parcel.letter.recipients) > 1 or len(data) > CHUNK:
            # every recipient has to be accepted before the data, or as much as this is not to be
            # said in vain: that is what DATA is for
            while self._written:
                await self._settle()
            await self._clear()
            await by_data(self._flight, parcel)
            return
        parcel.commands.append(Command(END.step, b"BDAT %d LAST\r\n" % len(data)))
        reset = self._unclear or bool(self._written)
        lines = (command.line for command in parcel.commands)
        group = b"".join((_RSET if reset else b"", *lines, data))
        self._flight.dialogue.say(group, reset + len(parcel.commands))
        parcel.ended, self._unclear = True, False
        self._written.append(reset)

    async def _hear(self) -> None:
        """Settle the oldest letter once it is answered; back when another may be written."""
        flight = self._flight
        flight.wanting = len(self._written) < self._size
        try:
            heard = await flight.dialogue.heard(flight.server.data_timeout)
        finally:
            flight.wanting = False
        if heard:
            await self._settle()

    async def _clear(self) -> None:
        if self._unclear:
            self._unclear = False
            self._flight.dialogue.say(_RSET, 1)
            await self._answer_to_reset()

    async def _answer_to_reset(self) -> None:
        reply = await self._flight.dialogue.reply(self._flight.server.data_timeout)
        if reply.code == 421:
            raise EndError(self._flight.refusal(END, reply))
        if reply.code // 100 != 2:
            raise SessionError(f"the server takes no RSET: {reply.words}")

    async def _settle(self) -> None:
        """Hear all answers to the oldest letter."""
        flight, parcel = self._flight, self._flight.parcels[0]
        if self._written[0]:
            await self._answer_to_reset()
        refused: tuple[Command, Reply] | None = None
        reply, early = Reply(0), False
        for command in parcel.commands:
            try:
                reply = await flight.dialogue.reply(flight.server.data_timeout)
            except SessionError:
                if early:
                    flight.put_back()
                raise
            if reply.code == 421:
                raise EndError(flight.refusal(command, reply))
            if out_of_step(reply, all_well=refused is None):
                flight.pipelining.lower("bdat")
                early = True
            if reply.code // 100 != 2:
                refused = refused or (command, reply)
                # without a sender or a recipient it will not be taken
                parcel.ended = parcel.ended and command.step == END.step
        if reply.code // 100 == 3:
            raise SessionError(f"it asked for more after the message: {reply.words}", reply.label)
        self._written.popleft()
        self._unclear = refused is not None
        self._judge(refused, reply, early=early)

    def _judge(self, refused: tuple[Command, Reply] | None, last: Reply, *, early: bool) -> None:
        flight = self._flight
        if refused is None:
            flight.settle(last)
        elif last.code // 100 == 2:
            refusal = flight.refusal(*refused)
            detail = f"{refusal.detail}, and yet the server took the message"
            flight.settle(Uncertain(detail, channel=refusal.channel, code=refusal.code))
        elif early:
            flight.put_back()
        else:
            flight.settle(flight.refusal(*refused))
