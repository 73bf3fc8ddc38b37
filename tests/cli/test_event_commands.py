"""The commands about feedback, and the story of a delivery."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from mailbox import Maildir
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from vero_deliver import Email, Message, Outbox, Project, Secret, User
from vero_deliver.cli import cli
from vero_deliver.feedback import Feedback, Kind
from vero_deliver.mime import return_path
from vero_deliver.sync import Deliverer

HELLO = Message(
    title="Hello", email=Email(from_="shop@news.example.com", subject="Hi", html="<p>Hello</p>")
)
ADA = User(id="u1", email="ada@example.org")
SECRET = "sixteen characters or more"
SETTINGS = """
[outbox]
[domains."news.example.com"]
return_path = "bounces.example.com"
return_path_secret = { env = "BOUNCE_SECRET" }
return_path_mx = "mx.example.com"
"""


def call(root: Path, *words: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, ["-C", str(root), *words], prog_name="vero-deliver", input=stdin)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose outbox has sent one email, with the key k-email."""
    monkeypatch.setenv("BOUNCE_SECRET", SECRET)
    (tmp_path / "vero-deliver.toml").write_text(SETTINGS)
    with Deliverer.over(Project.find(tmp_path).deliverer()) as deliverer:
        deliverer.send(HELLO, ADA, key="k")
    return tmp_path


def outbox_of(project: Path) -> Outbox:
    outbox = Project.find(project).outbox()
    assert outbox
    return outbox


def tell(project: Path, kind: Kind, id_: str, **about: Any) -> None:
    values: dict[str, Any] = {"channel": "relay", "key": "k-email", "at": datetime.now(UTC)}
    outbox_of(project).feedback.take([Feedback(kind=kind, id=id_, **(values | about))])


def bounce(key: str = "k-email", recipient: str = "ada@example.org") -> bytes:
    path = return_path(key, "bounces.example.com", Secret(SECRET))
    return f"""\
Return-Path: <>
Delivered-To: {path}
From: MAILER-DAEMON@mx.example.org
Message-ID: <{key}@mx.example.org>
Subject: failure notice

<{recipient}>:
550 5.1.1 no mailbox here by that name
""".encode()


def test_list_in_the_order_of_arrival(project: Path) -> None:
    """Lines for people, or a JSON object on each; chosen by kind, key, channel and time."""
    tell(project, "delivered", "1", recipient="ada@example.org")
    tell(project, "clicked", "2", url="https://example.com/tea", machine=True)
    first, second = call(project, "event", "list").stdout.splitlines()
    assert "delivered      k-email  relay ada@example.org" in first
    assert "clicked        k-email  relay: https://example.com/tea, by a machine" in second
    rows = call(project, "event", "list", "--json").stdout.splitlines()
    assert [json.loads(row)["kind"] for row in rows] == ["delivered", "clicked"]
    for words, count in (
        (["--kind", "clicked"], 1), (["--key", "k"], 2), (["--key", "k-email"], 2),
        (["--key", "x"], 0), (["--channel", "x"], 0), (["--since", "1h"], 2),
        (["--since", "2100-01-01"], 0), (["--limit", "1"], 1),
    ):  # fmt: skip
        assert len(call(project, "event", "list", *words).stdout.splitlines()) == count, words
    assert call(project, "event", "list", "--since", "soon").exit_code == 2


