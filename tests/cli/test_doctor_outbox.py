"""What doctor finds about the outbox and the readers of feedback."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, event

from vero_deliver import Message, Outbox, Project, Sms, User
from vero_deliver.cli import cli
from vero_deliver.outbox.checkup import checkup
from vero_deliver.sync import Deliverer

HELLO = Message(title="Hello", sms=Sms(body="Hello"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with an outbox, and a delivery that is due."""
    (tmp_path / "vero-deliver.toml").write_text("[outbox]\n")
    (tmp_path / "messages").mkdir()
    with Deliverer.over(Project.find(tmp_path).deliverer()) as deliverer:
        deliverer.enqueue(HELLO, User(id="u1", phone="+420601000001"), key="k")
    return tmp_path


def found(project: Path, what: str) -> list[tuple[str, str]]:
    """State and detail of the findings about that."""
    done = CliRunner().invoke(cli, ["-C", str(project), "doctor", "--json"])
    findings = [one for one in json.loads(done.stdout) if one["what"] == what]
    assert done.exit_code == 1, "there are no messages"
    return [(one["state"], one["detail"]) for one in findings]


def change(project: Path, statement: str) -> None:
    with sqlite3.connect(project / "outbox.db") as connection:
        connection.execute(statement)
    connection.close()


def test_all_is_well(project: Path) -> None:
    """What waits, and for how long."""
    [(state, detail)] = found(project, "outbox")
    assert state == "ok"
    assert "writable; 1 due, the first for" in detail


def test_what_is_overdue(project: Path) -> None:
    """Nobody works it off."""
    hour = int((time.time() - 3_600) * 1000)
    change(project, f"UPDATE vero_deliveries SET next_attempt_at = {hour}")
    [(state, detail)] = found(project, "outbox")
    assert state == "problem"
    assert "1 due, the first for 3600 s; no worker holds a lease" in detail
    assert "vero-deliver work" in detail


def test_a_worker_that_is_at_it(project: Path) -> None:
    """Its lease is seen."""
    outbox = Project.find(project).outbox()
    assert outbox
    outbox.claim(["sms"], 1)
    assert found(project, "outbox")[0][1].endswith("writable; nothing due; 1 at work")


def test_a_channel_that_rests(project: Path) -> None:
    """Until when, and why."""
    later = int((time.time() + 60) * 1000)
    change(
        project,
        f"INSERT INTO vero_circuits VALUES ('dev', 'relay', 1, 5, 1, {later}, NULL, 'refused', 0)",
    )
    [(state, detail)] = found(project, "channel relay")
    assert state == "problem"
    assert detail.startswith("left alone until 20")
    assert detail.endswith(": refused")


def test_tables_of_another_version(project: Path) -> None:
    """A newer program has been here."""
    change(project, "UPDATE vero_schema SET version_num = '9999'")
    [(state, detail)] = found(project, "outbox")
    assert state == "problem"
    assert "version 9999, which this vero-deliver does not know: upgrade it" in detail


def test_a_file_that_is_none(project: Path) -> None:
    """It cannot be opened."""
    for path in project.glob("outbox.db*"):
        path.unlink()
    (project / "outbox.db").mkdir()
    [(state, detail)] = found(project, "outbox")
    assert state == "problem"
    assert "unable to open" in detail


def test_no_write_ahead_log(tmp_path: Path) -> None:
    """As where a disk cannot share memory."""
    engine = create_engine(f"sqlite:///{tmp_path}/o.db")
    outbox = Outbox(engine)
    outbox.create()
    assert checkup(outbox).journal == "delete"
    engine.dispose()


def test_the_clock_of_the_database(postgresql: str) -> None:
    """How far this one is ahead."""
    outbox = Outbox(postgresql, clock=lambda: time.time() + 90)
    outbox.create()
    assert 85 < checkup(outbox).skew < 95
    outbox.close()


def test_a_database_that_is_a_replica(postgresql: str) -> None:
    """It takes no writes."""
    engine = create_engine(postgresql)

    def begun(connection: object) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")  # type: ignore[attr-defined]

    Outbox(engine).create()
    event.listen(engine, "begin", begun)
    assert checkup(Outbox(engine)).read_only
    engine.dispose()


def test_what_comes_back(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is made; what is wrong names its key."""
    monkeypatch.setenv("S", "a secret of enough characters")
    (project / "vero-deliver.toml").write_text(
        "[feedback.a]\nreader = 'push'\nsecrets = [{ env = 'S' }]\n"
        "[feedback.b]\nreader = 'push'\nsecrets = [{ env = 'NOT_SET' }]\n"
    )
    assert "read by push; no [tracking]" in found(project, "feedback a")[0][1]
    [(state, detail)] = found(project, "feedback b")
    assert state == "problem"
    assert "feedback.b.secrets: the environment variable NOT_SET is not set" in detail
    tracking = "[tracking]\nurl = 'https://t.example.com/'\nsecrets = [{ env = '%s' }]\n"
    with (project / "vero-deliver.toml").open("a") as file:
        file.write(tracking % "S")
    assert found(project, "feedback a")[0][1].endswith("https://t.example.com/feedback/a")
    assert found(project, "tracking")[0][0] == "ok"
    (project / "vero-deliver.toml").write_text(tracking % "NOT_SET")
    [(state, detail)] = found(project, "tracking")
    assert state == "problem"
    assert "NOT_SET" in detail
