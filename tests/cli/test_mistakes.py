"""What newcomers do wrong, and the sentence that puts it right."""

from __future__ import annotations

from pathlib import Path

import pytest
from calling import fresh, run

from vero_deliver.cli import SECTIONS

COMMANDS = [name for commands in SECTIONS.values() for name in commands]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh project."""
    return fresh(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["send", "x", "-e", "prod"], "vero-deliver -e prod send ..."),
        (["send", "x", "--env=prod"], "vero-deliver --env prod send ..."),
        (["preview", "-C", "shop"], "vero-deliver -C DIR preview ..."),
        (["doctor", "--project", "shop"], "vero-deliver --project DIR doctor ..."),
        (["init", "-q"], "vero-deliver -q init ..."),
        (["render", "x", "-v"], "vero-deliver -v render ..."),
        (["render", "x", "--color", "never"], "vero-deliver --color never render ..."),
    ],
)
def test_options_of_the_program_after_the_command(arguments: list[str], words: str) -> None:
    """The error shows where such an option stands."""
    done = run(*arguments)
    assert done.exit_code == 2
    assert f"write it before the command: {words}" in done.stderr


def test_other_unknown_options_are_unknown() -> None:
    """Only what can stand before the command is said to."""
    assert "No such option '--colour'" in run("preview", "--colour").stderr
    assert "No such option '-x'" in run("-x", "preview").stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_terminal(name: str) -> None:
    """No line, the examples included, is wider than 80 columns."""
    shown = run(name, "--help").stdout
    examples = [line for line in shown.splitlines() if line.startswith("    vero-deliver")]
    assert max(map(len, examples), default=0) <= 80


def test_send_help_speaks_of_no_samples() -> None:
    """Samples are not sent to, so they are no default; `#3` is quoted, for the shell."""
    shown = " ".join(run("send", "--help").stdout.split())
    assert shown.count("amples") == shown.count("Samples are never sent to.") == 1
    assert "'#3'" in shown
    assert "'#3'" in run("render", "--help").stdout


def test_a_message_without_contents(project: Path) -> None:
    """A problem to doctor, an error to all that would send or show it."""
    folder = project / "messages/empty"
    folder.mkdir()
    (folder / "message.toml").write_text('title = "Empty"\n')
    checked = run("-C", str(project), "doctor")
    assert checked.exit_code == 1
    assert "problem  empty: empty has no contents" in checked.stdout
    for command in (
        ("send", "--to", "a@x.example", "--yes"),
        ("render",),
        ("preview", "--terminal"),
    ):
        done = run("-C", str(project), command[0], "empty", *command[1:])
        assert done.exit_code == 2
        assert "has no contents; write [email]" in done.stderr


def test_preview_goes_on_after_a_broken_message(project: Path) -> None:
    """It draws the error, then the others, and ends with 1; alone it is an error, 2."""
    folder = project / "messages/broken"
    folder.mkdir()
    (folder / "message.toml").write_text("title = \n")
    done = run("-C", str(project), "preview", "--terminal")
    assert done.exit_code == 1
    assert "not valid TOML" in done.stdout
    assert "Welcome  welcome" in done.stdout
    assert "Could not be made: broken" in done.stderr
    alone = run("-C", str(project), "preview", "--terminal", "broken")
    assert (alone.exit_code, alone.stdout) == (2, "")


def test_preview_of_what_cannot_be_rendered_fails(project: Path) -> None:
    """The panel shows why, the exit code that something is wrong."""
    (project / "messages/welcome/email.txt").write_text("{{ user.nothing }}")
    done = run("-C", str(project), "preview", "--terminal", "welcome")
    assert done.exit_code == 1
    assert "there is no 'nothing'" in done.stdout


def test_no_samples_names_the_file_to_write(project: Path) -> None:
    """The path is the real one; a folder of nearly that name is named."""
    folder = project / "messages/welcome"
    (folder / "samples").rename(folder / "sample")
    done = run("-C", str(project), "preview", "--terminal", "welcome")
    assert f"rename {folder}/sample/ to samples/" in done.stderr
    (folder / "sample").rename(folder / "drafts")
    done = run("-C", str(project), "preview", "--terminal", "welcome")
    assert f"write {folder}/samples/ada.json, or pass --data" in done.stderr


def test_languages_are_shown(project: Path) -> None:
    """doctor and preview name the language that each user gets."""
    folder = project / "messages/note"
    folder.mkdir()
    (folder / "message.toml").write_text(
        'title = "N"\nlocales = ["en", "cs"]\n[sms]\nbody = "Hi"\n'
    )
    (folder / "samples.csv").write_text(
        "id,phone,locale\n1,+447700900123,en-GB\n2,+420601000001,cs-CZ\n"
    )
    assert "sms; rendered for 2 samples (en, cs)" in run("-C", str(project), "doctor").stdout
    assert (
        "for 2 in cs"
        in run("-C", str(project), "preview", "--terminal", "note", "--to", "#2").stdout
    )