def test_tail_prints_what_comes(project: Path) -> None:
    """Each once, until interrupted; what was there before only where it is asked for."""
    tell(project, "sent", "0")
    words = [
        sys.executable,
        "-m",
        "vero_deliver.cli",
        "-C",
        str(project),
        "event",
        "tail",
        "--json",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        stop = threading.Event()

        def keep_telling() -> None:
            number = 0
            while not stop.is_set():
                number += 1
                tell(project, "opened", f"{number}")
                time.sleep(0.2)

        teller = threading.Thread(target=keep_telling)
        teller.start()
        rows = [json.loads(process.stdout.readline()) for _ in range(8)]
        stop.set()
        teller.join()
        process.terminate()
    ids = [int(row["id"]) for row in rows]
    assert {row["kind"] for row in rows} == {"opened"}
    assert ids == list(range(ids[0], ids[0] + 8))


def test_replay_from_a_file(project: Path) -> None:
    """What one outbox lists, another one learns; twice changes nothing."""
    tell(project, "delivered", "1", raw={"n": 1}, tags=("a",))
    tell(project, "bounced", "2", diagnostic="no", permanent=True)
    rows = call(project, "event", "list", "--json").stdout_bytes
    (project / "outbox.db").unlink()
    with Deliverer.over(Project.find(project).deliverer()) as deliverer:
        deliverer.send(HELLO, ADA, key="k")
    done = call(project, "event", "replay", "-", "--kind", "delivered", stdin=rows)
    assert done.stderr == "1 read, 1 of them new.\n"
    (project / "events.jsonl").write_bytes(rows)
    again = call(project, "event", "replay", str(project / "events.jsonl"))
    assert again.stderr == "2 read, 1 of them new.\n"
    assert outbox_of(project).count() == {"bounced": 1}
    assert call(project, "event", "replay").stderr == "2 matched with a delivery.\n"
    bad = call(project, "event", "replay", "-", stdin=rows + b'{"kind": "eaten"}\n')
    assert bad.exit_code == 2
    assert ":3: no feedback" in bad.stderr


def test_a_bounce_on_stdin(project: Path) -> None:
    """As a mail server pipes it: the delivery has bounced, and the address is suppressed."""
    done = call(project, "event", "read", "--json", stdin=bounce())
    assert (done.exit_code, done.stderr) == (0, "1 taken.\n")
    [told] = json.loads(done.stdout)
    assert (told["kind"], told["key"]) == ("bounced", "k-email")
    assert outbox_of(project).count() == {"bounced": 1}
    assert call(project, "suppress", "list", "ada@example.org").exit_code == 0


def test_a_maildir_is_read_once(project: Path, tmp_path: Path) -> None:
    """What is new is read and moved; what is forged is named, and changes nothing."""
    box = Maildir(tmp_path / "box")
    for raw in (bounce(), bounce().replace(b"b+k-email.", b"b+k2-email."), b"Subject: hello\n\nhi"):
        box.add(raw)
    done = call(project, "event", "read", str(tmp_path / "box"))
    assert done.exit_code == 1
    assert "not taken: smtp: the mail names no signed return path" in done.stderr
    assert done.stderr.endswith("1 taken.\n")
    assert (len(list((tmp_path / "box/new").iterdir())), len(box)) == (0, 3)
    assert all("S" in mail.get_flags() for mail in Maildir(tmp_path / "box"))
    again = call(project, "event", "read", str(tmp_path / "box"))
    assert (again.exit_code, again.stderr) == (0, "0 taken.\n")


def test_files_and_folders(project: Path, tmp_path: Path) -> None:
    """They stay where they are; what is told again is kept once."""
    folder = tmp_path / "mails"
    folder.mkdir()
    (folder / "a.eml").write_bytes(bounce())
    (folder / ".hidden").write_bytes(bounce())
    for words in ([str(folder)], [str(folder / "a.eml")]):
        assert call(project, "event", "read", *words).stderr == "1 taken.\n"
    assert len(outbox_of(project).feedback.search()) == 1


def test_what_is_not_signed_is_believed_when_told_to(project: Path) -> None:
    """A signed one keeps its key all the same."""
    forged = bounce("other").replace(b"b+other", b"b+another")
    assert call(project, "event", "read", stdin=forged).stderr.endswith("0 taken.\n")
    for raw, key in ((forged, ""), (bounce(), "k-email")):
        done = call(project, "event", "read", "--unsigned", "--json", stdin=raw)
        assert [one["key"] for one in json.loads(done.stdout)] == [key]


def test_a_mail_server_is_told_to_come_back(project: Path) -> None:
    """75 where the outbox or the project is broken; 2 for a person who names a file."""
    (project / "outbox.db").unlink()
    (project / "outbox.db").mkdir()
    (project / "a.eml").write_bytes(bounce())
    assert call(project, "event", "read", stdin=bounce()).exit_code == 75
    assert call(project, "event", "read", str(project / "a.eml")).exit_code == 75
    (project / "vero-deliver.toml").write_text("[outbox]\n")
    assert call(project, "event", "read", stdin=bounce()).exit_code == 75
    named = call(project, "event", "read", str(project / "a.eml"))
    assert named.exit_code == 2
    assert "return_path_secret" in named.stderr


def test_the_whole_story(project: Path) -> None:
    """Attempts, feedback and what holds against the recipient, in words and as JSON."""
    tell(project, "delivered", "1")
    call(project, "event", "read", stdin=bounce())
    told = call(project, "delivery", "show", "k").stdout
    positions = [
        told.index(words)
        for words in (
            "k-email: bounced", "attempt 1 over captured", "told delivered by relay",
            "told bounced by smtp ada@example.org: 550 5.1.1 no mailbox", "name, for good",
            "its recipient is suppressed: bounced since",
        )
    ]  # fmt: skip
    assert positions == sorted(positions)
    [story] = json.loads(call(project, "delivery", "show", "k-email", "--json").stdout)
    assert [one["kind"] for one in story["feedback"]] == ["delivered", "bounced"]
    assert [one["reason"] for one in story["suppressions"]] == ["bounced"]
