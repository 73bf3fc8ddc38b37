"""A route over two real servers, the first of which is down, busy or drops after the dot."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from running import EXAMPLES, Done, vero
from running import project as copied
from smtp_server import Fault, Scripted, relay

ORDER = str(EXAMPLES / "data/order.json")
SPARE = """
[channels.spare]
driver = "smtp"
host = "127.0.0.1"
port = {port}
security = "none"
[routes.marketing]
failover = ["relay", "spare"]
rate = "100/s"
[env.both]
email = "marketing"
"""


def project(folder: Path, first: int, second: int) -> Path:
    """The examples; `both` sends email over the servers at these ports."""
    root = copied(folder, f'host = "127.0.0.1"\nport = {first}\nsecurity = "none"')
    with (root / "vero-deliver.toml").open("a") as file:
        file.write(SPARE.format(port=second))
    return root


async def send(root: Path, *options: str) -> Done:
    return await vero(
        "-C", str(root), "-e", "both", *options, "send", "order-receipt", "--data", ORDER, "--yes",
        "--json",
    )  # fmt: skip


def closed_port() -> int:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port: int = closed.getsockname()[1]
    return port


@pytest.mark.anyio
async def test_first_is_down(tmp_path: Path) -> None:
    """The second gets it, and the receipt names it."""
    async with relay() as second:
        done = await send(project(tmp_path, closed_port(), second.port), "-v")
    [row] = done.json
    assert (row["state"], row["channel"], done.code) == ("accepted", "spare", 0)
    assert len(second.mails) == 1
    assert "email through marketing (failover: relay, spare; rate 100/s)" in done.err


@pytest.mark.anyio
async def test_first_drops_after_the_dot(tmp_path: Path) -> None:
    """It may have it: the second is not even connected to."""
    async with Scripted({".": Fault.DROP}) as first, relay() as second:
        done = await send(project(tmp_path, first.port, second.port))
    [row] = done.json
    assert (row["state"], row["channel"], done.code) == ("uncertain", "relay", 1)
    assert (second.mails, second.connections) == ([], 0)


@pytest.mark.anyio
async def test_first_refuses_the_recipient(tmp_path: Path) -> None:
    """A dead address is dead at the second, too."""
    async with Scripted({"RCPT": "550 5.1.1 no such user"}) as first, relay() as second:
        done = await send(project(tmp_path, first.port, second.port))
    [row] = done.json
    assert (row["state"], row["channel"], second.connections) == ("gone", "relay", 0)


@pytest.mark.anyio
async def test_both_fail(tmp_path: Path) -> None:
    """One error with the words of both; worth trying later."""
    async with Scripted({"RCPT": "450 4.2.1 busy"}) as second:
        done = await send(project(tmp_path, closed_port(), second.port))
    [row] = done.json
    assert (row["state"], row["channel"], done.code) == ("deferred", "marketing", 75)
    assert "marketing: relay: no session with 127.0.0.1:" in row["detail"]
    assert "spare: " in row["detail"]
    assert "450 4.2.1" in row["detail"]


@pytest.mark.anyio
async def test_doctor_shows_the_route(tmp_path: Path) -> None:
    """What it leads to, and with --config its table."""
    root = project(tmp_path, 25, 25)
    found = await vero("-C", str(root), "-e", "both", "doctor")
    assert b"email: through marketing (failover: relay, spare; rate 100/s)" in found.out
    shown = await vero("-C", str(root), "-e", "both", "doctor", "--config")
    assert b"'marketing': {'failover': ('relay', 'spare'), 'rate': '100/s'}" in shown.out
