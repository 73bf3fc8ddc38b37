"""One connection that speaks HTTP/1.1 as a client (RFC 9112): one request at a time, kept alive."""

from __future__ import annotations

import asyncio
import re
import select
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple, cast

import httpx

_MAX_HEAD = 65_536  # octets of a status line and its fields
_MAX_LINE = 1_024  # octets of a chunk's size with its extensions, or of one trailer field
_MAX_TRAILERS = 64
_MAX_INTERIM = 16
_HIGH_WATER = 262_144  # octets read ahead of the reader
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [^\r\n]*)?")
_FIELD_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_FRAMING = (b"connection", b"content-length", b"transfer-encoding")
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,12}")

Headers = list[tuple[bytes, bytes]]


class Head(NamedTuple):
    """A response up to its body. length: octets; None until the close, -1 in chunks."""

    status: int
    headers: Headers
    length: int | None
    keep: bool


class Connection(asyncio.Protocol):
    """The octets of a connection, read and written with timeouts.

    whole: everything that was written has been handed to the network; while it has not, the
    server cannot have the whole request. done: the last answer has been read to its end.
    """

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._buffer = bytearray()
        self._waiter: asyncio.Future[None] | None = None
        self._deadline: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False
        self._reading = True
        self.lost = False
        self.whole = True
        self.done = True
        self.idle_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=1)  # TLS pauses at the figure itself: not 0

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._ended = self.lost = True
        if self._timer is not None:
            self._timer.cancel()
        self._wake()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if len(self._buffer) > _HIGH_WATER and self._reading:
            self._reading = False
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        self._ended = True
        self._wake()
        return False  # closes the transport

    def pause_writing(self) -> None:
        self.whole = False

    def resume_writing(self) -> None:
        self.whole = True
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    @property
    def usable(self) -> bool:
        """True where a kept connection has neither ended nor anything to read."""
        if self._ended or self._buffer or self._transport.is_closing():
            return False
        sock = self._transport.get_extra_info("socket")
        return sock is None or not _readable(sock.fileno())

    @property
    def peer(self) -> str:
        """The IP address at the other end; empty where it has gone already."""
        name = self._transport.get_extra_info("peername")
        return str(name[0]) if name else ""

    @property
    def answered(self) -> bool:
        """True where any octet of an answer has come."""
        return bool(self._buffer)

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    async def write(self, data: bytes, seconds: float | None) -> None:
        """Hand over to the network, or stop early where the server answers or goes away."""
        self._transport.write(data)
        if self._transport.is_closing():  # the kernel took nothing: it knows already
            self.whole = False
        if not self.whole:
            await self._until(lambda: self.whole or self.answered, seconds, httpx.WriteTimeout)

    async def head(self, seconds: float | None, method: bytes) -> Head:
        """The next response that is not interim (1xx)."""
        for _ in range(_MAX_INTERIM):
            await self._until(
                lambda: b"\r\n\r\n" in self._buffer or len(self._buffer) > _MAX_HEAD,
                seconds,
                httpx.ReadTimeout,
            )
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0 or end > _MAX_HEAD:
                raise _broken("the connection ended before the answer", self)
            raw = bytes(self._buffer[:end])
            del self._buffer[: end + 4]
            head = _parsed(raw, method)
            if head.status == 101:
                raise httpx.RemoteProtocolError("the server changed the protocol, unasked")
            if head.status >= 200:
                self.done = head.length == 0
                return head
        raise httpx.RemoteProtocolError("the answer does not get beyond 1xx")

    def body(self, head: Head, seconds: float | None) -> AsyncIterator[bytes]:
        """The body in pieces, its framing removed; at its end `done` is True."""
        if head.length == -1:
            return self._chunks(seconds)
        if head.length is None:
            return self._rest(seconds)
        return self._all_of(head.length, seconds)

    async def _rest(self, seconds: float | None) -> AsyncIterator[bytes]:
        while not self._ended or self._buffer:
            await self._until(lambda: bool(self._buffer), seconds, httpx.ReadTimeout)
            if piece := self._taken(len(self._buffer)):
                yield piece
        self.done = True

    async def _all_of(self, length: int, seconds: float | None) -> AsyncIterator[bytes]:
        if 0 < length <= len(self._buffer):
            yield self._taken(length)  # most answers are here at once
        else:
            async for piece in self._exactly(length, seconds):
                yield piece
        self.done = True

    async def _exactly(self, length: int, seconds: float | None) -> AsyncIterator[bytes]:
        while length:
            if not self._buffer:
                await self._until(lambda: bool(self._buffer), seconds, httpx.ReadTimeout)
            piece = self._taken(length)
            if not piece:
                raise _broken(f"the answer ended {length} octets early", self)
            length -= len(piece)
            yield piece

    async def _chunks(self, seconds: float | None) -> AsyncIterator[bytes]:
        while True:
            size = (await self._line(seconds)).partition(b";")[0].strip(b" \t")
            if not _CHUNK.fullmatch(size):
                raise httpx.RemoteProtocolError("a chunk of the answer has no size")
            if not int(size, 16):
                break
            async for piece in self._exactly(int(size, 16), seconds):
                yield piece
            if await self._line(seconds):
                raise httpx.RemoteProtocolError("a chunk of the answer is longer than its size")
        for _ in range(_MAX_TRAILERS):
            if not await self._line(seconds):
                self.done = True
                return
        raise httpx.RemoteProtocolError("the answer has too many trailer fields")

    async def _line(self, seconds: float | None) -> bytes:
        await self._until(
            lambda: b"\r\n" in self._buffer or len(self._buffer) > _MAX_LINE,
            seconds,
            httpx.ReadTimeout,
        )
        line, found, _ = bytes(self._buffer[: _MAX_LINE + 2]).partition(b"\r\n")
        if not found:
            raise _broken("a line of the answer has no end", self)
        del self._buffer[: len(line) + 2]
        return line

    def _taken(self, limit: int) -> bytes:
        piece = bytes(self._buffer[:limit])
        del self._buffer[: len(piece)]
        if not self._reading and len(self._buffer) <= _HIGH_WATER and not self._ended:
            self._reading = True
            self._transport.resume_reading()
        return piece

    async def _until(
        self, true: Callable[[], bool], seconds: float | None, late: type[httpx.TransportError]
    ) -> None:
        """Return once it is true, or nothing more will come."""
        loop = asyncio.get_running_loop()
        while not (true() or self._ended):
            self._waiter = loop.create_future()
            if seconds is not None:
                self._deadline = loop.time() + seconds
                self._set_timer(loop, self._deadline)
            try:
                await self._waiter
            except TimeoutError:
                raise late(f"nothing happened for {seconds:g} seconds") from None
            finally:
                self._waiter, self._deadline = None, None

    def _set_timer(self, loop: asyncio.AbstractEventLoop, deadline: float) -> None:
        if self._timer is not None and self._timer.when() <= deadline:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(deadline, self._look_at_the_clock, loop)

    def _look_at_the_clock(self, loop: asyncio.AbstractEventLoop) -> None:
        """One timer serves many waits: most are over long before it comes."""
        self._timer = None
        if self._waiter is None or self._waiter.done() or self._deadline is None:
            return
        if loop.time() >= self._deadline:
            self._waiter.set_exception(TimeoutError())
        else:
            self._set_timer(loop, self._deadline)


