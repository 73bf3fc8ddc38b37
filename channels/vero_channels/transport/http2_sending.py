"""What one connection writes: requests within flow control, and everything else, once a turn."""

from __future__ import annotations

import asyncio
from typing import Final

from vero_channels.transport import http2_frames as h2
from vero_channels.transport.http2_exchange import Request
from vero_channels.transport.http2_fields import TABLE, Encoder
from vero_channels.transport.http2_frames import Code, ProtocolError

_head: Final = h2.HEAD.pack
_HIGH_WATER: Final = 1 << 18  # octets written that the network has not taken: no new streams


class Sender:
    """Gathers frames and writes them once for each turn of the event loop.

    out: frames of this turn. window: octets that the peer takes on the whole connection.
    congested: the network takes no more. written: the first stream of which nothing was written.
    """

    __slots__ = (
        "_at_once", "_blocked", "_encoder", "_initial", "_loop", "_next", "_scheduled",
        "_transport", "congested", "out", "window", "written",
    )  # fmt: skip

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._encoder = Encoder()
        self._blocked: dict[int, Request] = {}  # whose body waits for flow control
        self._scheduled = self.congested = False
        self._next = self.written = 1
        self._initial = self.window = h2.WINDOW
        self._at_once = h2.MAX_FRAME  # octets of a body that needs no WINDOW_UPDATE for its stream
        self.out: list[bytes] = []

    def start(self, transport: asyncio.Transport, preface: bytes) -> None:
        """Begin the connection."""
        self._transport = transport
        transport.set_write_buffer_limits(high=_HIGH_WATER)
        transport.write(preface)

    @property
    def exhausted(self) -> bool:
        """True where no stream is left to begin."""
        return self._next > h2.MAX_STREAM

    def begun(self, stream: int) -> bool:
        """True where that stream is or was one of ours."""
        return stream < self._next and stream % 2 == 1

    def begin(self, request: Request) -> int:
        """Write a request on a new stream, as much of it as flow control allows."""
        stream, body = self._next, request.body
        self._next += 2
        request.stream = stream
        block = self._encoder.block(request.fields, request.path, request.extra)
        size = len(body)
        if 0 < size <= self.window and size <= self._at_once and len(block) <= h2.MAX_FRAME:
            self.window -= size
            self.out += (
                _head(len(block) << 8 | h2.HEADERS, h2.END_HEADERS, stream),
                block,
                _head(size << 8 | h2.DATA, h2.END_STREAM, stream),
                body,
            )
        else:
            self.out += h2.headers(stream, block, ended=not body)
            request.rest, request.window = body, self._initial
            if body:
                self._blocked[stream] = request
                self._unblock()
        if not self._scheduled:
            self.later()
        return stream

    def later(self) -> None:
        """Write at the end of this turn."""
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Write what has gathered."""
        self._scheduled = False
        if self.out and self._transport is not None:
            out, self.out = self.out, []
            self.written = self._next
            self._transport.write(b"".join(out))

    def reset(self, stream: int, code: Code) -> None:
        """Write RST_STREAM."""
        self.forget(stream)
        self.out.append(h2.number(h2.RST_STREAM, stream, code))
        self.later()

    def forget(self, stream: int) -> None:
        """Write no more of a stream."""
        self._blocked.pop(stream, None)

    def end(self, code: Code) -> None:
        """Say goodbye, in place of all that was not written yet."""
        transport, self._transport = self._transport, None
        if transport is not None and not transport.is_closing():
            transport.write(h2.goaway(code))
            transport.close()

    def limit_table(self, size: int) -> None:
        """The peer's SETTINGS_HEADER_TABLE_SIZE."""
        self._encoder.limit(min(size, TABLE))

    def resize(self, initial: int) -> None:
        """The peer's SETTINGS_INITIAL_WINDOW_SIZE, which counts for what has begun as well."""
        if initial > h2.MAX_WINDOW:
            raise ProtocolError(Code.FLOW_CONTROL_ERROR, f"INITIAL_WINDOW_SIZE {initial}")
        for request in self._blocked.values():
            request.window += initial - self._initial
        self._initial, self._at_once = initial, min(initial, h2.MAX_FRAME)
        self._unblock()

    def widen(self, stream: int, increment: int) -> None:
        """The peer's WINDOW_UPDATE; stream 0 is the connection."""
        if not increment:
            raise ProtocolError(Code.PROTOCOL_ERROR, "WINDOW_UPDATE by 0")
        request = self._blocked.get(stream)
        if not stream:
            self.window += increment
        elif request is not None:
            request.window += increment
        if max(self.window, request.window if request else 0) > h2.MAX_WINDOW:
            raise ProtocolError(Code.FLOW_CONTROL_ERROR, "a window is too large")
        if self._blocked:
            self._unblock()

    def _unblock(self) -> None:
        """Write of the waiting bodies what flow control allows, the oldest first."""
        for stream, request in list(self._blocked.items()):
            most = min(self.window, request.window)
            while request.rest and most > 0:
                size = min(len(request.rest), most, h2.MAX_FRAME)
                piece, request.rest = request.rest[:size], request.rest[size:]
                self.window -= size
                request.window -= size
                most -= size
                ended = 0 if request.rest else h2.END_STREAM
                self.out.append(h2.frame(h2.DATA, ended, stream, piece))
            if not request.rest:
                del self._blocked[stream]
