"""Spam filters for tests: Debian's own on free ports, and one that speaks spamd's protocol."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from vero_deliver.check.filters import Rspamd, Spamd

_SPAMD = shutil.which("spamd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_RSPAMD = shutil.which("rspamd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_AS_ROOT = os.geteuid() == 0


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def spamd(folder: Path) -> Iterator[str | None]:
    """The address of a spamd that asks no network; None where it is not installed."""
    if _SPAMD is None:
        yield None
        return
    port = free_port()
    command = [_SPAMD, "--local", "--nouser-config", "--max-children=1", "--syslog=stderr"]
    command += [f"--listen=127.0.0.1:{port}", *(["--username=nobody"] if _AS_ROOT else [])]
    with _running(command, folder, Spamd("127.0.0.1", port).answers):
        yield f"127.0.0.1:{port}"


@contextmanager
def rspamd(folder: Path) -> Iterator[str | None]:
    """The address of an rspamd that asks no network; None where it is not installed."""
    if _RSPAMD is None:
        yield None
        return
    port = free_port()
    own = folder / "local.d"
    own.mkdir(parents=True)
    (own / "worker-normal.inc").write_text(f'bind_socket = "127.0.0.1:{port}"; count = 1;')
    for worker in ("controller", "proxy", "fuzzy"):
        (own / f"worker-{worker}.inc").write_text("enabled = false;")
    nowhere = 'dns { nameserver = ["127.0.0.1:1"]; timeout = 0.1s; retransmits = 1; }'
    (own / "options.inc").write_text(nowhere)
    command = [_RSPAMD, "--no-fork", "--insecure", f"--var=LOCAL_CONFDIR={folder}"]
    command += [f"--var={name}={folder}" for name in ("DBDIR", "RUNDIR", "LOGDIR")]
    with _running(command, folder, Rspamd("127.0.0.1", port).answers):
        yield f"127.0.0.1:{port}"


@contextmanager
def _running(command: list[str], folder: Path, answers: Callable[[], bool]) -> Iterator[None]:
    """A program from when it answers."""
    with (folder / "log").open("wb") as log:
        program = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            end = time.monotonic() + 60
            while not answers():
                said = (folder / "log").read_text(errors="replace")
                assert program.poll() is None, said
                assert time.monotonic() < end, said
                time.sleep(0.1)
            yield
        finally:
            program.terminate()
            program.wait(20)


@contextmanager
def speaking(reply: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """The address of a server that pongs, and says `reply` to all else; and what it was asked."""
    asked: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            while True:
                try:
                    talk, _ = listener.accept()
                except OSError:
                    return  # closed
                with talk:
                    pieces = []
                    while piece := talk.recv(65_536):
                        pieces.append(piece)
                    asked.append(b"".join(pieces))
                    ping = asked[-1].startswith(b"PING ")
                    talk.sendall(b"SPAMD/1.5 0 PONG\r\n" if ping else reply)

        server = threading.Thread(target=serve, daemon=True)
        server.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", asked
        listener.shutdown(socket.SHUT_RDWR)
    server.join(5)
