"""Frames of HTTP/2 (RFC 9113 section 6) as octets; what they mean is in http2_connection.py."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE = range(9)
CONTINUATION: Final = 9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITIZED: Final = 0x20

MAX_FRAME: Final = 16_384  # octets of a payload, which every peer takes; we allow no more
WINDOW: Final = 65_535  # octets that may be sent, unless SETTINGS says otherwise
MAX_WINDOW: Final = (1 << 31) - 1
MAX_STREAM: Final = (1 << 31) - 1

# what is before each payload: length * 256 + type, flags, stream
HEAD: Final = struct.Struct(">IBI")
SETTING: Final = struct.Struct(">HI")
NUMBER: Final = struct.Struct(">I")
PAIR: Final = struct.Struct(">II")
HEAD_SIZE: Final = HEAD.size


class Code(IntEnum):
    """Error codes (section 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13

    @classmethod
    def text(cls, code: int) -> str:
        """The name of a code, or its number."""
        return next((known.name for known in cls if known == code), f"error {code}")


class Setting(IntEnum):
    """What SETTINGS holds (section 6.5.2)."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class ProtocolError(Exception):
    """The peer broke the protocol, or floods us: the connection has to end."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """One frame. The payload is not longer than the peer allows."""
    return HEAD.pack(len(payload) << 8 | kind, flags, stream) + payload


def settings(values: dict[Setting, int]) -> bytes:
    """Our SETTINGS."""
    return frame(SETTINGS, 0, 0, b"".join(SETTING.pack(*each) for each in values.items()))


def number(kind: int, stream: int, value: int) -> bytes:
    """RST_STREAM with a code, or WINDOW_UPDATE with an increment."""
    return frame(kind, 0, stream, NUMBER.pack(value))


def goaway(code: Code) -> bytes:
    """Our GOAWAY; the peer has opened no stream."""
    return frame(GOAWAY, 0, 0, PAIR.pack(0, code))


def headers(stream: int, block: bytes, *, ended: bool) -> Iterator[bytes]:
    """A header block as HEADERS and as many CONTINUATION as it takes."""
    kind, flags = HEADERS, END_STREAM if ended else 0
    for at in range(0, len(block), MAX_FRAME):
        last = at + MAX_FRAME >= len(block)
        piece = block[at : at + MAX_FRAME]
        yield frame(kind, flags | (END_HEADERS if last else 0), stream, piece)
        kind, flags = CONTINUATION, 0


def unpadded(payload: bytes, flags: int) -> bytes:
    """What DATA or HEADERS holds, without padding and priority."""
    if flags & PADDED:
        if not payload or payload[0] >= len(payload):
            raise ProtocolError(Code.PROTOCOL_ERROR, "a frame has more padding than octets")
        payload = payload[1 : len(payload) - payload[0]]
    if flags & PRIORITIZED:
        if len(payload) < 5:
            raise ProtocolError(Code.FRAME_SIZE_ERROR, "HEADERS ends within its priority")
        payload = payload[5:]
    return payload
