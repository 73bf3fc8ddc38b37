"""A server that takes every message and keeps none, in a process of its own.

`python -m benchmarks.smtp.sink [SECONDS]` prints its port; each reply comes that much later, as
over a long line. With PIPELINING and CHUNKING, which Debian's smtp-sink does not have. Tests give
it faults.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable

OFFER = "sink.example,PIPELINING,SIZE 104857600,8BITMIME,SMTPUTF8,DSN,CHUNKING"
_END = b"\r\n.\r\n"


class Sink(asyncio.Protocol):
    """One connection: the commands of RFC 5321 that a client says, and BDAT of RFC 3030."""

    offer = OFFER

    def __init__(self, delay: float = 0.0) -> None:
        self._delay = delay
        self._out: list[str] = []
        self._buffer, self._at = b"", 0  # what came in, and how far it has been read
        self._read: Callable[[], bool] = self._command
        self._left, self._last = 0, False
        self.over = False
        self.sender, self.recipients, self.body = "", list[str](), b""
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.answer("connect", "", "220 sink.example ESMTP")
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Do all that can be done, then answer it in one write."""
        self._buffer = self._buffer[self._at :] + data if self._at < len(self._buffer) else data
        self._at = 0
        while not self.over and self._read():
            pass
        self._flush()

    @property
    def unread(self) -> bytes:
        """What has come in and was not looked at."""
        return self._buffer[self._at :]

    def answer(self, step: str, argument: str, usual: str) -> str:  # noqa: ARG002  # faults ask
        """Give the answer to a step; returns it."""
        self._out.append(usual + "\r\n")
        return usual

    def accepted(self) -> None:
        """The message of `sender` to `recipients` is taken; `body` is as on the wire."""

    def discard(self) -> None:
        """Throw that away."""
        self._buffer, self._at = b"", 0

    def _flush(self) -> None:
        if self._out:
            text = "".join(self._out).encode()
            self._out.clear()
            self.deliver(text)

    def deliver(self, text: bytes) -> None:
        """Put replies on the wire."""
        if self._delay:
            asyncio.get_running_loop().call_later(self._delay, self.transport.write, text)
        else:
            self.transport.write(text)

    def _command(self) -> bool:
        end = self._buffer.find(b"\r\n", self._at)
        if end < 0:
            return False
        line, self._at = self._buffer[self._at : end], end + 2
        verb, _, argument = line.decode("utf-8", "replace").partition(" ")
        do = getattr(self, f"_{verb.lower()}", None) if verb.isupper() else None
        if do is None:
            self.answer(verb, argument, "500 5.5.1 what?")
        else:
            do(argument)
        return True

    def _ehlo(self, argument: str) -> None:
        first, *others = self.offer.split(",")
        lines = [f"250-{line}" for line in (first, *others)]
        lines[-1] = lines[-1].replace("-", " ", 1)
        self.answer("EHLO", argument, "\r\n".join(lines))

    def _mail(self, argument: str) -> None:
        usual = "503 5.5.1 nested MAIL" if self.sender else "250 2.1.0 ok"
        if self.answer("MAIL", argument, usual).startswith("2"):
            self.sender = argument.partition("<")[2].partition(">")[0]

    def _rcpt(self, argument: str) -> None:
        usual = "250 2.1.5 ok" if self.sender else "503 5.5.1 MAIL first"
        if self.answer("RCPT", argument, usual).startswith("2"):
            self.recipients.append(argument.partition("<")[2].partition(">")[0])

    def _data(self, argument: str) -> None:
        usual = "354 go ahead" if self.recipients else "503 5.5.1 RCPT first"
        if self.answer("DATA", argument, usual).startswith("354"):
            self._read = self._lines

    def _lines(self) -> bool:
        if self._buffer.startswith(b".\r\n", self._at):
            self.body, self._at = b"", self._at + 3
        else:
            end = self._buffer.find(_END, self._at)
            if end < 0:
                return False
            self.body, self._at = self._buffer[self._at : end + 2], end + len(_END)
        self._read = self._command
        self._end()
        return True

    def _bdat(self, argument: str) -> None:
        size, _, last = argument.partition(" ")
        self._left, self._last = int(size), last == "LAST"
        self._read = self._octets

    def _octets(self) -> bool:
        end = self._at + self._left
        if len(self._buffer) < end:
            return False
        self.body, self._at = self._buffer[self._at : end], end
        self._read = self._command
        self._end()
        return True

    def _end(self) -> None:
        if not self.recipients:
            self.answer(".", "", "503 5.5.1 RCPT first")
        elif self.answer(".", "", "250 2.0.0 Ok: queued as SINK").startswith("2"):
            self.accepted()
        self.sender, self.recipients = "", []

    def _rset(self, argument: str) -> None:
        self.sender, self.recipients = "", []
        self.answer("RSET", argument, "250 2.0.0 ok")

    def _quit(self, argument: str) -> None:
        self.answer("QUIT", argument, "221 2.0.0 bye")
        self._flush()
        asyncio.get_running_loop().call_later(self._delay, self.transport.close)


async def serve(delay: float) -> None:
    """Listen on a free port of 127.0.0.1, print it, and go on until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Sink(delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    gc.freeze()
    asyncio.run(serve(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
