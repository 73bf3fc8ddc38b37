"""What our reader of answers takes, h11 reads the same, however the octets are cut."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import cast

import h11
import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from vero_channels.transport.http1_connection import Connection

Read = tuple[int, list[tuple[bytes, bytes]], bytes]

NAMES = st.sampled_from(
    [
        b"Content-Length",
        b"content-length",
        b"Transfer-Encoding",
        b"Connection",
        b"X-A",
        b"Server",
        b"Trailer",
        b"Content-Length ",
        b" X",
        b"",
    ]
)
VALUES = st.sampled_from([b"0", b"2", b"5", b"05", b"+2", b"2, 2", b"chunked", b"Chunked",
                          b"gzip, chunked", b"close", b"keep-alive", b"a\tb", b"", b"\xe9", b"a\nb",
                          b"a\rb", b"a\0b", b" x "])  # fmt: skip
FIRST = st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.0 200 OK",
                         b"HTTP/1.1 204 No", b"HTTP/1.1 304 No", b"HTTP/1.1 404 Not Found",
                         b"HTTP/2 200 OK", b"HTTP/1.1 99 No", b"HTTP/1.1 2000 No", b"http/1.1 200",
                         b"HTTP/1.1 100 Go on", b""])  # fmt: skip
BODIES = st.sampled_from([b"", b"ok", b"hello", b"2\r\nok\r\n0\r\n\r\n", b"0\r\n\r\n",
                          b"1\r\nok\r\n",
                          b"2;a=b\r\nok\r\n0\r\nX: y\r\n\r\n", b"-1\r\n", b"2 \r\nok\r\n0\r\n\r\n",
                          b"ffffffffffffffffffff\r\n", b"2\nok\n0\n\n"])  # fmt: skip


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Right answers, wrong ones, and some in between."""
    fields = draw(st.lists(st.tuples(NAMES, VALUES), max_size=3))
    lines = [draw(FIRST), *(b"%s:%s" % field for field in fields), b"", draw(BODIES)]
    return b"\r\n".join(lines)


class Wire:
    """A transport that goes nowhere."""

    def set_write_buffer_limits(self, high: int) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


async def ours(pieces: list[bytes]) -> Read:
    """The answer as our connection reads it, and the octets after it."""
    connection = Connection()
    connection.connection_made(cast("asyncio.Transport", Wire()))

    async def feed() -> None:
        for piece in pieces:
            connection.data_received(piece)
            await asyncio.sleep(0)
        connection.eof_received()

    feeding = asyncio.create_task(feed())
    try:
        head = await connection.head(5, b"POST")
        body = b"".join([piece async for piece in connection.body(head, 5)])
    finally:
        await feeding
    return head.status, [(name.lower(), value) for name, value in head.headers], body


def theirs(octets: bytes) -> Read:
    """The same by h11."""
    reader = h11.Connection(h11.CLIENT)
    reader.send(h11.Request(method="POST", target="/", headers=[("Host", "x")]))
    reader.send(h11.EndOfMessage())
    reader.receive_data(octets)
    reader.receive_data(b"")
    status, headers, body = 0, list[tuple[bytes, bytes]](), b""
    while not isinstance(event := reader.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Response):
            status, headers = event.status_code, list(event.headers)
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.ConnectionClosed) or event is h11.NEED_DATA:
            raise h11.RemoteProtocolError("no end")
    return status, headers, body


@settings(max_examples=600, deadline=None)
@given(answers(), st.lists(st.integers(0, 120), max_size=6))
def test_what_we_take_h11_takes_too(octets: bytes, cuts: list[int]) -> None:
    """Where ours gives an answer, h11 gives that one: nothing is read into broken octets."""
    edges = [0, *sorted(cuts), len(octets)]
    pieces = [octets[a:b] for a, b in pairwise(edges) if octets[a:b]]
    try:
        status, headers, body = asyncio.run(ours(pieces))
    except (httpx.RemoteProtocolError, httpx.ReadError):
        return
    expected = theirs(octets)
    assert (status, body) == (expected[0], expected[2])
    # h11 makes one of equal lengths, and chunked lower case
    assert {name for name, _ in headers} == {name for name, _ in expected[1]}
