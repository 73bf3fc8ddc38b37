"""A Chromium of our own, and the DevTools protocol over two pipes: no port, no package.

Source: https://chromedevtools.github.io/devtools-protocol. With --remote-debugging-pipe it reads
JSON that ends in NUL from descriptor 3 and writes it to descriptor 4.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import queue
import select
import shutil
import signal
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from vero_deliver.errors import ConfigError, PictureError
from vero_deliver.picture.chromium import arguments

_START: Final = 30.0  # seconds until it answers
_END: Final = 3.0  # seconds in which it may end by itself
_MOMENT: Final = 0.1  # seconds
_STDERR: Final = "said.txt"

Message = Mapping[str, Any]
_Queue = queue.SimpleQueue[Message | None]  # None: the browser is gone


@dataclass
class _Routes:
    """Who gets what the browser says."""

    answers: dict[int, _Queue] = field(default_factory=dict)  # by the number of the call
    events: dict[str, _Queue] = field(default_factory=dict)  # by session
    gone: bool = False


class Pipe:
    """One running browser. Threads may share it, each with sessions of its own."""

    def __init__(self, program: str, *, start: float = _START) -> None:
        """start: seconds in which it must answer. Raises ConfigError, PictureError."""
        if sys.platform == "win32":
            raise ConfigError("pictures are made on Linux and macOS; on Windows use WSL")
        self._numbers = itertools.count(1)
        self._routes = _Routes()
        self._lock = threading.Lock()
        self._profile = Path(tempfile.mkdtemp(prefix="vero-deliver-"))
        try:
            pid, self._ours, theirs = _spawn(program, self._profile)
        except OSError as error:
            shutil.rmtree(self._profile, ignore_errors=True)
            raise ConfigError(f"{program} cannot be started: {error.strerror}") from None
        self._stop = weakref.finalize(self, _stop, pid, self._ours, self._profile)
        threading.Thread(target=_read, args=(theirs, self._routes), daemon=True).start()
        try:
            Session(self).call("Browser.getVersion", time.monotonic() + start)
        except PictureError as error:
            said = self._last_words()
            self.close()
            raise PictureError(f"{program} did not start: {said or error}") from None

    def close(self) -> None:
        """End the browser, and remove what it wrote. Idempotent."""
        self._routes.gone = True
        with self._lock:  # nobody writes to a descriptor that may be another's by then
            self._stop()

    @property
    def is_gone(self) -> bool:
        """Whether the browser has ended, or was told to."""
        return self._routes.gone

    def send(self, message: Message, answers: _Queue, deadline: float) -> int:
        """Send a call, whose answer comes into the queue. Gives its number.

        Raises PictureError where it does not take the call before the deadline; with half a call
        sent, it is of no more use then.
        """
        number = next(self._numbers)
        self._routes.answers[number] = answers
        data = memoryview(json.dumps({**message, "id": number}).encode() + b"\0")
        with self._lock:
            while data and not self._routes.gone:
                try:
                    data = data[os.write(self._ours, data) :]
                except BlockingIOError:
                    self._wait(deadline, message["method"])
                except OSError:
                    self._routes.gone = True
        if self._routes.gone:
            answers.put(None)
        return number

    def _wait(self, deadline: float, method: str) -> None:
        """Until it reads, or for a moment in which it may be closed."""
        if time.monotonic() > deadline:
            raise PictureError(f"the browser took too long ({method})")
        room = select.poll()
        room.register(self._ours, select.POLLOUT)
        room.poll(_MOMENT * 1000)

    def listen(self, session: str, events: _Queue | None) -> None:
        """Have the session's events put into the queue; with None, no longer."""
        if events is None:
            self._routes.events.pop(session, None)
        else:
            self._routes.events[session] = events

    def _last_words(self) -> str:
        try:
            lines = (self._profile / _STDERR).read_text("utf-8", "replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


class Session:
    """A conversation of one thread: with the browser, or with one of its tabs."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._said: _Queue = queue.SimpleQueue()
        self._id = ""
        self.on_event: Callable[[Message], None] = lambda _: None

    def attach(self, tab: str, deadline: float) -> None:
        """Speak with that tab from now on."""
        found = self.call("Target.attachToTarget", deadline, targetId=tab, flatten=True)
        self._id = str(found["sessionId"])
        self._pipe.listen(self._id, self._said)

    def detach(self) -> None:
        """Hear nothing more of the tab."""
        self._pipe.listen(self._id, None)

    def send(self, method: str, deadline: float, **params: Any) -> int:
        """Call and do not wait for the answer. Gives the call's number. Raises PictureError."""
        session = {"sessionId": self._id} if self._id else {}
        call = {"method": method, "params": params, **session}
        return self._pipe.send(call, self._said, deadline)

    def call(self, method: str, deadline: float, **params: Any) -> dict[str, Any]:
        """The result of a call. Raises PictureError, at the latest at the deadline.

        deadline: of time.monotonic(). Events that come meanwhile go to `on_event`.
        """
        number = self.send(method, deadline, **params)
        while True:
            said = self.next(deadline, method)
            if said.get("id") != number:
                continue
            if "error" in said:
                raise PictureError(f"the browser refused {method}: {said['error'].get('message')}")
            result: dict[str, Any] = said["result"]
            return result

    def next(self, deadline: float, awaited: str) -> Message:
        """What the browser says next; an event has been to `on_event`. Raises PictureError."""
        try:
            said = self._said.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise PictureError(f"the browser took too long ({awaited})") from None
        if said is None:
            raise PictureError(f"the browser ended unexpectedly ({awaited})")
        if "method" in said:
            self.on_event(said)
        return said


def _spawn(program: str, profile: Path) -> tuple[int, int, int]:
    """Its process id, and our ends of the pipes: to write to, to read from."""
    import fcntl  # not on Windows

    its_in, ours = os.pipe()
    theirs, its_out = os.pipe()
    # above the targets of the duplications, which must not overwrite each other
    high = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 10) for one in (its_in, its_out)]
    flags = os.O_WRONLY | os.O_CREAT
    try:
        pid = os.posix_spawn(
            program,
            [program, *arguments(str(profile))],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, str(profile / _STDERR), flags, 0o600),
                (os.POSIX_SPAWN_DUP2, high[0], 3),
                (os.POSIX_SPAWN_DUP2, high[1], 4),
            ],
            setpgroup=0,  # Ctrl-C is ours, and all its processes can be ended
            setsigdef=[signal.SIGPIPE],
        )
    except OSError:
        os.close(ours)
        os.close(theirs)
        raise
    finally:
        for one in (its_in, its_out, *high):
            os.close(one)
    os.set_blocking(ours, False)
    return pid, ours, theirs


