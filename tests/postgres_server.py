"""A PostgreSQL server of the tests' own, on a free loopback port, run by nobody."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

START = 30.0  # seconds it may take


def programs() -> Path | None:
    """The folder of initdb and postgres; None where PostgreSQL is not installed."""
    found = shutil.which("initdb") or max(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), default=None
    )
    return Path(found).parent if found else None


class Server:
    """One that can be stopped and started again, with its data in `folder`."""

    def __init__(self, folder: str) -> None:
        binaries = programs()
        assert binaries is not None
        self._folder, self._binary = folder, str(binaries / "postgres")
        # it refuses to run as root
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        initdb = [str(binaries / "initdb"), "-D", self._data, "-A", "trust", "-U", "vero"]
        subprocess.run(
            [*initdb, "-E", "UTF8", "--no-sync", "--no-instructions", "--locale=C"],
            check=True, user=self._user, cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://vero@127.0.0.1:{self._port}/postgres"

    @property
    def _data(self) -> str:
        return f"{self._folder}/data"

    def start(self) -> None:
        """Run it; returns when it answers."""
        command = [self._binary, "-D", self._data, "-h", "127.0.0.1", "-p", str(self._port)]
        with Path(self._folder, "log").open("a") as log:
            self._process = subprocess.Popen(
                # no test takes the machine's power away
                [*command, "-k", self._folder, "-c", "fsync=off"],
                user=self._user,
                cwd=self._folder,
                stdout=log,
                stderr=log,
            )
        _wait(self.url, self._process)

    def stop(self) -> None:
        """Cut every connection and end at once, as in a crash; what was committed stays."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(START)


@contextmanager
def server() -> Iterator[Server]:
    """A new, empty server; it and its data are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="vero-pg-") as folder:
        running = Server(folder)
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of such a server."""
    with server() as running:
        yield running.url


def new_database(url: str, name: str) -> str:
    """The URL of a new database on the server of another."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{url.rpartition('/')[0]}/{name}"


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    deadline = time.monotonic() + START
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert process.poll() is None, "postgres ended"
            assert time.monotonic() < deadline, "postgres does not answer"
            time.sleep(0.05)
        else:
            return
