"""One HTTP/2 connection: streams, flow control both ways, what each frame means, and the end.

Whatever ends a connection, each of its requests ends too: with its answer where the status came,
back in the queue where the server cannot have acted on it (not yet written, above GOAWAY's last
stream, REFUSED_STREAM), else with UnansweredError.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import Final, Protocol

from vero_channels.transport import http2_frames as h2
from vero_channels.transport.http2_exchange import (
    Http2Error,
    Request,
    UnansweredError,
    UnsentError,
    UntrustedError,
)
from vero_channels.transport.http2_fields import MAX_HEADERS, status
from vero_channels.transport.http2_frames import Code, ProtocolError, Setting
from vero_channels.transport.http2_reading import FrameReader
from vero_channels.transport.http2_sending import Sender

MAX_STREAMS: Final = 1_000  # at a time, even if the peer allows more
MAX_TRIES: Final = 10  # of a request that comes back, without anything else getting through
MAX_BODY: Final = h2.WINDOW - 1  # octets of an answer; flow control keeps the peer from more
_BUFFER: Final = 1 << 17  # octets read at a time
_CREDIT: Final = 1 << 24  # octets received before the peer may send as many more
_PREFACE: Final = (
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    + h2.settings(
        {
            Setting.HEADER_TABLE_SIZE: 0,  # so that each answer can be read without the others
            Setting.ENABLE_PUSH: 0,
            Setting.MAX_HEADER_LIST_SIZE: MAX_HEADERS,
        }
    )
    + h2.number(h2.WINDOW_UPDATE, 0, h2.MAX_WINDOW - h2.WINDOW)
)


class Pool(Protocol):
    """Where requests wait, and who is told when a connection takes no more of them."""

    waiting: deque[Request]

    def on_change(self, connection: Connection) -> None: ...


class Connection(asyncio.BufferedProtocol):
    """Takes requests from the pool's queue as soon as the peer allows.

    keepalive: seconds of silence before a PING; patience: seconds for the answer to it, and for
    the peer's SETTINGS. open: it may take requests, now or later. error: why it has ended.
    settled: SETTINGS came. got_through: an answer came.
    """

    def __init__(self, pool: Pool, *, keepalive: float, patience: float) -> None:
        self._pool, self._keepalive, self._patience = pool, keepalive, patience
        loop = asyncio.get_running_loop()
        self._clock = loop.time
        self._reader, self._sender = FrameReader(self), Sender()
        self._buffer = memoryview(bytearray(_BUFFER))
        self._streams: dict[int, Request] = {}
        self._limit = 0  # streams; none before the peer's SETTINGS
        self._received = 0  # octets that the peer has to be given credit for
        self._heard = self._clock()
        self._pinged = 0.0
        self._said = ""  # by the peer's GOAWAY
        self.open, self.settled, self.got_through = True, False, False
        self.error: Http2Error | None = None
        self.closed = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for type checkers
        self._transport = transport
        tls = transport.get_extra_info("ssl_object")
        if tls is None or tls.selected_alpn_protocol() != "h2":
            self.end(UntrustedError("the server does not speak HTTP/2 (ALPN h2)"))
            transport.close()
        else:
            self._sender.start(transport, _PREFACE)

    def pump(self) -> None:
        """Begin as many of the waiting requests as the peer allows."""
        waiting, sender, streams = self._pool.waiting, self._sender, self._streams
        while (
            waiting
            and len(streams) < self._limit
            and sender.window > 0
            and self.open
            and not sender.congested
        ):
            request = waiting.popleft()
            if not request.future.done():
                streams[sender.begin(request)] = request
                if sender.exhausted:
                    self._drain()

    def pause_writing(self) -> None:
        self._sender.congested = True

    def resume_writing(self) -> None:
        self._sender.congested = False
        self.pump()

    def get_buffer(self, sizehint: int) -> memoryview:
        del sizehint
        return self._buffer  # one for all: asyncio would make one for each TLS record

    def buffer_updated(self, nbytes: int) -> None:
        if self.error is not None:
            return
        self._heard, self._pinged = self._clock(), 0.0
        try:
            self._reader.feed(bytes(self._buffer[:nbytes]))
        except ProtocolError as error:
            self.end(UnansweredError(f"the server breaks HTTP/2: {error}"), error.code)
            return
        if self._received >= _CREDIT:
            self._sender.out.append(h2.number(h2.WINDOW_UPDATE, 0, self._received))
            self._received = 0
        self._proceed()

    def on_headers(self, stream: int, block: bytes, ended: bool) -> None:
        request = self._streams.get(stream)
        if request is None:
            self._check_known(stream)
        elif request.status:  # trailers
            if not ended:
                raise ProtocolError(Code.PROTOCOL_ERROR, "an answer has two headers")
            self._finish(stream, request)
        else:
            code = 200 if block[:1] == b"\x88" else self._status(block)
            if code >= 200:
                request.status, request.block = code, block
                if ended:
                    self._finish(stream, request)
            elif ended:
                raise ProtocolError(Code.PROTOCOL_ERROR, "an answer ends before it begins")

    def _status(self, block: bytes) -> int:
        try:
            return status(block)
        except ValueError as error:
            raise ProtocolError(Code.COMPRESSION_ERROR, str(error)) from None

    def on_data(self, stream: int, data: bytes, length: int, ended: bool) -> None:
        self._received += length
        request = self._streams.get(stream)
        if request is None:
            self._check_known(stream)
        elif not request.status:
            raise ProtocolError(Code.PROTOCOL_ERROR, "an answer's body is before its header")
        else:
            request.received = request.received + data if request.received else data
            if ended:
                self._finish(stream, request)
            elif len(request.received) > MAX_BODY:
                self._abandon(stream)
                request.finish()

    def on_reset(self, stream: int, code: int) -> None:
        request = self._taken(stream)
        if request is None:
            self._check_known(stream)
        elif request.status:
            request.finish()
        elif code == Code.REFUSED_STREAM:
            request.tries += 1
            self._back([request])
        else:
            request.fail(UnansweredError(f"the server reset the stream: {Code.text(code)}"))

    def on_settings(self, values: list[tuple[int, int]]) -> None:
        if not self.settled:
            self.settled, self._limit = True, MAX_STREAMS
        for setting, value in values:
            if setting == Setting.HEADER_TABLE_SIZE:
                self._sender.limit_table(value)
            elif setting == Setting.MAX_CONCURRENT_STREAMS:
                self._limit = min(value, MAX_STREAMS)
            elif setting == Setting.INITIAL_WINDOW_SIZE:
                self._sender.resize(value)
            elif setting == Setting.MAX_FRAME_SIZE:
                if not h2.MAX_FRAME <= value < 1 << 24:
                    raise ProtocolError(Code.PROTOCOL_ERROR, f"MAX_FRAME_SIZE {value}")
            elif setting == Setting.ENABLE_PUSH and value:
                raise ProtocolError(Code.PROTOCOL_ERROR, "a server enables push")
        self._sender.out.append(h2.frame(h2.SETTINGS, h2.ACK, 0, b""))

    def on_ping(self, payload: bytes) -> None:
        self._sender.out.append(h2.frame(h2.PING, h2.ACK, 0, payload))

    def on_goaway(self, last: int, code: int, debug: bytes) -> None:
        words = "".join(
            c if c.isprintable() else " " for c in debug[:200].decode("utf-8", "replace")
        )
        self._said = f"GOAWAY {Code.text(code)} {words}".strip()
        above = [(stream, self._streams[stream]) for stream in self._streams if stream > last]
        for stream, request in above:
            self._taken(stream)
            request.tries += not self.got_through
        self._back([request for _, request in above])
        self._drain()

    def on_window(self, stream: int, increment: int) -> None:
        if stream and stream not in self._streams:
            self._check_known(stream)
        self._sender.widen(stream, increment)

    def _check_known(self, stream: int) -> None:
        """Frames of streams that have ended are passed over; others cannot be."""
        self._reader.count()
        if not self._sender.begun(stream):
            raise ProtocolError(Code.PROTOCOL_ERROR, f"a frame on stream {stream}, which is idle")

    def _taken(self, stream: int) -> Request | None:
        self._sender.forget(stream)
        return self._streams.pop(stream, None)

    def _finish(self, stream: int, request: Request) -> None:
        del self._streams[stream]
        self._reader.idle = 0
        self.got_through = True
        if request.rest:  # answered before all of it was sent
            self._sender.reset(stream, Code.NO_ERROR)
        request.finish()

    def _abandon(self, stream: int) -> None:
        del self._streams[stream]
        self._sender.reset(stream, Code.CANCEL)

    def _back(self, requests: list[Request]) -> None:
        """Into the queue again, before those that came later."""
        for request in reversed(requests):
            if request.tries >= MAX_TRIES:
                request.fail(UnsentError(f"the server refused it {MAX_TRIES} times. {self._said}"))
            else:
                self._pool.waiting.appendleft(request.again())

    def cancel(self, request: Request) -> bool:
        """Give up a request of this connection's."""
        found = self._streams.get(request.stream) is request
        if found:
            self._abandon(request.stream)
            self._proceed()
        return found

    def tick(self, now: float) -> None:
        """Look at the clock: deadlines, silence."""
        self._reader.idle = 0
        for stream, request in list(self._streams.items()):
            if request.deadline <= now:
                self._abandon(stream)
                if request.status:
                    request.finish()
                else:
                    request.fail(UnansweredError("no answer came in time"))
        self._proceed()
        if self.error is not None:
            return
        if not self.settled and now >= self._heard + self._patience:
            self.end(UnsentError("the server sends no SETTINGS"))
        elif self._pinged and now >= self._pinged + self._patience:
            self.end(UnansweredError("the server does not answer PING"))
        elif not self._pinged and now >= self._heard + self._keepalive:
            self._pinged = now
            self._sender.out.append(h2.frame(h2.PING, 0, 0, b"vero-png"))
            self._sender.flush()

    def _proceed(self) -> None:
        """Do what may be done after streams have ended."""
        self.pump()
        self._sender.flush()
        if not self.open and not self._streams:
            self.end(UnansweredError("the connection was drained"))

    def _drain(self) -> None:
        """Begin nothing more; what has begun may still be answered."""
        if self.open:
            self.open = False
            self._pool.on_change(self)

    def end(self, error: Http2Error, code: Code = Code.NO_ERROR) -> None:
        """Settle every request and close. Idempotent."""
        if self.error is not None:
            return
        self.error, self.open = error, False
        streams, self._streams = self._streams, {}
        unwritten = []
        for stream, request in streams.items():
            if request.status:
                request.finish()
            elif stream >= self._sender.written:
                unwritten.append(request)
            else:
                request.fail(UnansweredError(f"{error} {self._said}".strip()))
        self._back(unwritten)
        self._sender.end(code)
        self._pool.on_change(self)

    def abort(self) -> None:
        """Close without waiting for the peer."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        refused = isinstance(exc, ssl.SSLError) and not self.settled
        detail = f"the connection was lost: {exc}" if exc else "the server closed the connection"
        self.end(UntrustedError(detail) if refused else UnansweredError(detail))
        if not self.closed.done():
            self.closed.set_result(None)
