"""A transport for httpx whose pool stays quick with many requests in flight: HTTP/1.1, kept alive.

`httpx.AsyncClient(transport=Http1Transport())`. httpx's own pool looks at every request and every
connection whenever either changes, so that it gets slower the more there are (encode/httpx#3215).

A request is written again in one case only: a kept connection that turns out to be dead before
the request was handed to the network whole and before any octet of an answer. Otherwise the
server may have acted on it, and the caller gets the error.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import httpx

from vero_channels.transport.http1_connection import Connection, Head
from vero_channels.transport.public_network import NotPublicError, check_host, check_peer

_Origin = tuple[str, str, int]
_PORTS = {"http": 80, "https": 443}
_FRAMING = (b"connection", b"content-length", b"transfer-encoding", b"keep-alive", b"expect")


class Http1Transport(httpx.AsyncBaseTransport):
    """Connections for httpx.AsyncClient; used by one event loop at a time.

    limit: requests in flight; more wait for their turn. keep: seconds that an idle connection is
    trusted. verify: a context with your authorities, or False for tests. public_only: raise
    NotPublicError rather than connect to an address that is not on the public internet.
    """

    def __init__(
        self,
        *,
        verify: ssl.SSLContext | bool = True,
        limit: int = 100,
        keep: float = 15.0,
        public_only: bool = False,
    ) -> None:
        self._verify, self._public_only = verify, public_only
        self._limit, self._keep = limit, keep
        self._idle: dict[_Origin, list[Connection]] = {}
        self._turns = asyncio.Semaphore(limit)
        self._swept = 0.0  # when, by the loop's clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send, and give back the answer as soon as its head is there."""
        self._adopt()
        timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
        data = _wire(request, await request.aread())
        if self._turns.locked():
            await self._wait(timeouts.get("pool"))
        else:
            await self._turns.acquire()
        try:
            connection, head = await self._sent(request, data, timeouts)
        except BaseException:
            self._turns.release()
            raise
        body = _Body(self, _origin(request), connection, head, timeouts.get("read"))
        return httpx.Response(head.status, headers=head.headers, stream=body)

    async def aclose(self) -> None:
        """Close the connections that are idle; the transport may be used again."""
        idle, self._idle = self._idle, {}
        if self._loop is asyncio.get_running_loop():
            for connection in [each for kept in idle.values() for each in kept]:
                connection.abort()
            await asyncio.sleep(0)  # what is aborted is closed by the loop's next turn

    def _adopt(self) -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # connections died with the loop that made them
            self._loop, self._idle, self._swept = loop, {}, loop.time()
            self._turns = asyncio.Semaphore(self._limit)

    async def _wait(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._turns.acquire()
        except TimeoutError:
            detail = f"{self._limit} requests are in flight, for {seconds:g} seconds"
            raise httpx.PoolTimeout(detail) from None

    async def _sent(
        self, request: httpx.Request, data: bytes, timeouts: dict[str, float | None]
    ) -> tuple[Connection, Head]:
        origin = _origin(request)
        connection = self._kept(origin)
        if connection is not None:
            try:
                return connection, await _exchange(connection, request, data, timeouts)
            except _StaleError:
                pass  # no server has the request: write it to a new connection
        connection = await self._connect(origin, timeouts.get("connect"))
        try:
            return connection, await _exchange(connection, request, data, timeouts)
        except _StaleError:
            raise httpx.WriteError("the connection was lost while the request was sent") from None

    def _kept(self, origin: _Origin) -> Connection | None:
        """The connection used last, which is the least likely to be closed by its server."""
        kept = self._idle.get(origin)
        now = asyncio.get_running_loop().time()
        while kept:
            connection = kept.pop()
            if now - connection.idle_since < self._keep and connection.usable:
                return connection
            connection.abort()
        return None

    def _give_back(self, origin: _Origin, connection: Connection, reusable: bool) -> None:
        """End a request: keep its connection where it can serve another."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            return  # the turn, like the connection, was another loop's
        self._turns.release()
        if not reusable:
            connection.abort()
            return
        now = connection.idle_since = loop.time()
        self._idle.setdefault(origin, []).append(connection)
        if now - self._swept >= self._keep:
            self._sweep(now)

    def _sweep(self, now: float) -> None:
        """Close what has been idle for too long, also to hosts that nobody asks again."""
        self._swept = now
        for origin, kept in list(self._idle.items()):
            while kept and now - kept[0].idle_since >= self._keep:
                kept.pop(0).abort()
            if not kept:
                del self._idle[origin]

    async def _connect(self, origin: _Origin, seconds: float | None) -> Connection:
        scheme, host, port = origin
        tls: dict[str, Any] = {}
        if scheme == "https":
            tls = {"ssl": self._tls(), "server_hostname": host, "ssl_handshake_timeout": seconds}
        loop = asyncio.get_running_loop()
        race = 0.25 if host.upper() != host.lower() else None  # an IP address is one address
        try:
            async with asyncio.timeout(seconds):
                if self._public_only:
                    await check_host(host, port)
                _, connection = await loop.create_connection(
                    Connection, host, port, happy_eyeballs_delay=race, **tls
                )
        except TimeoutError:
            raise httpx.ConnectTimeout("no connection in time") from None
        except (OSError, UnicodeError) as error:  # ssl.SSLError is an OSError
            raise httpx.ConnectError(str(error) or type(error).__name__) from None
        if self._public_only:
            try:
                check_peer(connection.peer)
            except NotPublicError:
                connection.abort()
                raise
        return connection

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            if isinstance(self._verify, ssl.SSLContext):
                self._context = self._verify
            else:
                self._context = ssl.create_default_context()
                self._context.set_alpn_protocols(["http/1.1"])
                if not self._verify:
                    self._context.check_hostname = False
                    self._context.verify_mode = ssl.CERT_NONE
        return self._context


class _StaleError(Exception):
    """The server cannot have the request: the connection was lost while it was written."""


async def _exchange(
    connection: Connection, request: httpx.Request, data: bytes, timeouts: dict[str, float | None]
) -> Head:
    try:
        await connection.write(data, timeouts.get("write"))
        if connection.lost and not connection.whole and not connection.answered:
            raise _StaleError
        return await connection.head(timeouts.get("read"), request.method.encode())
    except BaseException:
        connection.abort()
        raise


class _Body(httpx.AsyncByteStream):
    """The body of an answer. At its end the connection is kept; closed before, it is dropped."""

    def __init__(
        self,
        transport: Http1Transport,
        origin: _Origin,
        connection: Connection,
        head: Head,
        timeout: float | None,
    ) -> None:
        self._transport, self._origin = transport, origin
        self._connection, self._head, self._timeout = connection, head, timeout
        self._open = True

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._connection.body(self._head, self._timeout)

    async def aclose(self) -> None:
        """Give back the connection. Idempotent."""
        if self._open:
            self._open = False
            keep = self._head.keep and self._connection.done and self._connection.whole
            self._transport._give_back(self._origin, self._connection, keep)  # noqa: SLF001


def _origin(request: httpx.Request) -> _Origin:
    url = request.url
    if url.scheme not in _PORTS:
        raise httpx.UnsupportedProtocol(f"no http:// or https:// URL, but {url.scheme}://")
    return url.scheme, url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]


def _wire(request: httpx.Request, content: bytes) -> bytes:
    """The request in octets, its body with a Content-Length. LocalProtocolError on a line end."""
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [
        b"%s: %s" % (name, value)
        for name, value in request.headers.raw
        if name.lower() not in _FRAMING
    ]
    if content or request.method not in ("GET", "HEAD"):
        lines.append(b"Content-Length: %d" % len(content))
    head = b"\r\n".join(lines)
    ends = len(lines) - 1
    if head.count(b"\r") != ends or head.count(b"\n") != ends or b"\0" in head:
        raise httpx.LocalProtocolError("a field of the request holds a line end or NUL")
    return b"%s\r\n\r\n%s" % (head, content)
