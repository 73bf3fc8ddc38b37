"""vero-deliver serve, as a process: from a marketing email to one click and back."""

from __future__ import annotations

import email
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from pathlib import Path

import httpx
import pytest

from vero_deliver.project import Project

ENV = {"TRACK": "a secret of many characters", "HOOK": "another long password"}
SETTINGS = """
[from]
email = "Shop <shop@example.com>"
[outbox]
[tracking]
url = "http://127.0.0.1:{port}"
secrets = [{{ env = "TRACK" }}]
clicks = true
title = "Shop"
topics = {{ weekly = "The weekly letter" }}
[feedback.postmark]
reader = "postmark"
access = {{ bearer = [{{ env = "HOOK" }}] }}
"""
MESSAGE = """
title = "News"
kind = "marketing"
topic = "weekly"
[email]
subject = "News"
"""


def vero(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vero_deliver.cli", "-C", str(project), *words]
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env=os.environ | ENV
    )


def project(folder: Path, settings: str) -> Path:
    (folder / "vero-deliver.toml").write_text(settings)
    message = folder / "messages/news"
    message.mkdir(parents=True)
    (message / "message.toml").write_text(MESSAGE)
    (message / "email.html").write_text('<p><a href="https://shop.example.com/">Shop</a></p>')
    return folder


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """The process, where it listens, and what it said."""
    command = [sys.executable, "-m", "vero_deliver.cli", "-C", str(folder), "serve", "--port", "0"]
    process = subprocess.Popen(
        [*command, *words], stderr=subprocess.PIPE, text=True, env=os.environ | ENV
    )
    assert process.stderr
    try:
        said = [process.stderr.readline() for _ in range(3)]
        yield process, said[0].split()[-1], said
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_from_email_to_one_click(tmp_path: Path) -> None:
    """What the header of a sent email says is answered, and the next one is suppressed."""
    folder = project(tmp_path, SETTINGS.format(port=1))
    send = ("send", "news", "--to", "ada@example.org", "--yes", "--key")
    assert vero(folder, *send, "k1").returncode == 0
    [sent] = (folder / "captured").glob("*.eml")
    mail = email.message_from_bytes(sent.read_bytes(), policy=policy.default)
    [leave] = re.findall(r"<(.*)>", re.sub(r"\s", "", mail["List-Unsubscribe"]))
    with serving(folder, "--work") as (process, base, said):
        assert "feedback/postmark" in said[1]
        assert httpx.get(f"{base}/readyz").text == "ok\n"
        path = leave.removeprefix("http://127.0.0.1:1")
        body = mail.get_body(("html",))
        assert body
        html = body.get_content()
        click = re.findall(r'href="http://127.0.0.1:1(/c/[^"]+)"', html)[0]
        assert httpx.get(base + click).headers["location"] == "https://shop.example.com/"
        page = httpx.get(base + path)
        assert "The weekly letter" in page.text
        done = httpx.post(base + path, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
        assert process.poll() is None
    assert process.returncode == 0
    outbox = Project.find(folder).outbox()
    assert outbox
    [kept] = outbox.feedback.search(kinds=["clicked"])
    assert kept.delivery == "k1-email"
    outbox.close()
    again = vero(folder, *send, "k2")
    assert "suppressed" in again.stderr
    listed = vero(folder, "suppress", "list", "ada@example.org")
    assert "unsubscribed from weekly" in listed.stdout
    assert vero(folder, "suppress", "remove", "ada@example.org").returncode == 0
    assert vero(folder, *send, "k3").returncode == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "write \\[outbox\\]"),
        ("[outbox]\n", "write \\[tracking\\] or \\[feedback.NAME\\]"),
        ('[outbox]\n[tracking]\nurl = "http://t.example.com"\nsecrets = [{ env = "TRACK" }]\n',
         "tracking.url: is no https"),
        ('[outbox]\n[tracking]\nurl = "https://t.example.com"\nsecrets = [{ env = "NO" }]\n', "NO"),
        ('[outbox]\n[tracking]\nurl = "https://t.example.com"\nsecrets = []\n', "secrets"),
        ('[outbox]\n[tracking]\nurl = "https://t.example.com"\n', "secrets"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(tmp_path: Path, settings: str, words: str) -> None:
    """Before it listens, with the table."""
    ended = vero(project(tmp_path, settings), "serve", "--port", "0")
    assert ended.returncode == 2
    assert re.search(words, ended.stderr), ended.stderr


def test_an_address_in_use_is_told(tmp_path: Path) -> None:
    """In one line, with exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        settings = SETTINGS.format(port=port)
        ended = vero(project(tmp_path, settings), "serve", "--work", "--port", port)
    assert ended.returncode == 2
    assert "ddress already in use" in ended.stderr
    assert "Traceback" not in ended.stderr
