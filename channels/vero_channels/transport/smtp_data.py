"""Messages by DATA: MAIL, RCPT and DATA one by one or in one write (RFC 5321, RFC 2920).

With one recipient DATA may be said together with RCPT TO; with more it waits for the answers,
since a server that has said 354 can no longer be kept from the recipients that it accepted.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from vero_channels.transport.smtp_dialogue import Reply, SessionError
from vero_channels.transport.smtp_flight import END, EndError, Flight, Parcel
from vero_channels.transport.smtp_letter import Command
from vero_channels.transport.smtp_pipelining import Mode, out_of_step
from vero_deliver.errors import Deferred

_DATA = Command("DATA", b"DATA\r\n")
_DOT = re.compile(rb"\n\.")  # found in half the time that `in` takes


async def by_data(flight: Flight, first: Parcel) -> None:
    """Hand over this letter; in mode `cross` those that wait too, each joined to the one before.

    Raises SessionError or EndError where the session is over, with the letters still in flight.
    """
    mode = flight.mode
    said = _opening(first, mode)
    flight.say(said)
    parcel: Parcel | None = first
    while parcel:
        following = None
        if await _Envelope(flight, parcel, mode, len(said), joined=parcel is not first).invited():
            following = flight.next() if mode == "cross" == flight.mode else None
            said = _opening(following, mode) if following else []
            await _message(flight, parcel, said, mode)
        parcel = following


def stuffed(message: bytes) -> bytes:
    """The message with its leading dots doubled (RFC 5321 4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..") if _DOT.search(message) else message
    return b"." + stuffed if stuffed.startswith(b".") else stuffed


def _opening(parcel: Parcel, mode: Mode) -> list[Command]:
    """The commands that are said before the first answer is heard."""
    alone = len(parcel.letter.recipients) == 1
    parcel.commands.append(_DATA)
    if mode == "off":
        return []
    return parcel.commands if alone else parcel.commands[:-1]


async def _message(
    flight: Flight, parcel: Parcel, following: Sequence[Command], mode: Mode
) -> None:
    """The body, its end, and in the same write what is said of the following letter."""
    tail = b"".join((b".\r\n", *(command.line for command in following)))
    await flight.write(parcel, stuffed(parcel.letter.data), tail, 1 + len(following))
    reply = await flight.dialogue.reply(flight.server.data_timeout)
    if reply.code == 421:
        raise EndError(flight.refusal(END, reply))
    if reply.code // 100 == 3:
        raise SessionError(f"it asked for more after the message: {reply.words}", reply.label)
    if following and out_of_step(reply, all_well=True):
        flight.pipelining.lower(mode)
        raise EndError(flight.refusal(END, reply), sync=True)
    flight.settle(reply if reply.code // 100 == 2 else flight.refusal(END, reply))


class _Envelope:
    """The commands of one letter, of which the first `said` have been written already.

    joined: they were written behind another message.
    """

    def __init__(
        self, flight: Flight, parcel: Parcel, mode: Mode, said: int, *, joined: bool
    ) -> None:
        self._flight, self._parcel = flight, parcel
        self._mode: Mode = mode
        self._said, self._joined = said, joined
        self._refused: tuple[Command, Reply] | None = None

    async def invited(self) -> bool:
        """Whether the server now wants the message; if not, the letter is settled and undone."""
        granted = False
        for at, command in enumerate(self._parcel.commands):
            if at >= self._said:
                if self._refused or self._parcel.answer.done():
                    break
                self._flight.say([command])
            reply = await self._hear(at)
            granted = command is _DATA and reply.code // 100 == 3
            self._judge(command, reply, early=at < self._said)
        if granted and self._parcel.answer.done() and not self._refused:
            raise SessionError("the send was cancelled")  # nothing else takes DATA back
        if granted and not self._refused:
            return True
        await self._undo(granted=granted)
        return False

    async def _hear(self, at: int) -> Reply:
        flight = self._flight
        try:
            return await flight.dialogue.reply(flight.server.timeout)
        except SessionError as broken:
            behind = at < self._said and (at > 0 or self._joined)
            if not (flight.dialogue.overdue and behind):
                raise
            # It answered what came first, and threw away what came in with it.
            flight.pipelining.lower(self._mode)
            detail, channel = f"{flight.server}: {broken}", flight.server.channel
            raise EndError(Deferred(detail, channel=channel), sync=True) from None

    def _judge(self, command: Command, reply: Reply, *, early: bool) -> None:
        """Note a refusal. Raises EndError where the reply ends the session.

        early: the command was written together with others.
        """
        if reply.code == 421:
            raise EndError(self._flight.refusal(command, reply))
        if early and out_of_step(reply, all_well=self._refused is None):
            self._flight.pipelining.lower(self._mode)
            raise EndError(self._flight.refusal(command, reply), sync=True)
        if reply.code // 100 != (3 if command is _DATA else 2):
            self._refused = self._refused or (command, reply)

    async def _undo(self, *, granted: bool) -> None:
        """Leave the transaction; where DATA was granted all the same, by a message of no lines.

        Nobody gets that one: DATA is only said early for a single recipient, the refused one.
        """
        flight = self._flight
        within = flight.server.data_timeout if granted else flight.server.timeout
        if granted and self._refused and self._refused[0].step != "RCPT TO":
            flight.settle(flight.refusal(*self._refused))
            raise SessionError("the server granted DATA without a sender")
        try:
            reply = await flight.dialogue.command(b"." if granted else b"RSET", within)
        finally:
            flight.settle(flight.refusal(*self._refused) if self._refused else None)
        if reply.code == 421 or (not granted and reply.code // 100 != 2):
            raise SessionError(f"the server takes no RSET: {reply.words}")
