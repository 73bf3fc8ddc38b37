"""Whom `send`, `render` and `preview` are about: each one meant, once, and nobody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from calling import at_terminal, fresh, run
from click.testing import Result

NOTE = '[email]\nsubject = "Hi"\n[sms]\nbody = "Hi"\n[http]\nurl = "https://h.example/"\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh project."""
    return fresh(tmp_path)


def send(project: Path, *arguments: str) -> Result:
    """`send welcome` without a question."""
    return run("-C", str(project), "send", "welcome", *arguments, "--yes", "--json")


def sent(project: Path, *arguments: str) -> list[tuple[str, str]]:
    """The state and the address of each delivery."""
    rows: list[dict[str, Any]] = json.loads(send(project, *arguments).stdout)
    return [(row["state"], row["to"]) for row in rows]


def note(project: Path, text: str = NOTE) -> None:
    """A message with several contents, and an environment `prod` that carries its email only."""
    folder = project / "messages/note"
    folder.mkdir()
    (folder / "message.toml").write_text(f'title = "Note"\n{text}')
    (folder / "email.txt").write_text("Hi")
    with (project / "vero-deliver.toml").open("a") as file:
        file.write('\n[channels.box]\ndriver = "eml"\nfolder = "box"\n[env.prod]\nemail = "box"\n')


def data(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_send_to_several(project: Path) -> None:
    """Every --to counts, not the last one."""
    found = sent(project, "--to", "a@x.example", "--to", "b@x.example")
    assert found == [("accepted", "a@x.example"), ("accepted", "b@x.example")]
    assert len(list((project / "captured").glob("*.eml"))) == 2


def test_several_of_a_file(project: Path) -> None:
    """With --data each --to picks."""
    file = data(project, "p.csv", "email\na@x.example\nb@x.example\nc@x.example\n")
    found = sent(project, "-d", file, "--to", "c@x.example", "--to", "#1")
    assert [to for _, to in found] == ["c@x.example", "a@x.example"]


def test_several_samples(project: Path, tmp_path: Path) -> None:
    """render and preview take several too."""
    out = f"{tmp_path}/out/"
    names = [path.stem for path in sorted((project / "messages/welcome/samples").glob("*.json"))]
    picked = [word for name in names[:2] for word in ("--to", name)]
    done = run("-C", str(project), "render", "welcome", *picked, "-f", "text", "-o", out)
    assert done.exit_code == 0, done.output
    assert sorted(p.name for p in Path(out).iterdir()) == [f"{n}.email.txt" for n in names[:2]]
    drawn = run("-C", str(project), "preview", "--terminal", "welcome", *picked).stdout
    assert all(f"for {name} in en" in drawn for name in names[:2])


def test_data_of_nobody_goes_to_each_address(project: Path) -> None:
    """A file with data only is the same for all addresses; render and send agree on it."""
    file = data(project, "order.json", '{"plan": "Pro"}')
    found = sent(project, "-d", file, "--to", "a@x.example", "--to", "b@x.example")
    assert [to for _, to in found] == ["a@x.example", "b@x.example"]
    shown = run("-C", str(project), "render", "welcome", "-d", file, "--to", "a@x.example")
    assert "To: a@x.example" in shown.stdout


def test_data_of_one_user_has_one_address(project: Path) -> None:
    """A user with an id is one person: two addresses are refused, one is theirs."""
    file = data(project, "ada.json", '{"user": {"id": "7"}}')
    assert sent(project, "-d", file, "--to", "a@x.example") == [("accepted", "a@x.example")]
    done = send(project, "-d", file, "--to", "a@x.example", "--to", "b@x.example")
    assert done.exit_code == 2
    assert "the source holds one user, '7'; give one --to" in done.stderr


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("email=ada@x.example", "picks from a file: pass --data too, or write ada@example.com"),
        ("plan=pro", "picks from a file"),
        ("ada", "is no address: write ada@example.com or +447700900123"),
        ("07700 900123", "is no address"),
        ("+4477", "is no address"),
        ("Ada <ada@x.example>", "give the address alone, without name and < >"),
        ("ada@x..example", "is no label of a domain name"),
        ("", "is no address"),
    ],
)
def test_what_is_no_address_is_not_sent_to(project: Path, who: str, words: str) -> None:
    """Without --data, --to is an address or a phone number."""
    done = send(project, "--to", who)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not (project / "captured").exists()


