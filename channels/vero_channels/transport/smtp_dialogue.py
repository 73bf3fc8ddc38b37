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
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_MAX_REPLY = 32_768  # octets; RFC 5321 4.5.3.1.5 allows 512 a line, EHLO answers have many
_MAX_UNASKED = 4  # replies
_CHUNK = 262_144  # octets of a body handed over before the server's answer is looked at
_CLOSING = 5.0  # seconds


class SessionError(ConnectionError):
    """The session is of no more use.

    asked: True where the command was handed to the network before it broke.
    """

    def __init__(self, detail: str, *, asked: bool) -> None:
        super().__init__(detail)
        self.asked = asked


def clean(text: str, limit: int = 300) -> str:
    """A server's words on one line, without control characters, capped at `limit`."""
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
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
    """One command, one reply; and a body that can be refused while it is being written."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.lost = transport.is_closing()
        self._transport = transport
        self._why = "the server closed the connection"
        self._replies: deque[Reply] = deque()
        self._rest = b""
        self._lines: list[str] = []
        self._size = 0
        self._full = False
        self._news = asyncio.Event()
        self._closed = asyncio.Event()
        transport.set_protocol(self)
        # Pause as soon as anything waits here, so that `body` returns with all of it handed on.
        # Not high=0: asyncio's TLS transport would then pause and never resume.
        transport.set_write_buffer_limits(high=1, low=0)
        if self.lost:
            self._closed.set()

    async def command(self, line: bytes, within: float) -> Reply:
        """Say one command and hear its reply, in `within` seconds. Raises SessionError."""
        if _CONTROL.search(line):
            raise ValueError("an SMTP command may hold no control characters")
        if self.lost:
            raise SessionError(self._why, asked=False)
        if self._replies:
            # Mostly "421 idle for too long", which must not pass for the answer to this command.
            raise SessionError(f"the server had said {self._replies[0].label} unasked", asked=False)
        self._transport.write(line + b"\r\n")
        await self._until(lambda: bool(self._replies), within)
        if self._replies:
            return self._replies.popleft()
        raise SessionError(self._why, asked=True)

    async def body(self, data: bytes, within: float) -> Reply | None:
        """Write `data`; return None, or the reply of a server that did not wait for its end.

        Raises SessionError where the connection is lost or takes nothing for `within` seconds.
        """
        for start in range(0, len(data), _CHUNK):
            self._transport.write(data[start : start + _CHUNK])
            await self._until(lambda: bool(self._replies) or not self._full, within)
            if self._replies:
                return self._replies.popleft()
            if self.lost:
                raise SessionError(self._why, asked=True)
        return None

    async def close(self) -> None:
        """Close in order; after 5 seconds without the peer's consent, at once."""
        self.lost = True
        self._transport.close()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSING):
                    await self._closed.wait()
        finally:
            self._transport.abort()

    def abort(self) -> None:
        """Close at once; whatever is still to be written is lost."""
        self.lost = True
        self._transport.abort()

    async def _until(self, happened: Callable[[], bool], within: float) -> None:
        try:
            async with asyncio.timeout(within):
                while not (happened() or self.lost):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            self.abort()
            raise SessionError(f"no answer within {within:g} s", asked=True) from None

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if not self.lost:
                self._read(line.rstrip(b"\r"))
        if self._size + len(self._rest) > _MAX_REPLY or len(self._replies) > _MAX_UNASKED:
            self._break("the server's reply has no end")
        self._news.set()

    def _read(self, line: bytes) -> None:
        found = _LINE.fullmatch(line)
        if not found:
            self._break("the server's reply is no SMTP")
            return
        self._size += len(line)
        self._lines.append((found[3] or b"").decode("utf-8", "replace"))
        if found[2] != b"-":
            self._replies.append(Reply(int(found[1]), tuple(self._lines)))
            self._lines, self._size = [], 0

    def _break(self, why: str) -> None:
        self._why = why
        self.abort()

    def eof_received(self) -> None:
        self.lost = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None and not self.lost:
            self._why = f"the connection was lost: {clean(str(exc))}"
        self.lost = True
        self._news.set()
        self._closed.set()

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._news.set()
