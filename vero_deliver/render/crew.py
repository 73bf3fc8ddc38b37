"""The processes that help to render, seen from the one that started them.

A worker is a Python interpreter of its own (render/worker.py), spoken to over a socket pair: it
never imports the caller's main module, and starts whatever threads the caller has.
"""

from __future__ import annotations

import pickle
import selectors
import socket
import subprocess
import sys
import warnings
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

from vero_deliver.errors import ConfigError
from vero_deliver.user import User

HEADER: Final = 8  # bytes that tell a frame's length
_PATIENCE: Final = 1.0  # seconds for a process to end that has ended its line
_ROOM: Final = 1 << 20  # bytes of results on the line, where the system gives so many
_AT_HAND: Final = 2  # chunks that a worker has, so that it never waits for the next one
_READ, _BOTH = selectors.EVENT_READ, selectors.EVENT_READ | selectors.EVENT_WRITE
# Ctrl-C reaches the whole group: the one who started the workers ends them
_PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.path[:] = {path!r}; "
    "from vero_deliver.render.worker import main; main()"
)


@dataclass(slots=True)
class Chunk:
    """Users that one process renders for, in order.

    users: each with its own About. results: key and rendered of the first of them, as far as
    known. error: what ended the rendering after those. stays: no worker may have it.
    """

    users: list[tuple[User, Any]]
    now: datetime
    results: list[tuple[str, Any]] = field(default_factory=list)
    error: Exception | None = None
    stays: bool = False
    given: int = 0  # results that the caller has

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to render."""
        return self.error is not None or len(self.results) == len(self.users)


class Crew:
    """Up to `size` workers, started when there is work for them; leaving it ends them."""

    def __init__(self, setup: bytes, size: int) -> None:
        """setup: what the workers begin with, a pickled Batch."""
        self._setup, self._size = setup, size
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()

    def exchange(self, waiting: deque[Chunk], *, wait: bool = False) -> list[Chunk]:
        """Take what the workers have done, hand out chunks; the chunks that came back undone.

        wait: until a worker has something to say. Raises ConfigError where a worker cannot begin.
        """
        if len(waiting) > 1 and self._size > 0:
            self._start()
        lost: list[Chunk] = []
        if self._workers:
            for key, _ in self._selector.select(None if wait else 0):
                lost += self._listen(key.data)
        for worker in self._workers:
            if worker.is_ready:
                self._hand_out(worker, waiting)
        return lost

    def _start(self) -> None:
        for _ in range(self._size):
            worker = _Worker(self._setup)
            self._workers.append(worker)
            self._selector.register(worker.line, _BOTH, worker)
        self._size = 0

    def _listen(self, worker: _Worker) -> list[Chunk]:
        try:
            lost = worker.listen()
        except ConfigError:
            raise
        except Exception:  # noqa: BLE001  # its end, or bytes that are no results
            return self._bury(worker)
        self._selector.modify(worker.line, _READ if worker.has_said_all else _BOTH, worker)
        return lost

    def _hand_out(self, worker: _Worker, waiting: deque[Chunk]) -> None:
        while len(worker.chunks) < _AT_HAND:
            chunk = next((chunk for chunk in waiting if not chunk.stays), None)
            if chunk is None:
                return
            if worker.take(chunk):
                waiting.remove(chunk)
                self._selector.modify(worker.line, _BOTH, worker)

    def _bury(self, worker: _Worker) -> list[Chunk]:
        self._selector.unregister(worker.line)
        self._workers.remove(worker)
        code = worker.end(kill=False)
        words = f"signal {-code}" if code < 0 else f"exit code {code}"
        warnings.warn(
            f"a process that render_many started has ended ({words}); its users are rendered here",
            RuntimeWarning,
            stacklevel=2,
        )
        for chunk in worker.chunks:
            chunk.stays = True
        return list(worker.chunks)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._selector.close()
        for worker in self._workers:
            worker.end(kill=True)


class _Worker:
    """One process, and the chunks that it has."""

    def __init__(self, setup: bytes) -> None:
        ours, theirs = socket.socketpair()
        with suppress(OSError):  # so that it need not wait until somebody listens
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
        with theirs:
            self._process = _interpreter(theirs)
        ours.setblocking(False)
        self.line = ours
        self.is_ready = False
        self.chunks: deque[Chunk] = deque()
        self._said: deque[memoryview] = deque()
        self._said_back = _said_back(ours)
        self._say(setup)

    @property
    def has_said_all(self) -> bool:
        """Whether nothing waits to be sent."""
        return not self._said

    def take(self, chunk: Chunk) -> bool:
        """Give it the chunk; False, and the chunk stays, where it cannot be pickled."""
        try:
            self._say(pickle.dumps((chunk.now, chunk.users), 5))
        except Exception:  # noqa: BLE001  # whatever the sender's own objects raise
            chunk.stays = True
            return False
        self.chunks.append(chunk)
        return True

    def listen(self) -> list[Chunk]:
        """Send and receive what goes without waiting; the chunks that it gives back undone."""
        self._send()
        lost: list[Chunk] = []
        for said in self._said_back:
            if said is None:
                break
            words, large = said
            if not self.is_ready:
                self._begin(words)
            elif words:
                self.chunks[0].results += pickle.loads(words, buffers=large)  # noqa: S301  # our own
            else:
                self.chunks[0].stays = True
                lost.append(self.chunks[0])
            while self.chunks and (self.chunks[0].is_done or self.chunks[0].stays):
                self.chunks.popleft()
        return lost

    def end(self, *, kill: bool) -> int:
        """The process is gone after this; its exit code, minus the signal's number."""
        self.line.close()
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(0 if kill else _PATIENCE)
        self._process.kill()
        return self._process.wait()

    def _begin(self, words: bytes) -> None:
        if words:
            raise ConfigError(f"processes: another process cannot begin: {words.decode()}")
        self.is_ready = True

    def _say(self, data: bytes) -> None:
        self._said += (memoryview(len(data).to_bytes(HEADER, "big")), memoryview(data))

    def _send(self) -> None:
        try:
            while self._said:
                sent = self.line.send(self._said[0])
                if sent < len(self._said[0]):
                    self._said[0] = self._said[0][sent:]
                else:
                    self._said.popleft()
        except BlockingIOError:
            return


