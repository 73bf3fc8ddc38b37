"""A preview is a promise: what a real server receives is what `render` printed."""

from __future__ import annotations

from pathlib import Path

import pytest
from running import every_sample, project, vero
from smtp_server import authority, relay

CLOCK = "2026-11-23T12:00:00+00:00"
CHANNEL = """
host = "localhost"
port = {port}
username = "shop"
password = {{ env = "RELAY_PASSWORD" }}
ca_file = "{ca_file}"
"""


@pytest.mark.anyio
async def test_bytes_received_are_bytes_rendered(tmp_path: Path) -> None:
    """For every sample of every example, over STARTTLS with AUTH, byte for byte."""
    samples = every_sample()
    assert len(samples) >= 7
    with authority() as tls:
        async with relay(starttls=tls.server, login=("shop", "s3cret")) as server:
            root = project(tmp_path, CHANNEL.format(port=server.port, ca_file=tls.ca_file))
            for number, (message, sample) in enumerate(samples):
                common = ["-C", str(root), "--env", "test"]
                about = [
                    "--data",
                    str(sample),
                    "-c",
                    "email",
                    "--key",
                    f"k{number}",
                    "--now",
                    CLOCK,
                ]
                rendered = await vero(*common, "render", message, "-f", "eml", *about)
                sent = await vero(
                    *common, "send", message, "--yes", *about, env={"RELAY_PASSWORD": "s3cret"}
                )
                assert (rendered.code, sent.code) == (0, 0), rendered.err + sent.err
                received = server.mails[number]
                assert received.data == rendered.out, (message, sample.name)
                assert received.over_tls
                assert received.login == "shop"
    assert len(server.mails) == len(samples)


@pytest.mark.anyio
async def test_dev_captures_the_same_bytes(tmp_path: Path) -> None:
    """What `dev` captures is what a server would get; nobody else can read it."""
    root = project(tmp_path, 'host = "127.0.0.1"')
    about = ["--data", str(every_sample()[0][1]), "--key", "k", "--now", CLOCK]
    message = every_sample()[0][0]
    rendered = await vero("-C", str(root), "render", message, *about)
    sent = await vero("-C", str(root), "send", message, "--yes", *about)
    assert sent.code == 0, sent.err
    [file] = (root / "captured").glob("*.eml")
    assert file.read_bytes() == rendered.out
    assert file.stat().st_mode & 0o777 == 0o600
