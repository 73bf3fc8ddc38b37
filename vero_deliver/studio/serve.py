"""Starts the studio on this machine, and ends it."""

from __future__ import annotations

import asyncio
import signal
import socket
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Final

import uvicorn

from vero_deliver.errors import ConfigError
from vero_deliver.studio.app import application
from vero_deliver.studio.live import Live
from vero_deliver.studio.workspace import Workspace

HOST: Final = "127.0.0.1"
PORT: Final = 4747


class _Server(uvicorn.Server):
    """Tells once it answers, and ends the streams of open pages, which uvicorn would wait for."""

    def __init__(self, config: uvicorn.Config, live: Live, tell: Callable[[], object]) -> None:
        super().__init__(config)
        self._live = live
        self._tell = tell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """From here on a signal ends it in good order."""
        _on_signals(self.stop)
        await super().startup(sockets)
        if self.started:
            self._tell()

    def stop(self) -> None:
        """Idempotent; for the loop's own thread."""
        self._live.stop()
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: uvicorn takes them between any two lines, where waking a waiting loop may fail."""
        yield


def serve(
    workspace: Workspace,
    *,
    port: int = PORT,
    path: str = "/",
    browser: bool = True,
    say: Callable[[str], object] = print,
) -> None:
    """Serve until Ctrl-C. port: 0 takes a free one. path: what is opened.

    Raises ConfigError where the port is taken.
    """
    listening = _listening(port)
    live = Live()
    number = listening.getsockname()[1]
    hosts = [f"{HOST}:{number}", f"localhost:{number}"]
    config = uvicorn.Config(
        application(workspace, hosts=hosts, live=live),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    address = f"http://{HOST}:{number}{path}"

    def tell() -> None:
        say(f"The studio is at {address} (Ctrl-C ends it)")
        if browser:  # beside: a browser in the terminal comes back only when it is left
            Thread(target=webbrowser.open, args=(address,), daemon=True).start()

    with listening:
        _Server(config, live, tell).run(sockets=[listening])


def _on_signals(stop: Callable[[], None]) -> None:
    """Have the running loop call it at Ctrl-C, or when it is asked to end."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"port {port} of {HOST} cannot be had ({error.strerror}): another studio may be open; "
            "end it, or pass --port 0 for a free one"
        ) from None
    return listening