def _said_back(line: socket.socket) -> Iterator[tuple[bytes, list[bytes]] | None]:
    """What render.worker says; None while there is no whole frame. Raises EOFError at the end."""
    while True:
        length = yield from _read(line, HEADER)
        words, sizes = pickle.loads((yield from _read(line, int.from_bytes(length, "big"))))  # noqa: S301
        large: list[bytes] = []
        for size in sizes:
            large.append((yield from _read(line, size)))  # noqa: PERF401  # it yields
        yield words, large


def _read(line: socket.socket, size: int) -> Generator[None, None, bytes]:
    """So many bytes; in one piece, uncopied, where they are there."""
    parts: list[bytes] = []
    while size:
        try:
            part = line.recv(size)
        except BlockingIOError:
            yield None
            continue
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _interpreter(line: socket.socket) -> subprocess.Popen[bytes]:
    if not sys.executable or getattr(sys, "frozen", False):
        raise ConfigError("processes: there is no Python interpreter to start; use processes=1")
    program = _PROGRAM.format(path=[entry for entry in sys.path if isinstance(entry, str)])
    command = [sys.executable, "-c", program]
    try:
        if sys.platform != "win32":
            return subprocess.Popen(command, stdin=line.fileno(), stdout=subprocess.DEVNULL)  # noqa: S603
        process = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        assert process.stdin  # noqa: S101  # it is a pipe
        with process.stdin as pipe:
            pipe.write(line.share(process.pid))
    except OSError as error:
        raise ConfigError(f"processes: cannot start {sys.executable}: {error.strerror}") from None
    return process