def _broken(detail: str, connection: Connection) -> httpx.TransportError:
    return (httpx.ReadError if connection.lost else httpx.RemoteProtocolError)(detail)


def _readable(descriptor: int) -> bool:
    """True where the kernel has octets or an end of file that the event loop has not seen yet."""
    if descriptor < 0:
        return True
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([descriptor], [], [], 0)[0])


def _parsed(raw: bytes, method: bytes) -> Head:
    first, *lines = raw.split(b"\r\n")
    status = _STATUS.fullmatch(first)
    ends = len(lines)
    if not status or raw.count(b"\r") != ends or raw.count(b"\n") != ends or b"\0" in raw:
        raise httpx.RemoteProtocolError("the answer is no HTTP/1.1")
    headers: Headers = []
    framing: dict[bytes, list[bytes]] = {name: [] for name in _FRAMING}
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _FIELD_NAME.fullmatch(name):
            raise httpx.RemoteProtocolError("the answer has a line that is no header field")
        value = value.strip(b" \t")
        headers.append((name, value))
        if (lower := name.lower()) in framing:
            framing[lower].append(value)
    code = int(status[2])
    length, certain = _length(framing[b"content-length"], framing[b"transfer-encoding"])
    options = b",".join(framing[b"connection"]).lower().split(b",")
    words = {option.strip(b" \t") for option in options}
    keep = (status[1] == b"1" and b"close" not in words) or b"keep-alive" in words
    if method == b"HEAD" or code < 200 or code in (204, 304):
        return Head(code, headers, 0, keep)
    return Head(code, headers, length, keep and certain)


def _length(lengths: list[bytes], codings: list[bytes]) -> tuple[int | None, bool]:
    """The length as Head has it, and whether the end of the body is certain (RFC 9112 6.3)."""
    if lengths and (len(set(lengths)) > 1 or not _LENGTH.fullmatch(lengths[0])):
        raise httpx.RemoteProtocolError("the answer has no valid Content-Length")
    if codings:
        if b",".join(codings).strip().lower() != b"chunked":
            raise httpx.RemoteProtocolError("the answer has a transfer coding nobody asked for")
        return -1, not lengths  # with a length as well, somebody on the way may see another end
    return (int(lengths[0]), True) if lengths else (None, False)
