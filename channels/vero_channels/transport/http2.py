"""An HTTP/2 client for many small requests to one host (RFC 9113), over TLS, with asyncio.

Requests wait in one queue; a connection takes from it what the server allows at the moment, and
is replaced when it goes. A request is sent again only where the server cannot have acted on it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from typing import Final

from vero_channels.transport.http2_connection import Connection
from vero_channels.transport.http2_exchange import (
    Answer,
    Http2Error,
    Request,
    UnansweredError,
    UnsentError,
    UntrustedError,
)
from vero_channels.transport.http2_fields import Fields

_CLOSING: Final = 2.0  # seconds for the far end to close as well
_MAX_FRUITLESS: Final = 3  # connections in a row that end without an answer: no more are opened


class Http2Client:
    """Connections to one server; used by one event loop at a time.

    context: how certificates are checked, and ours; ALPN is set to h2. connections: at most so
    many at a time, opened as requests wait. timeout: seconds to connect, and for each request
    until its answer is there whole. keepalive: seconds of silence before a PING; patience: for
    the answer to it.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        context: ssl.SSLContext,
        connections: int = 1,
        timeout: float = 30.0,
        keepalive: float = 60.0,
        patience: float = 10.0,
    ) -> None:
        context.set_alpn_protocols(["h2"])
        self.host, self.port = host, port
        self._context, self._most, self._timeout = context, connections, timeout
        self._keepalive, self._patience = keepalive, patience
        self._interval = min(1.0, timeout / 4, keepalive / 4, patience / 4)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reset()

    def _reset(self) -> None:
        self.waiting: deque[Request] = deque()
        self._open: list[Connection] = []  # which take requests
        self._others: set[Connection] = set()  # which finish what they have, or close
        self._opening: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._fruitless = 0  # connections in a row that ended without an answer

    async def request(self, fields: Fields, path: bytes, extra: bytes, body: bytes) -> Answer:
        """The answer to a request. path, extra: made by `literal`.

        Raises UnsentError where the server has not acted on it, UnansweredError where it may
        have. A caller that is cancelled cancels the stream.
        """
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # connections died with the loop that made them
            self._reset()
            self._loop = loop
        future: asyncio.Future[Answer] = loop.create_future()
        request = Request(fields, path, extra, body, future, loop.time() + self._timeout)
        self.waiting.append(request)
        if len(self.waiting) == 1:
            for connection in self._open:
                connection.pump()
        if self.waiting:
            self._grow()
        try:
            return await future
        except asyncio.CancelledError:
            for connection in (*self._open, *self._others):
                connection.cancel(request)
            raise

    async def aclose(self) -> None:
        """Close the connections; the client may be used again. What is in flight is given up."""
        if self._loop is not asyncio.get_running_loop():
            return
        all_of_them = [*self._open, *self._others]
        for connection in all_of_them:
            connection.end(UnansweredError("the client was closed"))
        # also what just came back into the queue, and the connections that it wanted
        self._fail_waiting(UnsentError("the client was closed"))
        opening = set(self._opening)
        for task in opening:
            task.cancel()
        await asyncio.gather(*opening, return_exceptions=True)
        if all_of_them:
            _, late = await asyncio.wait([c.closed for c in all_of_them], timeout=_CLOSING)
            for connection in all_of_them:
                if connection.closed in late:
                    connection.abort()
        if self._timer is not None:
            self._timer.cancel()
        self._reset()

    def on_change(self, connection: Connection) -> None:
        """A connection takes no more requests, or has ended."""
        if connection in self._open:
            self._open.remove(connection)
        if connection.error is None:
            self._others.add(connection)
        else:
            self._others.discard(connection)
            self._fruitless = 0 if connection.got_through else self._fruitless + 1
            if not self._open and (not connection.settled or self._fruitless >= _MAX_FRUITLESS):
                self._fail_waiting(connection.error)
        for other in self._open:
            other.pump()
        if self.waiting:
            self._grow()

    def _grow(self) -> None:
        """Open a connection where requests wait and there may be one more."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._interval, self._tick)
        if not self._opening and len(self._open) < self._most:
            task = asyncio.ensure_future(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        if self.waiting:
            self._grow()

    async def _connect(self) -> None:
        try:
            connection = await self._connected()
        except Http2Error as error:
            if not self._open:
                self._fail_waiting(error)
            return
        if connection.open:
            self._open.append(connection)
            connection.pump()

    async def _connected(self) -> Connection:
        loop = asyncio.get_running_loop()
        race = 0.25 if self.host.upper() != self.host.lower() else None  # an IP address is one
        try:
            async with asyncio.timeout(self._timeout):
                _, connection = await loop.create_connection(
                    lambda: Connection(self, keepalive=self._keepalive, patience=self._patience),
                    self.host,
                    self.port,
                    ssl=self._context,
                    server_hostname=self.host,
                    happy_eyeballs_delay=race,
                )
        except TimeoutError:
            raise UnsentError(f"no connection within {self._timeout:g} seconds") from None
        except ssl.SSLError as error:
            raise UntrustedError(f"TLS failed: {error}") from None
        except (OSError, UnicodeError) as error:
            detail = str(error) or type(error).__name__
            raise UnsentError(f"no connection: {detail}") from None
        return connection

    def _fail_waiting(self, error: Http2Error) -> None:
        if not isinstance(error, UnsentError):
            error = UnsentError(str(error))
        waiting, self.waiting = self.waiting, deque()
        for request in waiting:
            request.fail(error)

    def _tick(self) -> None:
        """Look at the clock, as long as there is anything that it could end."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in (*self._open, *self._others):
            connection.tick(now)
        for request in self.waiting:
            if request.deadline <= now:
                request.fail(UnsentError("the server took no request in time"))
        self.waiting = deque(request for request in self.waiting if not request.future.done())
        self._timer = None
        if self.waiting:
            self._grow()
        elif self._open or self._others or self._opening:
            self._timer = loop.call_later(self._interval, self._tick)
