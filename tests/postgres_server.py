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


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a new, empty server; it and its data are gone afterwards."""
    binaries = programs()
    assert binaries is not None
    # it refuses to run as root
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="vero-pg-") as folder:
        if user:
            shutil.chown(folder, user)
        data = f"{folder}/data"
        initdb = [str(binaries / "initdb"), "-D", data, "-A", "trust", "-U", "vero", "-E", "UTF8"]
        subprocess.run(
            [*initdb, "--no-sync", "--no-instructions", "--locale=C"],
            check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [str(binaries / "postgres"), "-D", data, "-h", "127.0.0.1", "-p", str(port)]
        with Path(folder, "log").open("w") as log:
            server = subprocess.Popen(
                # no test takes the machine's power away
                [*command, "-k", folder, "-c", "fsync=off"],
                user=user,
                cwd=folder,
                stdout=log,
                stderr=log,
            )
        try:
            _wait(port, server)
            yield f"postgresql://vero@127.0.0.1:{port}/postgres"
        finally:
            server.send_signal(signal.SIGQUIT)  # at once: its data is thrown away
            server.wait(START)


def new_database(server: str, name: str) -> str:
    """The URL of a new database on that server."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return f"{server.rpartition('/')[0]}/{name}"


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    deadline = time.monotonic() + START
    while True:
        try:
            psycopg.connect(f"postgresql://vero@127.0.0.1:{port}/postgres").close()
        except psycopg.OperationalError:
            assert server.poll() is None, "postgres ended"
            assert time.monotonic() < deadline, "postgres does not answer"
            time.sleep(0.05)
        else:
            return
