"""When the server is down or difficult: the right outcome, exit code and advice, and no lies."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from running import EXAMPLES, Done, project, vero
from smtp_server import Fault, Script, Scripted

ORDER = str(EXAMPLES / "data/order.json")
CHANNEL = 'host = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
LOGIN = 'username = "shop"\npassword = { env = "RELAY_PASSWORD" }\n'


async def send(tmp_path: Path, port: int, channel: str = "") -> Done:
    """Send the receipt through 127.0.0.1:port."""
    root = project(tmp_path, CHANNEL.format(port=port) + channel)
    return await vero(
        "-C", str(root), "-e", "test", "send", "order-receipt", "--data", ORDER, "--yes", "--json",
        env={"RELAY_PASSWORD": "hunter2-secret"},
    )  # fmt: skip


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("script", "state", "code", "advice"),
    [
        ({"RCPT": "550 5.1.1 no such user"}, "gone", 1, "stop sending to it"),
        ({"RCPT": "550 5.7.1 not you"}, "refused", 1, "do not retry"),
        ({"RCPT": "450 4.2.1 busy"}, "deferred", 75, "try again later"),
        ({"MAIL": Fault.DROP}, "deferred", 75, "try again later"),
        ({"DATA": Fault.DROP}, "deferred", 75, "try again later"),
        ({"DATA": "451 4.3.0 not now"}, "deferred", 75, "try again later"),
        ({".": Fault.DROP}, "uncertain", 1, "It may have arrived"),
        ({".": "554 5.6.0 spam"}, "refused", 1, "do not retry"),
    ],
)
async def test_each_fault_has_its_name(
    tmp_path: Path, script: Script, state: str, code: int, advice: str
) -> None:
    """State, exit code and what to do, for each way a server can fail."""
    async with Scripted(script) as server:
        done = await send(tmp_path, server.port)
    [row] = done.json
    assert (row["state"], done.code) == (state, code), done.err
    assert advice in done.err
    assert row["provider_id"] is None
    assert "1 accepted" not in done.err
    if state != "uncertain":
        assert not server.mails


@pytest.mark.anyio
async def test_server_is_down(tmp_path: Path) -> None:
    """Nothing listens: deferred, 75, and the host is named."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        done = await send(tmp_path, port)
    [row] = done.json
    assert (row["state"], done.code) == ("deferred", 75)
    assert "127.0.0.1" in row["detail"]


@pytest.mark.anyio
async def test_login_is_refused(tmp_path: Path) -> None:
    """Misconfigured, 2; the password shows nowhere."""
    async with Scripted({"AUTH": "535 5.7.8 bad credentials"}) as server:
        done = await send(tmp_path, server.port, LOGIN)
    [row] = done.json
    assert (row["state"], done.code) == ("misconfigured", 2)
    assert "correct the channel's settings" in done.err
    assert "hunter2-secret" not in done.err + done.out.decode()


@pytest.mark.anyio
async def test_misconfigured_stops_the_rest(tmp_path: Path) -> None:
    """A refused login is not tried again for every user; who was not tried is counted."""
    people = tmp_path / "people.jsonl"
    people.write_text("".join(f'{{"user": {{"email": "u{n}@example.com"}}}}\n' for n in range(4)))
    async with Scripted({"AUTH": "535 5.7.8 bad credentials"}) as server:
        root = project(tmp_path, CHANNEL.format(port=server.port) + LOGIN)
        note = root / "messages/note"
        note.mkdir()
        (note / "message.toml").write_text('title = "Note"\n[email]\nsubject = "Hi"\n')
        (note / "email.txt").write_text("Hi")
        done = await vero(
            "-C", str(root), "-e", "test", "send", "note", "--data", str(people), "--yes",
            env={"RELAY_PASSWORD": "x"},
        )  # fmt: skip
    assert done.code == 2
    assert "3 not tried" in done.err
    assert sum(command.startswith("AUTH") for command in server.said) <= 1


@pytest.mark.anyio
async def test_secret_that_is_not_there(tmp_path: Path) -> None:
    """A reference that leads nowhere is a configuration error before anything is tried."""
    async with Scripted() as server:
        root = project(
            tmp_path,
            CHANNEL.format(port=server.port)
            + 'username = "a"\npassword = { env = "NOT_SET_ANYWHERE" }\n',
        )
        done = await vero(
            "-C", str(root), "-e", "test", "send", "order-receipt", "--data", ORDER, "--yes"
        )
    assert done.code == 2
    assert (
        "channels.relay.password: the environment variable NOT_SET_ANYWHERE is not set" in done.err
    )
    assert not server.said


@pytest.mark.anyio
async def test_secret_in_the_file_is_refused(tmp_path: Path) -> None:
    """A password written into vero-deliver.toml is an error that says how to refer to one."""
    root = project(tmp_path, CHANNEL.format(port=25) + 'username = "a"\npassword = "hunter2"\n')
    done = await vero(
        "-C", str(root), "-e", "test", "send", "order-receipt", "--data", ORDER, "--yes"
    )
    assert done.code == 2
    assert '{ env = "NAME" }' in done.err
    assert "hunter2" not in done.err


# a job that a shell runs in the background is started with SIGINT ignored
HEEDS_CTRL_C = """
import signal
from vero_deliver.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


@pytest.mark.anyio
async def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C in mid-send ends with 130 and says what was not tried; no traceback."""
    async with Scripted({"RCPT": Fault.HANG}) as server:
        root = project(tmp_path, CHANNEL.format(port=server.port))
        command = [sys.executable, "-c", HEEDS_CTRL_C, "-C", str(root), "-e", "test"]
        command += ["send", "order-receipt", "--data", ORDER, "--yes"]
        async with await anyio.open_process(command, stdin=subprocess.DEVNULL) as process:
            await server.hanging.wait()
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            shown = b"".join([chunk async for chunk in process.stderr]).decode()
            code = await process.wait()
    assert code == 130
    assert "1 not tried" in shown
    assert "Traceback" not in shown
