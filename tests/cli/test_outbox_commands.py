"""The commands about the outbox."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vero_deliver import Project, Sms, User
from vero_deliver.cli import cli
from vero_deliver.errors import ConfigError
from vero_deliver.message import Message
from vero_deliver.sync import Deliverer

HELLO = Message(title="Hello", sms=Sms(body="Hello {{ n }}"))
ADA = User(id="u1", phone="+420601000001")


def call(root: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["-C", str(root), *words], prog_name="vero-deliver")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with an outbox, in which one text message is queued."""
    (tmp_path / "vero-deliver.toml").write_text("[outbox]\n")
    with Deliverer.over(Project.find(tmp_path).deliverer()) as deliverer:
        deliverer.enqueue(HELLO, ADA, key="k", data={"n": 1})
    return tmp_path


def test_work_sends_what_is_queued(project: Path) -> None:
    """--drain ends when nothing is due; dev captures what is sent."""
    done = call(project, "work", "--drain")
    assert (done.exit_code, done.stderr) == (0, "1 dealt with.\n")
    assert len(list(project.glob("captured/*.json"))) == 1


def test_send_enqueues(project: Path) -> None:
    """Nothing is sent, once only is recorded, and a worker then sends it."""
    folder = project / "messages" / "hello"
    folder.mkdir(parents=True)
    (folder / "message.toml").write_text('title = "Hello"\n[sms]\nbody = "Hello"\n')
    words = ["send", "hello", "--to", "+420601000002", "--enqueue", "--yes"]
    for _ in range(2):
        done = call(project, *words)
        assert done.exit_code == 0, done.stderr
        assert "queued: sms to +420601000002" in done.stderr
    assert not list(project.glob("captured/*.json"))
    assert "2 dealt with" in call(project, "work", "--drain").stderr
    assert "accepted: sms to +420601000002" in call(project, *words).stderr


def test_send_tells_what_cannot_be_enqueued(project: Path) -> None:
    """As an outcome of its own, among others."""
    folder = project / "messages" / "hello"
    folder.mkdir(parents=True)
    (folder / "message.toml").write_text('title = "Hello"\n[sms]\nbody = "Hello"\n')
    words = ["send", "hello", "--to", "+420601000002", "--enqueue", "--yes", "--key", "k\x07"]
    done = call(project, *words)
    assert done.exit_code == 1
    assert "unrendered: sms to +420601000002: key" in done.stderr


def test_work_ends_on_sigterm(project: Path) -> None:
    """A worker that waits for more ends, well, when it is asked to."""
    command = [sys.executable, "-m", "vero_deliver.cli", "-C", str(project), "work"]
    worker = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not list(project.glob("captured/*.json")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.2)
    worker.send_signal(signal.SIGTERM)
    _, said = worker.communicate(timeout=30)
    assert worker.returncode == 0, said
    assert "1 dealt with." in said


def test_show_tells_the_story(project: Path) -> None:
    """By the delivery's key or the send's, in words and as JSON."""
    call(project, "work", "--drain")
    told = call(project, "delivery", "show", "k-sms").stdout
    for words in ("k-sms: accepted", "recorded", "attempt 1 over captured", "sha256"):
        assert words in told
    [story] = json.loads(call(project, "delivery", "show", "k", "--json").stdout)
    assert (story["key"], story["state"]) == ("k-sms", "accepted")
    assert [one["state"] for one in story["attempts"]] == ["accepted"]
    missing = call(project, "delivery", "show", "nobody")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "nobody" in missing.stderr


def test_list_picks_by_state_and_user(project: Path) -> None:
    """Lines for people, JSON for programs, how many there are in all."""
    assert "queued      k-sms to u1" in call(project, "delivery", "list").stdout
    assert call(project, "delivery", "list", "--state", "gone").stdout == ""
    assert call(project, "delivery", "list", "--user", "u2").stdout == ""
    [record] = json.loads(call(project, "delivery", "list", "--json").stdout)
    assert record["key"] == "k-sms"
    assert "1 queued" in call(project, "delivery", "list").stderr


def test_cancel_and_retry(project: Path) -> None:
    """Each says what it did; 1 where it could not."""
    assert call(project, "delivery", "cancel", "k-sms").exit_code == 0
    again = call(project, "delivery", "cancel", "k-sms", "nobody")
    assert again.exit_code == 1
    assert "k-sms: not cancelled: it is cancelled" in again.stderr
    assert "nobody: not cancelled: there is no such delivery" in again.stderr
    assert call(project, "delivery", "retry", "k-sms").exit_code == 0
    assert call(project, "work", "--drain").stderr == "1 dealt with.\n"


def test_upkeep(project: Path) -> None:
    """create finds nothing to do; erase and purge ask first."""
    assert "nothing to do" in call(project, "outbox", "create").stderr
    assert call(project, "outbox", "erase", "u1").exit_code == 2
    assert "1 deliveries" in call(project, "outbox", "erase", "u1", "--yes").stderr
    assert call(project, "outbox", "purge", "--days", "1").exit_code == 2
    assert call(project, "outbox", "purge", "--days", "1", "--yes").exit_code == 0


def test_send_sends_a_key_once(tmp_path: Path) -> None:
    """The second call tells how the first one's delivery stands."""
    call(tmp_path, "init")
    with (tmp_path / "vero-deliver.toml").open("a") as file:
        file.write("\n[outbox]\n")
    words = ["send", "welcome", "--to", "ada@example.com", "--yes", "--json", "--key", "k"]
    first, second = (json.loads(call(tmp_path, *words).stdout) for _ in range(2))
    assert first[0]["provider_id"] == second[0]["provider_id"]
    assert len(list(tmp_path.glob("captured/*.eml"))) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["work"],
        ["delivery", "list"],
        ["outbox", "create"],
        ["send", "hello", "--to", "+420601000002", "--enqueue"],
    ],
)
def test_without_an_outbox_they_say_so(tmp_path: Path, words: list[str]) -> None:
    """The error names the table to write."""
    (tmp_path / "vero-deliver.toml").write_text("")
    done = call(tmp_path, *words)
    assert done.exit_code == 2
    assert "write [outbox]" in done.stderr


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('expires = "soon"', "outbox.expires"),
        ('expires = "0d"', "expires must be longer"),
        ('first_retry = "2h"', "first_retry"),
        ('transactional = "twice"', "outbox.transactional"),
        ('url = { env = "NOT_THERE_X" }', "NOT_THERE_X"),
        ('url = { vault = "x" }', "outbox.url"),
        ('fole = "x"', "fole"),
    ],
)
def test_mistakes_in_the_table_name_their_place(tmp_path: Path, table: str, words: str) -> None:
    """File, line and key."""
    (tmp_path / "vero-deliver.toml").write_text(f"[outbox]\n{table}\n")
    with pytest.raises(ConfigError, match=words) as caught:
        Project.find(tmp_path).deliverer()
    assert "vero-deliver.toml:" in str(caught.value)
