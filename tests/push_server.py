"""A real HTTP/2 server over TLS for tests, on a free port of 127.0.0.1, spoken by `h2`.

`serving(answer)` asks a function for each answer; `Trouble` says what goes wrong on the way.
What it accepts is what APNs and FCM accept: see push_semantics.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import trustme
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

Fate = Literal["answer", "refuse", "reset", "kill", "half", "hang"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived. stream: which one of its connection's."""

    path: str
    headers: dict[str, str]
    body: bytes
    stream: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says, as JSON unless text says otherwise."""

    status: int = 200
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def body(self) -> bytes:
        return self.text.encode() if self.json is None else json.dumps(self.json).encode()


Handler = Callable[[Asked], Answer]


@dataclass(slots=True)
class Trouble:
    """What goes wrong. goaway: after so many requests of a connection; streams: at a time.

    fate: what becomes of the so-manieth request: it is answered, refused before it is looked at
    (refuse), reset after that, the connection is cut after it (kill) or no longer written to
    (half), or nothing happens (hang).
    """

    goaway: int = 0
    streams: int = 1_000
    window: int = 65_535
    frame: int = 16_384
    table: int = 4_096
    fate: Callable[[int], Fate] = lambda number: "answer"


@dataclass(slots=True)
class Server:
    """A running server. asked: what it acted on, in order; connections: how many came."""

    answer: Handler
    trouble: Trouble
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    seen: int = 0
    connections: int = 0
    most_streams: int = 0
    talks: set[Talk] = field(default_factory=set)


class Talk(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.requests: dict[int, tuple[dict[str, str], bytearray]] = {}
        self.bodies: dict[int, bytes] = {}  # what flow control keeps of answers
        self.count = 0
        self.last = 0  # the last stream that is acted on, once GOAWAY was said
        self.silent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections += 1
        self.server.talks.add(self)
        trouble = self.server.trouble
        values = {
            SettingCodes.MAX_CONCURRENT_STREAMS: trouble.streams,
            SettingCodes.INITIAL_WINDOW_SIZE: trouble.window,
            SettingCodes.MAX_FRAME_SIZE: trouble.frame,
            SettingCodes.HEADER_TABLE_SIZE: trouble.table,
        }
        self.h2.local_settings = Settings(client=False, initial_values=values)
        self.h2.decoder.max_allowed_table_size = trouble.table
        self.h2.initiate_connection()
        self.write()

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.talks.discard(self)

    def write(self) -> None:
        octets = self.h2.data_to_send()
        if octets and not self.silent:
            self.transport.write(octets)

    def data_received(self, data: bytes) -> None:
        try:
            events = self.h2.receive_data(data)
        except ProtocolError:
            self.write()
            self.transport.close()
            raise
        for event in events:
            self.handle(event)
        self.write()

    def handle(self, event: object) -> None:
        match event:
            case RequestReceived(stream_id=stream, headers=headers):
                assert stream
                assert headers
                fields = {str(name): str(value) for name, value in headers}
                self.requests[stream] = (fields, bytearray())
                open_now = len(self.requests)
                self.server.most_streams = max(self.server.most_streams, open_now)
            case DataReceived(stream_id=stream, data=data, flow_controlled_length=length):
                if stream in self.requests:
                    self.requests[stream][1].extend(data or b"")
                with contextlib.suppress(ProtocolError):
                    self.h2.acknowledge_received_data(length or 0, stream or 0)
            case StreamEnded(stream_id=stream):
                assert stream
                self.request(stream)
            case StreamReset(stream_id=stream):
                self.requests.pop(stream or 0, None)
                self.bodies.pop(stream or 0, None)
            case WindowUpdated() | RemoteSettingsChanged():
                for stream in list(self.bodies):
                    self.more(stream)
            case ConnectionTerminated():
                self.transport.close()

    def request(self, stream: int) -> None:
        if stream not in self.requests or (self.last and stream > self.last):
            return
        headers, body = self.requests.pop(stream)
        server = self.server
        server.seen += 1
        fate = server.trouble.fate(server.seen)
        if fate == "refuse":
            self.h2.reset_stream(stream, ErrorCodes.REFUSED_STREAM)
            return
        self.count += 1
        asked = Asked(headers[":path"], headers, bytes(body), stream)
        server.asked.append(asked)
        answer = server.answer(asked)
        if fate == "reset":
            self.h2.reset_stream(stream, ErrorCodes.INTERNAL_ERROR)
        elif fate == "kill":
            self.silent = True
            self.transport.abort()
        elif fate == "half":
            self.silent = True
            self.transport.close()
        elif fate == "answer":
            self.say(stream, answer)
        if server.trouble.goaway and self.count == server.trouble.goaway:
            self.last = max([stream, *(s for s in self.requests if s < stream)])
            # h2 would forget what it has not answered yet, so the frame is written by hand
            payload = self.last.to_bytes(4, "big") + bytes(4)
            self.write()
            self.transport.write(b"\0\0\x08\7\0\0\0\0\0" + payload)

    def say(self, stream: int, answer: Answer) -> None:
        head = [(":status", str(answer.status)), *answer.headers.items()]
        body = answer.body
        try:
            self.h2.send_headers(stream, head, end_stream=not body)
        except ProtocolError:  # the client has given the request up meanwhile
            return
        if body:
            self.bodies[stream] = body
            self.more(stream)

    def more(self, stream: int) -> None:
        body = self.bodies[stream]
        size = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
        if size > 0:
            rest = body[size:]
            self.h2.send_data(stream, body[:size], end_stream=not rest)
            self.bodies[stream] = rest
            if not rest:
                del self.bodies[stream]
            elif self.h2.local_flow_control_window(stream) > 0:
                self.more(stream)


@lru_cache(maxsize=1)
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(*, client_certificates: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("localhost", "127.0.0.1").configure_cert(context)
    context.set_alpn_protocols(["h2"])
    if client_certificates:
        authority().configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


@asynccontextmanager
async def serving(
    answer: Handler, trouble: Trouble | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """A server for the time of the `with`."""
    running = Server(answer, trouble or Trouble())
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Talk(running), "127.0.0.1", 0, ssl=tls or server_context()
    )
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        for talk in list(running.talks):
            talk.transport.abort()
        await asyncio.sleep(0.01)