def _read(theirs: int, routes: _Routes) -> None:
    """Hand out what the browser says until it has ended."""
    parts: list[bytes] = []  # of a message that has not ended
    with open(theirs, "rb", buffering=0) as file:
        while piece := file.read(1 << 20):
            first, *others = piece.split(b"\0")
            parts.append(first)
            for other in others:
                _hand_out(json.loads(b"".join(parts)), routes)
                parts = [other]
    routes.gone = True
    for waiting in (*routes.answers.values(), *routes.events.values()):
        waiting.put(None)


def _hand_out(message: Message, routes: _Routes) -> None:
    waiting = (
        routes.answers.pop(message["id"], None)
        if "id" in message
        else routes.events.get(message.get("sessionId", ""))
    )
    if waiting is not None:
        waiting.put(message)


def _stop(pid: int, ours: int, profile: Path) -> None:
    """Close the pipe, at which it ends; kill what has not ended in time; remove its profile."""
    os.close(ours)
    deadline = time.monotonic() + _END
    with contextlib.suppress(ChildProcessError):  # somebody else has waited for it
        while os.waitpid(pid, os.WNOHANG) == (0, 0):
            if time.monotonic() > deadline:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                break
            time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)  # what it has left behind
    for _ in range(20):
        shutil.rmtree(profile, ignore_errors=True)
        if not profile.exists():
            break
        time.sleep(0.05)
