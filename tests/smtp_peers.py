"""Other people's mail servers, each on a free port of 127.0.0.1, that keep what they take.

npm smtp-server and Haraka where `scripts/peers` has put them, aiosmtpd, and Postfix: its test
server smtp-sink, and the real smtpd, which needs root.
"""

from __future__ import annotations

import base64
import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from smtp_server import relay

PEERS = Path(__file__).parent / "peers"
MAIN_CF = """
compatibility_level = 3.6
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
queue_directory = {folder}/spool
data_directory = {folder}/data
command_directory = {commands}
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
myhostname = postfix.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
smtpd_peername_lookup = no
virtual_mailbox_domains = example.org
virtual_mailbox_base = {folder}/box
virtual_mailbox_maps = static:mail/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
"""
MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
error unix - - n - - error
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
"""


class Peer:
    """A running server. taken: the messages that it has so far, each as it keeps it."""

    def __init__(self, port: int, taken: Callable[[], list[bytes]]) -> None:
        self.port, self.taken = port, taken


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Until somebody listens."""
    for _ in range(200):
        with (
            contextlib.suppress(ConnectionRefusedError),
            socket.create_connection(("127.0.0.1", port)),
        ):
            return
        time.sleep(0.05)
    pytest.fail(f"nobody listens on {port}")


def files(folder: Path) -> Callable[[], list[bytes]]:
    """What stands in a folder, a message each."""
    return lambda: [path.read_bytes() for path in folder.iterdir() if path.is_file()]


@contextmanager
def running(command: list[str], folder: Path, **environment: str) -> Iterator[None]:
    """A server that prints into `folder`/out; it ends with the block."""
    with (
        (folder / "out").open("wb") as out,
        subprocess.Popen(
            command, stdout=out, cwd=folder, env={**os.environ, **environment}
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()


def lines(file: Path, first: int = 0) -> Callable[[], list[bytes]]:
    """The messages in a file, a line of base64 each."""
    return lambda: [base64.b64decode(line) for line in file.read_bytes().split(b"\n")[first:-1]]


def node_module(name: str) -> str:
    """The path of node; skips where there is none."""
    node = shutil.which("node")
    if not node:
        pytest.skip(f"no node, which {name} needs")
    if not (PEERS / "node_modules" / name).is_dir():
        pytest.fail(f"npm {name} is not installed: run scripts/peers (as scripts/test does)")
    return node


@contextmanager
def smtp_server(folder: Path) -> Iterator[Peer]:
    node = node_module("smtp-server")
    with running([node, str(PEERS / "smtp-server.mjs")], folder):
        while not (port := (folder / "out").read_text().partition("\n")[0]):
            time.sleep(0.05)
        yield Peer(int(port), lines(folder / "out", first=1))


@contextmanager
def haraka(folder: Path) -> Iterator[Peer]:
    node, package = node_module("Haraka"), PEERS / "node_modules/Haraka"
    config, port = folder / "config", free_port()
    config.mkdir()
    shutil.copy(package / "config/connection.ini", config)
    (config / "smtp.ini").write_text(f"listen=127.0.0.1:{port}\nnodes=0\n")
    (config / "plugins").write_text("take\n")
    (config / "me").write_text("haraka.example\n")
    (config / "log.ini").write_text("[main]\nlevel=error\n")
    (folder / "plugins").mkdir()
    shutil.copy(PEERS / "haraka-take.js", folder / "plugins/take.js")
    taken = folder / "taken"
    taken.touch()
    command = [node, str(package / "bin/haraka"), "-c", str(folder)]
    with running(command, folder, TAKEN=str(taken)):
        wait_for(port)
        yield Peer(port, lines(taken))


@contextmanager
def smtp_sink(folder: Path) -> Iterator[Peer]:
    command = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
    if not command:
        pytest.skip("Postfix's smtp-sink is not installed")
    port, kept = free_port(), folder / "kept"
    kept.mkdir()
    user = ["-u", "root"] if os.getuid() == 0 else []
    options = [*user, "-d", f"{kept}/%M."]
    with running([command, *options, f"127.0.0.1:{port}", "100"], folder):
        wait_for(port)
        yield Peer(port, files(kept))


@contextmanager
def postfix(folder: Path) -> Iterator[Peer]:
    command = shutil.which("postfix", path=f"{os.environ['PATH']}:/usr/sbin")
    if not command or os.getuid() != 0:
        pytest.skip("needs Postfix, and root to run it")
    settings = subprocess.run(
        [command.replace("postfix", "postconf"), "-dh", "command_directory", "daemon_directory"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    owner, port = pwd.getpwnam("postfix"), free_port()
    with TemporaryDirectory() as short:  # its sockets' paths have to be
        top = Path(short)
        top.chmod(0o755)
        for name in ("etc", "spool", "data", "box"):
            (top / name).mkdir()
        for name in ("data", "box"):
            os.chown(top / name, owner.pw_uid, owner.pw_gid)
        (top / "etc/main.cf").write_text(
            MAIN_CF.format(
                folder=top, commands=settings[0], daemons=settings[1],
                uid=owner.pw_uid, gid=owner.pw_gid,
            )
        )  # fmt: skip
        (top / "etc/master.cf").write_text(MASTER_CF.format(port=port))
        postfix = [command, "-c", str(top / "etc")]
        subprocess.run([*postfix, "start"], check=True, capture_output=True)
        try:
            wait_for(port)
            (top / "box/mail/new").mkdir(parents=True, exist_ok=True)
            for name in ("box/mail", "box/mail/new"):
                os.chown(top / name, owner.pw_uid, owner.pw_gid)
            yield Peer(port, files(top / "box/mail/new"))
        finally:
            subprocess.run([*postfix, "stop"], check=True, capture_output=True)


@asynccontextmanager
async def aiosmtpd(_: Path) -> AsyncIterator[Peer]:
    async with relay() as server:
        yield Peer(server.port, lambda: [mail.data for mail in server.mails])
