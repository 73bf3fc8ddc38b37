"""Starts the studio on this machine, and ends it."""

from __future__ import annotations

import socket
import webbrowser
from collections.abc import Callable
from types import FrameType
from typing import Final

import uvicorn

from vero_deliver.errors import ConfigError
from vero_deliver.studio.app import application
from vero_deliver.studio.live import Live
from vero_deliver.studio.workspace import Workspace

HOST: Final = "127.0.0.1"
PORT: Final = 4747


class _Server(uvicorn.Server):
    """Ends the streams of open pages at once, which uvicorn would wait for."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._live.stop()
        super().handle_exit(sig, frame)


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
    say(f"The studio is at {address} (Ctrl-C ends it)")
    if browser:
        webbrowser.open(address)  # it listens already: the page waits a moment
    with listening:
        _Server(config, live).run(sockets=[listening])


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