def test_send_to_a_phone(project: Path) -> None:
    """E.164 is a phone number, and text messages go there."""
    note(project)
    call = ("-C", str(project), "send", "note", "-c", "sms", "--to", "+447700900123")
    [row] = json.loads(run(*call, "--yes", "--json").stdout)
    assert (row["state"], row["to"]) == ("accepted", "+447700900123")


def test_nobody_is_mailed_twice(project: Path) -> None:
    """A row that repeats another is skipped, told and counted, and so it is rehearsed."""
    file = data(project, "p.csv", "email\na@x.example\nb@x.example\na@x.example\n")
    states = [state for state, _ in sent(project, "-d", file)]
    assert states == ["accepted", "accepted", "skipped"]
    told = run("-C", str(project), "send", "welcome", "-d", file, "--yes")
    assert "the same delivery twice in the source (row 3 repeats row 1)" in told.stderr
    assert "2 accepted, 1 skipped" in told.stderr
    rehearsed = run("-C", str(project), "send", "welcome", "-d", file, "--dry-run")
    assert "(row 3 repeats row 1)" in rehearsed.stderr
    assert "2 ready, 1 skipped" in rehearsed.stderr
    assert sent(project, "--to", "a@x.example", "--to", "a@x.example")[1][0] == "skipped"


@pytest.mark.parametrize(
    "lines",
    [
        '{"user": {"email": "a@x.example"}, "n": 1}\n{"user": {"email": "a@x.example"}, "n": 2}',
        '{"user": {"first_name": "A", "devices": []}}\n{"user": {"first_name": "B"}}',
    ],
)
def test_other_data_is_another_delivery(project: Path, lines: str) -> None:
    """One user with two orders gets both; users without a name of any kind are not one."""
    note(project, '[email]\nto = "ops@x.example"\nsubject = "Hi"\n')
    file = data(project, "p.jsonl", lines)
    done = run("-C", str(project), "send", "note", "-d", file, "--dry-run", "--json")
    assert [row["state"] for row in json.loads(done.stdout)] == ["ready", "ready"]


@pytest.mark.parametrize("text", ["", "email\n"])
def test_a_source_that_holds_nobody(project: Path, text: str) -> None:
    """It is an error, not a success."""
    for done in (
        send(project, "-d", data(project, "p.csv", text)),
        run("-C", str(project), "send", "welcome", "-d", "-", "--yes", stdin=text),
    ):
        assert done.exit_code == 2
        assert "holds nobody" in done.stderr


def test_what_has_no_channel_is_not_ready(project: Path) -> None:
    """--dry-run and send say alike that nobody carries it."""
    note(project)
    call = ("-C", str(project), "-e", "prod", "send", "note", "--to", "a@x.example", "-c", "http")
    told = "skipped: http to a@x.example: no channel carries http (env prod)"
    for how in ("--dry-run", "--yes"):
        assert told in run(*call, "-c", "email", how).stderr
        alone = run(*call, how)
        assert alone.exit_code == 2
        assert "no channel carries http (env prod); name one in [env.prod]" in alone.stderr


def test_the_question_names_what_is_sent(project: Path) -> None:
    """Contents that nobody carries are not in it; no is exit code 1."""
    note(project)
    call = ("-C", str(project), "-e", "prod", "send", "note", "--to", "a@x.example")
    code, shown = at_terminal(*call, typed=b"n\n")
    assert (code, "a@x.example: email through box (eml)?" in shown) == (1, True), shown


def test_stdin_at_a_terminal_is_waited_for(project: Path) -> None:
    """Somebody who typed `--data -` is told what to do."""
    call = ("-C", str(project), "render", "welcome", "--data", "-")
    code, shown = at_terminal(*call, typed=b'{"user": {"email": "a@x.example"}}\n\x04')
    assert (code, shown) == (0, "Waiting for JSON lines; Ctrl-D ends them.\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"user": {"emial": "a@x.example"}}', "it has 'emial', did you mean 'email'?"),
        ('{"user": {"id": "1"}, "email": "a@x.example"}', "`email` belongs inside `user`"),
    ],
)
def test_a_misspelt_address_is_told(project: Path, text: str, words: str) -> None:
    """Where nothing goes to somebody, the field that was meant is named."""
    file = data(project, "p.json", text)
    shown = ("preview", "--terminal")
    for command in (("send", "--yes"), ("send", "--dry-run"), ("render",), shown):
        done = run("-C", str(project), command[0], "welcome", "-d", file, *command[1:])
        assert words in " ".join(done.output.replace("│", " ").split()), done.output
