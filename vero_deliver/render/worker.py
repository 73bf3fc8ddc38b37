"""A process that renders for another one: chunks of users in, keys and rendered out.

A frame is eight bytes of length and a pickle. One that comes from here pickles what is said, and
the sizes of the large bytes in it, which follow the frame as they are: a message is copied into no
pickle. Nothing said, after each chunk's results or in their place, is: the rest of this chunk is
yours.
"""

from __future__ import annotations

import gc
import os
import pickle
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pickle import PickleBuffer
from typing import TYPE_CHECKING, BinaryIO

from vero_deliver.errors import MessageError
from vero_deliver.render.crew import HEADER
from vero_deliver.rendered import RenderedEmail

if TYPE_CHECKING:
    from vero_deliver.render.many import Batch, Result

_AT_ONCE = 6  # results in a frame: the line holds them while nobody listens


def main() -> None:
    """Serve the process at the other end of standard input until it hangs up."""
    with _line() as line, line.makefile("rb") as reader, suppress(ConnectionError):
        try:
            batch: Batch = pickle.loads(_frame(reader))  # noqa: S301  # of the one who started us
        except Exception as error:  # noqa: BLE001  # the other end raises it
            _say(line, [f"{type(error).__name__}: {error}".encode("utf-8", "backslashreplace")])
            return
        gc.freeze()  # what is there now stays: the collector need not look through it again
        _say(line, [b""])
        while request := _frame(reader):
            for said in _served(batch, request):
                _say(line, said)


def _served(batch: Batch, request: bytes) -> Iterator[list[bytes | PickleBuffer]]:
    """What is to be said: a pickle, and the large bytes in it."""
    try:
        now, users = pickle.loads(request)  # noqa: S301  # of the one who started us
        for start in range(0, len(users), _AT_ONCE):
            some = users[start : start + _AT_ONCE]
            results = [batch.one(user, own, now) for user, own in some]
            if batch.signers is None:
                results = [_ready(*result) for result in results]
            said: list[bytes | PickleBuffer] = []
            pickled = pickle.dumps(results, 5, buffer_callback=said.append)
            yield [pickled, *said]
    except Exception:  # noqa: BLE001  # the other end meets it again, and raises it in its place
        yield [b""]


def _ready(key: str, result: Result) -> tuple[str, Result]:
    """With the bytes that would be built here: a pickle has no pieces to build the same from."""
    if isinstance(result, RenderedEmail):
        with suppress(MessageError):  # as where it was rendered, whoever asks for them meets it
            result.mime(key)
    return key, result


def _line() -> socket.socket:
    if sys.platform == "win32":
        return socket.fromshare(sys.stdin.buffer.read())
    return socket.socket(fileno=os.dup(0))


def _frame(reader: BinaryIO) -> bytes:
    """The next frame; empty where the other end has hung up."""
    return reader.read(int.from_bytes(reader.read(HEADER), "big"))


def _say(line: socket.socket, said: Sequence[bytes | PickleBuffer]) -> None:
    large = [memoryview(part) for part in said[1:]]
    frame = pickle.dumps((said[0], [part.nbytes for part in large]), 5)
    parts: list[bytes | memoryview] = [len(frame).to_bytes(HEADER, "big"), frame, *large]
    sent = line.sendmsg(parts) if hasattr(line, "sendmsg") else 0  # not on Windows
    if sent < sum(memoryview(part).nbytes for part in parts):
        line.sendall(memoryview(b"".join(parts))[sent:])
