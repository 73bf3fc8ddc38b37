"""The fixture `outbox`, as the tests of somebody's application use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

PROJECT = """
[from]
email = "Shop <shop@example.com>"
[outbox]
[tracking]
url = "https://t.example.com"
secrets = [{ env = "NOT_THERE" }]
[channels.mail]
driver = "sendgrid"
api_key = { env = "NOT_THERE" }
[channels.texts]
driver = "twilio"
account_sid = "AC00000000000000000000000000000000"
auth_token = { env = "NOT_THERE" }
[env.prod]
email = "mail"
sms = "texts"
"""
MESSAGE = """
title = "Welcome"
[email]
subject = "Hello {{ user.name }}"
[sms]
body = "Hello {{ user.name }}"
from = "SHOP"
[push]
title = "Hello"
"""
APP = """
from vero_deliver import Device, Project, User
from vero_deliver.sync import Deliverer

ADA = User(id="u1", email="Ada@example.org", phone="+420601000001",
           devices=(Device(token="0a1b", platform="ios"),), attributes={"name": "Ada"})

def greet(env="prod"):
    project = Project.find(".", env=env)
    with Deliverer.over(project.deliverer()) as deliverer:
        return deliverer.send(project.message("welcome"), ADA, key="welcome-1")
"""


def run(folder: Path, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "vero-deliver.toml").write_text(PROJECT)
    message = folder / "messages/welcome"
    message.mkdir(parents=True)
    (message / "message.toml").write_text(MESSAGE)
    (message / "email.html").write_text("<p>Hello {{ user.name }}</p>")
    (folder / "app.py").write_text(APP)
    (folder / "test_app.py").write_text(tests)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    env = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}:{ROOT / 'channels'}"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


GOOD = """
import asyncio, re
import pytest
from app import ADA, greet
from vero_deliver import Deliverer, Email, Message, Project, Worker
from vero_deliver.errors import Gone
from vero_channels.email.smtp import Smtp

def test_all_contents(outbox):
    states = [one.state for one in greet()]
    assert states == ["accepted"] * 3
    outbox.assert_sent(to="ada@example.org", subject="Hello Ada")
    outbox.assert_sent(content="sms", to="+420601000001", body=re.compile("^Hello A"))
    outbox.assert_sent(content="push", to="0a1b", title="Hello")
    outbox.assert_not_sent(to="bob@example.org")
    outbox.assert_sent(count=3)
    assert "Ada" in outbox.assert_sent(content="email", html="Hello").rendered.html
    assert len(outbox) == 3
    outbox.clear()
    outbox.assert_not_sent()

def test_each_test_begins_anew(outbox):
    outbox.assert_not_sent()
    greet()
    greet()  # its outbox knows the key
    outbox.assert_sent(count=3)

def test_a_deliverer_by_hand_and_a_worker(outbox):
    message = Message(title="x", email=Email(from_="a@b.cz", subject="Hi", html="<p>x</p>"))
    async def main():
        async with Deliverer(email=Smtp("mail.example.com")) as deliverer:
            await deliverer.send(message, ADA)
        project = Project.find(".", env="prod")
        async with project.deliverer() as deliverer:
            await deliverer.enqueue(message, ADA, key="later")
            outbox.assert_sent(subject="Hi")
            await Worker(deliverer).run(drain=True)
    asyncio.run(main())
    outbox.assert_sent(subject="Hi", count=2)

def test_failures(outbox):
    outbox.fail(Gone("no such mailbox", channel="mail"))
    assert [one.state for one in greet()] == ["gone", "accepted", "accepted"]
    outbox.assert_not_sent(content="email")

def test_typos(outbox):
    with pytest.raises(TypeError, match="'subjct' is none of"):
        outbox.assert_sent(subjct="x")
"""


def test_what_users_write(tmp_path: Path) -> None:
    """Every way to send, in an environment whose secrets are not there."""
    done = run(tmp_path, GOOD)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
    assert not (tmp_path / "captured").exists()
    assert not (tmp_path / "outbox.db").exists()


BAD = """
from app import greet

def test_wrong_subject(outbox):
    greet()
    outbox.assert_sent(to="ada@example.org", subject="Hello Bob")

def test_nothing(outbox):
    outbox.assert_sent(subject="x")

def test_too_much(outbox):
    greet()
    outbox.assert_not_sent(content="sms")
"""


def test_failures_tell_what_was_sent(tmp_path: Path) -> None:
    """They name what was asked for and list what there is, without our own frames."""
    done = run(tmp_path, BAD)
    assert "3 failed" in done.stdout
    assert "0 sent of to='ada@example.org', subject='Hello Bob', 1 expected" in done.stdout
    assert "email to Ada@example.org: 'Hello Ada' [welcome-1-email]" in done.stdout
    assert "sms to +420601000001: 'Hello Ada' [welcome-1-sms]" in done.stdout
    assert "nothing was sent" in done.stdout
    assert "captured.py" not in done.stdout


def test_it_is_silent_where_nobody_asks(tmp_path: Path) -> None:
    """A test without the fixture imports nothing of ours but the plugin."""
    tests = """
import sys

def test_nothing_heavy():
    ours = [name for name in sys.modules if name.startswith(("vero_deliver.", "vero_channels"))]
    assert ours == ["vero_deliver.pytest_plugin"], ours
"""
    done = run(tmp_path, tests)
    assert done.returncode == 0, done.stdout
