"""One request over HTTP/2, its answer, and the two ways in which there is none."""

from __future__ import annotations

import asyncio

from vero_channels.transport.http2_fields import Fields, decoded


class Http2Error(Exception):
    """There is no answer; the text says why."""


class UnsentError(Http2Error):
    """The server has not acted on the request and will not: it may be sent elsewhere."""


class UntrustedError(UnsentError):
    """TLS failed: the server's certificate, ours, or no HTTP/2 behind it."""


class UnansweredError(Http2Error):
    """The request was written and no answer came: nobody knows what became of it."""


class Answer:
    """What the server said. body: what came of it, if more was to come."""

    __slots__ = ("_block", "body", "status")

    def __init__(self, status: int, block: bytes, body: bytes) -> None:
        self.status, self.body, self._block = status, body, block

    @property
    def headers(self) -> dict[str, str]:
        """Header fields, names in lower case; empty where they cannot be read."""
        try:
            return {name: value for name, value in decoded(self._block) if name[0] != ":"}
        except (ValueError, IndexError):
            return {}


class Request:
    """A request on its way. path, extra: made by `literal`; deadline: in the loop's time.

    stream: 0 until it has begun. rest: what flow control keeps of the body, within `window`.
    tries: how often it came back though nothing else got through either.
    """

    __slots__ = (
        "block", "body", "deadline", "extra", "fields", "future", "path", "received", "rest",
        "status", "stream", "tries", "window",
    )  # fmt: skip

    def __init__(
        self,
        fields: Fields,
        path: bytes,
        extra: bytes,
        body: bytes,
        future: asyncio.Future[Answer],
        deadline: float,
    ) -> None:
        self.fields, self.path, self.extra, self.body = fields, path, extra, body
        self.future, self.deadline = future, deadline
        self.stream = self.status = self.window = self.tries = 0
        self.rest = self.block = self.received = b""

    def again(self) -> Request:
        """As it was before it began."""
        self.stream = self.status = 0
        self.rest = self.block = self.received = b""
        return self

    def finish(self) -> None:
        """Hand over the answer."""
        future = self.future
        if not future.done():
            future.set_result(Answer(self.status, self.block, self.received))

    def fail(self, error: Http2Error) -> None:
        """Say why there is none."""
        if not self.future.done():
            self.future.set_exception(error)
