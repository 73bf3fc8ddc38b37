"""Commands and replies of one SMTP session, once TLS and AUTH are done (RFC 5321, RFC 3463).

aiosmtplib drops replies that no command waits for, so it never sees a server that refuses a
message half way through its body. This protocol takes over its transport and keeps them.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?", re.DOTALL)
_STATUS = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")
_MAX_REPLY = 32_768  # octets; RFC 5321 4.5.3.1.5 allows 512 a line, EHLO answers have many
_ENDLESS = "the server's reply has no end"
_CLOSING = 5.0  # seconds


class SessionError(ConnectionError):
    """The session is of no more use; says why. code: the reply that made it so, if any."""

    def __init__(self, detail: str, code: str = "") -> None:
        super().__init__(detail)
        self.code = code


def clean(text: str, limit: int = 300) -> str:
    """A server's words on one line, without control characters, capped at `limit`."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    words = " ".join(text.split())
    return words if len(words) <= limit else words[: limit - 1] + "…"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered; `lines` come without the code and are not to be trusted."""

    code: int
    lines: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """Enhanced status code, "5.1.1", or "" where the server gives none of its class."""
        found = _STATUS.match(self.lines[0]) if self.lines else None
        return found[1] if found and found[1][0] == str(self.code)[0] else ""

    @property
    def label(self) -> str:
        """Both codes as the server gave them: "550 5.1.1"."""
        return f"{self.code} {self.status}".strip()

    @property
    def words(self) -> str:
        """The text for people: status codes dropped, one line, at most 300 characters."""
        return clean(" ".join(_STATUS.sub("", line, count=1) for line in self.lines))


class Dialogue(asyncio.Protocol):
    """Commands out, replies in: several commands may be said before the first reply is heard.

    lost: the connection is gone, or has been given up.
    overdue: it was given up because no answer came in time.
    when_closed: called once, when the connection no longer exists.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self.lost = transport.is_closing()
        self.overdue = False
        self.when_closed: Callable[[], None] | None = None
        self._transport = transport
        self._why = "the server closed the connection"
        self._replies: deque[Reply] = deque()
        self._unasked: Reply | None = None
        self._owed = 0  # replies to what was said that have not come yet
        self._rest = b""
        self._lines: list[str] = []
        self._size = 0
        self._full = False
        self._waiter: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._closed = asyncio.Event()
        transport.set_protocol(self)
        if self.lost:
            self._closed.set()

    @property
    def usable(self) -> bool:
        """True while a command may be said: not lost, and not "421 idle for too long" either."""
        return not self.lost and self._unasked is None

    def say(self, data: bytes, replies: int) -> None:
        """Write commands, or a piece of a message, that are answered by so many replies.

        Raises SessionError where nothing may be said, and then nothing was.
        """
        if not self.usable:
            raise SessionError(self._why)
        self._owed += replies
        self._transport.write(data)

    async def reply(self, within: float) -> Reply:
        """The next reply, in the order of the commands. Raises SessionError."""
        while not await self.heard(within):
            pass
        return self._replies.popleft()

    async def heard(self, within: float) -> bool:
        """Wait until a reply is there (True) or somebody nudges (False). Raises SessionError."""
        if not self._replies:
            if self.lost:
                raise SessionError(self._why)
            await self._news(within)
        if self.lost and not self._replies:
            raise SessionError(self._why)
        return bool(self._replies)

    async def room(self, within: float) -> Reply | None:
        """Wait until more may be written; return the reply of a server that did not wait for it.

        Raises SessionError where the connection is lost or takes nothing for `within` seconds.
        """
        while self._full and self.usable:
            await self._news(within)
        if self._unasked is None and self.lost:
            raise SessionError(self._why)
        return self._unasked

    async def command(self, line: bytes, within: float) -> Reply:
        """Say one command and hear its reply, in `within` seconds. Raises SessionError."""
        self.say(line + b"\r\n", replies=1)
        return await self.reply(within)

    def nudge(self) -> None:
        """Wake whoever waits in `heard`."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def close(self) -> None:
        """Close in order; after 5 seconds without the peer's consent, at once."""
        self.lost = True
        self._transport.close()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING):
                    await self._closed.wait()
        finally:
            self.abort()

    def abort(self) -> None:
        """Close at once; whatever is still to be written is lost."""
        self._transport.abort()
        self._gone()

    async def _news(self, within: float) -> None:
        """Wait for anything to happen; nothing within that many seconds ends the session."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        self._deadline = loop.time() + within
        # One timer outlives many waits: making one for each would cost more than the wait.
        if self._timer is None or self._timer.when() > self._deadline:
            self._arm(loop)
        try:
            await self._waiter
        finally:
            self._waiter = None
        if self.overdue:
            raise SessionError(f"no answer within {within:g} s")

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(self._deadline, self._tick, loop)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if loop.time() < self._deadline:
            self._arm(loop)
        else:
            self.overdue = True
            self._break("no answer came in time")

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data if self._rest else data).split(b"\n")
        for line in lines:
            if not self.lost:
                self._read(line.rstrip(b"\r"))
        if self._size + len(self._rest) > _MAX_REPLY:
            self._break(_ENDLESS)
        self.nudge()

    def _read(self, line: bytes) -> None:
        found = _LINE.fullmatch(line)
        if not found:
            self._break("the server's reply is no SMTP")
            return
        self._size += len(line)
        self._lines.append((found[3] or b"").decode("utf-8", "replace"))
        if found[2] != b"-":
            self._answered(Reply(int(found[1]), tuple(self._lines)))
            self._lines, self._size = [], 0
        elif self._size > _MAX_REPLY:
            self._break(_ENDLESS)

    def _answered(self, reply: Reply) -> None:
        if self._owed:
            self._owed -= 1
            self._replies.append(reply)
        elif self._unasked is None:
            self._unasked = reply
            self._why = f"the server had said {reply.label} unasked"
        else:
            self._break(_ENDLESS)

    def _break(self, why: str) -> None:
        self._why = why
        self.abort()

    def _gone(self) -> None:
        self.lost = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.nudge()

    def eof_received(self) -> None:
        self._gone()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and not self.lost:
            self._why = f"the connection was lost: {clean(str(exc))}"
        self._gone()
        self._closed.set()
        if self.when_closed is not None:
            self.when_closed()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self.nudge()
