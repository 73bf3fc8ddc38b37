"""What an HTTP client makes of many requests in flight: `python -m benchmarks.http [--json]`.

Each posts the same 40 kB of JSON, 16 at a time over kept connections, to one server in a process
of its own. Rows take turns; a figure is the median of its turns, requests per second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from importlib import import_module
from statistics import median
from typing import Any

import httpx

from vero_channels.transport.http1 import Http1Transport

BODY = json.dumps({"content": [{"type": "text/html", "value": "<p>Hello</p>" * 3_330}]}).encode()
ANSWER = b'{"id":"0123456789abcdef"}'
HEADERS = {"content-type": "application/json", "authorization": "Bearer x"}
ROUNDS, REQUESTS = 9, 800

Post = Callable[[], Awaitable[bytes]]


class Server(asyncio.Protocol):
    """Answers each request once it is there whole; no more than that."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end]).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(self._buffer) < end + 4 + length:
                return
            del self._buffer[: end + 4 + length]
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(ANSWER), ANSWER)
            )


async def serve() -> None:
    """Print the port, and answer until the other end of stdin is gone."""
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


@dataclass
class Row:
    """One client. per_s: requests per second, a figure for each turn; us: CPU of each request."""

    post: Post
    per_s: list[float] = field(default_factory=list)
    us: list[float] = field(default_factory=list)


def by_httpx(client: httpx.AsyncClient, url: str) -> Post:
    """A request that is made once, so that only the client is measured."""
    request = httpx.Request("POST", url, headers=HEADERS, content=BODY)

    async def post() -> bytes:
        return (await client.send(request)).content

    return post


async def rows(stack: AsyncExitStack, url: str, flight: int) -> dict[str, Row]:
    """The clients that are installed."""
    limits = httpx.Limits(max_connections=flight, max_keepalive_connections=flight)
    ours = httpx.AsyncClient(transport=Http1Transport(limit=flight), trust_env=False)
    plain = httpx.AsyncClient(limits=limits, trust_env=False)
    found = {
        "vero": Row(by_httpx(await stack.enter_async_context(ours), url)),
        "httpx": Row(by_httpx(await stack.enter_async_context(plain), url)),
    }
    try:
        aiohttp: Any = import_module("aiohttp")
    except ModuleNotFoundError:
        return found
    connector = aiohttp.TCPConnector(limit=flight)
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector))

    async def post() -> bytes:
        async with session.post(url, data=BODY, headers=HEADERS) as response:
            return bytes(await response.read())

    return found | {"aiohttp": Row(post)}


async def turn(row: Row, flight: int, count: int) -> None:
    """Some requests, so many at a time; every answer is looked at."""

    async def worker() -> None:
        for _ in range(count // flight):
            assert await row.post() == ANSWER

    started, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(flight)))
    done = count // flight * flight
    row.per_s.append(done / (time.perf_counter() - started))
    row.us.append((time.process_time() - cpu) / done * 1e6)


async def measure(url: str, flight: int, rounds: int, count: int) -> dict[str, Row]:
    """Every client, in turns, after one that connects and warms."""
    async with AsyncExitStack() as stack:
        found = await rows(stack, url, flight)
        for row in found.values():
            await turn(row, flight, flight * 4)
            row.per_s.clear()
            row.us.clear()
        for _ in range(rounds):
            for row in found.values():
                await turn(row, flight, count)
    return found


def run(flight: int, rounds: int = ROUNDS, count: int = REQUESTS) -> dict[str, Row]:
    """Start a server, measure, stop it."""
    command = [sys.executable, "-m", "benchmarks.http", "--serve"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, text=True, stdin=pipe, stdout=pipe) as server:
        assert server.stdin
        assert server.stdout
        try:
            url = f"http://127.0.0.1:{int(server.stdout.readline())}/v3/mail/send"
            return asyncio.run(measure(url, flight, rounds, count))
        finally:
            server.stdin.close()


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.http", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object: per second")
    parser.add_argument("--flight", type=int, default=16, help="requests at a time (default 16)")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        asyncio.run(serve())
        return
    found = run(asked.flight)
    if asked.json:
        figures = {name: round(median(row.per_s), 1) for name, row in found.items()}
        print(json.dumps({name: figures.get(name) for name in ("vero", "httpx", "aiohttp")}))
        return
    kilobytes = f"{len(BODY) / 1_000:.0f} kB, {asked.flight} in flight, median of {ROUNDS}"
    print(f"{f'POST of {kilobytes}':44}{'per s':>8}{'CPU us':>8}  ratio")
    base = median(found["httpx"].per_s)
    for name, row in found.items():
        per_s = median(row.per_s)
        print(f"{name:44}{per_s:8.0f}{median(row.us):8.0f}  {per_s / base:.1f} x httpx")
    if "aiohttp" not in found:
        print(f"{'aiohttp':44}{'-':>8}  not installed; `scripts/venv bench` installs it")


if __name__ == "__main__":
    main()
