"""A real HTTP/1.1 server for tests, on a free port of 127.0.0.1.

`serving(answer)` asks a function for each answer; it may also hang, or close where it is told to.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> list[tuple[str, bytes, str, str]]:
        """The parts of multipart/form-data: field, value, filename, content type."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        parsed = BytesParser(policy=HTTP).parsebytes(head + self.body)
        assert isinstance(parsed, EmailMessage)
        return [
            (
                str(part.get_param("name", header="content-disposition")),
                bytes(part.get_payload(decode=True)),
                part.get_filename() or "",
                part.get_content_type() if part["content-type"] else "",
            )
            for part in parsed.iter_parts()
        ]

    def fields(self, name: str) -> list[str]:
        """The values of one field of a form."""
        return [value.decode() for field, value, *_ in self.form if field == name]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server says. raw: the octets themselves, in place of all else.

    close: before the answer ("now"), or in the middle of it ("half"). hang: seconds before it.
    """

    status: int = 200
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    raw: bytes | None = None
    close: str = ""
    hang: float = 0.0


Handler = Callable[[Asked], Answer]


@dataclass(slots=True)
class Server:
    """A running server. asked: what came, in order; connections: how many were opened."""

    answer: Handler
    port: int = 0
    scheme: str = "http"
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    talks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side has had enough."""
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self.talks.add(task)
        task.add_done_callback(self.talks.discard)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                while await self._turn(reader, writer):
                    pass
            finally:
                writer.close()
                await writer.wait_closed()

    async def _turn(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.asked.append(Asked(method, path, headers, body))
        answer = self.answer(self.asked[-1])
        if answer.hang:
            await asyncio.sleep(answer.hang)
        octets = answer.raw if answer.raw is not None else _octets(answer)
        if answer.close:
            writer.write(octets[: len(octets) // 2] if answer.close == "half" else b"")
            await writer.drain()
            return False
        writer.write(octets)
        await writer.drain()
        return answer.raw is None


def _octets(answer: Answer) -> bytes:
    body = answer.text.encode() if answer.json is None else json.dumps(answer.json).encode()
    headers = {"content-type": "application/json", **answer.headers}
    if answer.status != 204:
        headers["content-length"] = str(len(body))
    lines = [f"HTTP/1.1 {answer.status} X", *(f"{n}: {v}" for n, v in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def serving(answer: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server for the time of the `with`."""
    running = Server(answer, scheme="https" if tls else "http")
    server = await asyncio.start_server(running.talk, "127.0.0.1", 0, ssl=tls, limit=1 << 20)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        talks = list(running.talks)
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
