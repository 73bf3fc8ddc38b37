"""Octets from the peer into frames, within limits: sizes, CONTINUATION, and what does no good."""

from __future__ import annotations

from typing import Final, Protocol

from vero_channels.transport import http2_frames as h2
from vero_channels.transport.http2_fields import MAX_HEADERS
from vero_channels.transport.http2_frames import Code, ProtocolError

MAX_IDLE_FRAMES: Final = 10_000  # since the last answer that was whole, or in a second

_WHOLE: Final = h2.END_HEADERS | h2.END_STREAM
_OF_STREAMS: Final = (h2.DATA, h2.HEADERS, h2.PRIORITY, h2.RST_STREAM)
_OF_CONNECTION: Final = (h2.SETTINGS, h2.PING, h2.GOAWAY)
_LENGTHS: Final = {h2.PRIORITY: 5, h2.RST_STREAM: 4, h2.PING: 8, h2.WINDOW_UPDATE: 4}


class Receiver(Protocol):
    """What frames are handed to. Each may raise ProtocolError."""

    def on_headers(self, stream: int, block: bytes, ended: bool) -> None: ...

    def on_data(self, stream: int, data: bytes, length: int, ended: bool) -> None: ...

    def on_reset(self, stream: int, code: int) -> None: ...

    def on_settings(self, values: list[tuple[int, int]]) -> None: ...

    def on_ping(self, payload: bytes) -> None: ...

    def on_goaway(self, last: int, code: int, debug: bytes) -> None: ...

    def on_window(self, stream: int, increment: int) -> None: ...


class FrameReader:
    """Reads what the peer sends. idle: frames since the receiver last set it to 0."""

    __slots__ = ("_begun", "_block", "_pieces", "_rest", "_to", "idle")

    def __init__(self, receiver: Receiver) -> None:
        self._to = receiver
        self._rest = b""
        self._begun = False  # whether SETTINGS was the first frame
        self._block: tuple[int, bool] | None = None  # stream and END_STREAM of an open block
        self._pieces = b""
        self.idle = 0

    def feed(self, data: bytes) -> None:
        """Hand over the frames that are whole. ProtocolError where the connection has to end."""
        if self._rest:
            data = self._rest + data
        at, size, unpack = 0, len(data), h2.HEAD.unpack_from
        while size - at >= h2.HEAD_SIZE:
            kind, flags, stream = unpack(data, at)
            start = at + h2.HEAD_SIZE
            end = start + (kind >> 8)
            if end - start > h2.MAX_FRAME:
                raise ProtocolError(Code.FRAME_SIZE_ERROR, "a frame is longer than we allow")
            if end > size:
                break
            at = end
            whole = kind & 0xFF == h2.HEADERS and flags == _WHOLE
            if whole and self._begun and self._block is None:  # most answers are one such frame
                self._to.on_headers(stream & h2.MAX_STREAM, data[start:end], True)
                continue
            self.count()
            self._frame(kind & 0xFF, flags, stream & h2.MAX_STREAM, data[start:end])
        self._rest = data[at:]

    def count(self) -> None:
        """One more frame that ends nothing."""
        self.idle += 1
        if self.idle > MAX_IDLE_FRAMES:
            raise ProtocolError(Code.ENHANCE_YOUR_CALM, "the peer floods us with frames")

    def _frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if self._block is not None or kind == h2.CONTINUATION:
            self._continued(kind, flags, stream, payload)
        elif kind == h2.HEADERS and stream:
            self._headers(flags, stream, payload)
        elif kind == h2.DATA and stream:
            data = h2.unpadded(payload, flags & h2.PADDED) if flags & h2.PADDED else payload
            self._to.on_data(stream, data, len(payload), bool(flags & h2.END_STREAM))
        else:
            self._control(kind, flags, stream, payload)
        if not self._begun:
            raise ProtocolError(Code.PROTOCOL_ERROR, "the peer does not begin with SETTINGS")

    def _headers(self, flags: int, stream: int, payload: bytes) -> None:
        if flags & (h2.PADDED | h2.PRIORITIZED):
            payload = h2.unpadded(payload, flags)
        ended = bool(flags & h2.END_STREAM)
        if flags & h2.END_HEADERS:
            self._to.on_headers(stream, payload, ended)
        else:
            self._block, self._pieces = (stream, ended), payload

    def _continued(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind != h2.CONTINUATION or self._block is None or self._block[0] != stream:
            raise ProtocolError(Code.PROTOCOL_ERROR, "a header block is interrupted")
        if len(self._pieces) + len(payload) > MAX_HEADERS:
            raise ProtocolError(Code.ENHANCE_YOUR_CALM, "a header block is too large")
        self._pieces += payload
        if flags & h2.END_HEADERS:
            block, ended = self._pieces, self._block[1]
            self._block, self._pieces = None, b""
            self._to.on_headers(stream, block, ended)

    def _control(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind in (_OF_CONNECTION if stream else _OF_STREAMS):
            raise ProtocolError(Code.PROTOCOL_ERROR, f"a frame of type {kind} on stream {stream}")
        if len(payload) != _LENGTHS.get(kind, len(payload)):
            raise ProtocolError(Code.FRAME_SIZE_ERROR, f"a frame of type {kind} has a wrong length")
        if kind == h2.RST_STREAM:
            self._to.on_reset(stream, h2.NUMBER.unpack(payload)[0])
        elif kind == h2.WINDOW_UPDATE:
            self._to.on_window(stream, h2.NUMBER.unpack(payload)[0] & h2.MAX_WINDOW)
        elif kind == h2.SETTINGS:
            self._settings(flags, payload)
        elif kind == h2.PING:
            if not flags & h2.ACK:
                self._to.on_ping(payload)
        elif kind == h2.GOAWAY:
            if len(payload) < 8:
                raise ProtocolError(Code.FRAME_SIZE_ERROR, "GOAWAY is too short")
            last, code = h2.PAIR.unpack_from(payload)
            self._to.on_goaway(last & h2.MAX_STREAM, code, payload[8:])
        elif kind == h2.PUSH_PROMISE:
            raise ProtocolError(Code.PROTOCOL_ERROR, "the peer pushes, though we disabled it")

    def _settings(self, flags: int, payload: bytes) -> None:
        if len(payload) % h2.SETTING.size or (flags & h2.ACK and payload):
            raise ProtocolError(Code.FRAME_SIZE_ERROR, "SETTINGS has a wrong length")
        if not flags & h2.ACK:
            self._begun = True
            self._to.on_settings(list(h2.SETTING.iter_unpack(payload)))
