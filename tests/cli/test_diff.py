"""vero-deliver diff: what it prints, and how it ends."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from calling import fresh, run
from click.testing import Result

from vero_deliver.errors import ConfigError
from vero_deliver.picture.chromium import find_chromium

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A fresh project, committed as `main`."""
    root = fresh(tmp_path)
    git = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for call in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["-c", "commit.gpgsign=false", "commit", "--quiet", "--message=First"],
    ):
        subprocess.run([*git, *call], check=True)
    return root


def diff(project: Path, *arguments: str) -> Result:
    return run("-C", str(project), "diff", *arguments)


def test_two_recipients_differ_in_what_is_theirs(project: Path) -> None:
    """A unified diff of each field, exit 1."""
    done = diff(project, "welcome", "--to", "ada", "--with", "nameless")
    assert done.exit_code == 1
    assert (
        "--- welcome/email/subject\tada\n+++ welcome/email/subject\tnameless\n@@ -1 +1 @@\n"
        "-Welcome, Ada\n+Welcome, friend\n"
    ) in done.stdout
    assert "\x1b" not in done.stdout


def test_one_recipient_is_like_themselves(project: Path) -> None:
    """Nothing on stdout, exit 0."""
    done = diff(project, "welcome", "--to", "ada", "--with", "ada")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "no difference\n")


def test_colour_is_for_terminals(project: Path) -> None:
    """`--color always` has it, a pipe has not."""
    done = run("--color", "always", "-C", str(project), "diff", "welcome", "--with", "long")
    assert "\x1b[31m-Welcome, Ada" in done.stdout


def test_nothing_has_changed_since_the_commit(project: Path) -> None:
    """All samples of all messages are the same, exit 0."""
    done = diff(project, "--since", "main")
    assert (done.exit_code, done.stdout) == (0, "")


def test_changed_message_differs_for_all_its_samples(project: Path) -> None:
    """Data is that of today on both sides, so only the message's own change shows."""
    folder = project / "messages/welcome"
    text = (folder / "message.toml").read_text()
    (folder / "message.toml").write_text(text.replace("Three things", "Four things"))
    done = diff(project, "--since", "main")
    assert done.exit_code == 1
    assert done.stdout.count("-Three things to try first.") == 3
    assert "--- welcome/email/html\tada at main\n+++ welcome/email/html\tada\n" in done.stdout
    assert "3 of 3 differ" in done.stderr
    assert "subject" not in done.stdout


def test_messages_that_came_and_went_differ(project: Path) -> None:
    """All fields of a new message are new, those of one that was removed are gone."""
    (project / "messages/welcome").rename(project / "messages/hello")
    done = diff(project, "--since", "main", "--json")
    assert done.exit_code == 1
    found = {(one["message"], one["after"]): one["differences"] for one in json.loads(done.stdout)}
    subject = {"content": "email", "field": "subject", "before": "", "after": "Welcome, Ada"}
    assert subject in found["hello", "ada"]
    gone = {"content": "email", "field": "subject", "before": "Welcome, Ada", "after": ""}
    assert gone in found["welcome", "ada"]


def test_template_that_broke_is_a_difference(project: Path) -> None:
    """What could be made and cannot any more says why, with its place."""
    folder = project / "messages/welcome"
    text = (folder / "message.toml").read_text()
    (folder / "message.toml").write_text(text.replace("first_name |", "frist_name.x |"))
    done = diff(project, "welcome", "--since", "main", "--to", "ada")
    assert done.exit_code == 1
    assert "+messages/welcome/message.toml:6: " in done.stdout


def test_template_that_cannot_be_compiled_is_a_difference(project: Path) -> None:
    """It stops no other message."""
    path = project / "messages/welcome/email.mjml"
    path.write_text(path.read_text().replace("{% endif %}", ""))
    done = diff(project, "--since", "main", "--to", "ada")
    assert done.exit_code == 1
    assert "+messages/welcome/email.mjml:" in done.stdout


def test_earlier_message_that_cannot_be_read_is_a_difference(project: Path) -> None:
    """What is mended now is told as the error that it was."""
    path = project / "messages/welcome/message.toml"
    whole = path.read_text()
    path.write_text("title = 1\n")
    subprocess.run(
        ["git", "-C", str(project), "-c", "user.name=A", "-c", "user.email=a@example.com", "-c",
         "commit.gpgsign=false", "commit", "--quiet", "--all", "--message=Broken"],
        check=True,
    )  # fmt: skip
    path.write_text(whole)
    done = diff(project, "welcome", "--since", "main", "--to", "ada")
    assert done.exit_code == 1
    assert "-messages/welcome/message.toml:1: " in done.stdout


def test_message_without_samples_is_left_out_of_all(project: Path) -> None:
    """The others are compared; named, it is an error."""
    assert run("-C", str(project), "init", "other").exit_code == 0
    shutil.rmtree(project / "messages/other/samples")
    done = diff(project, "--since", "main")
    assert done.exit_code == 0
    assert "other is left out: other has no samples" in done.stderr
    assert diff(project, "other", "--since", "main").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "say what to compare with"),
        (("welcome", "--with", "ada", "--since", "main"), "say what to compare with"),
        (("--with", "ada"), "say which message"),
        (("welcome", "-t", "ada", "-t", "long", "--with", "nameless"), "give one --to"),
        (("welcome", "--with", "ada", "-o", "x"), "-o is for -f png"),
        (("welcome", "--with", "ada", "-f", "png", "--json"), "--json is no picture"),
        (("welcome", "--with", "nobody"), "nobody"),
        (("welcome", "--since", "nowhere"), "git knows no revision"),
        (("wellcome", "--since", "main"), "did you mean 'welcome'"),
        (("welcome", "--with", "ada", "-c", "sms"), "has no sms content"),
    ],
)
def test_wrong_usage_ends_with_2(project: Path, arguments: tuple[str, ...], said: str) -> None:
    """So that it is no difference, and says what to write."""
    done = diff(project, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr


def test_pictures_are_side_by_side(project: Path, tmp_path: Path) -> None:
    """A picture for each that differs; none, and exit 0, where nobody sees a difference."""
    try:
        find_chromium()
    except ConfigError as error:
        pytest.skip(str(error))
    body = project / "messages/welcome/email.mjml"
    text = body.read_text()
    body.write_text(text.replace("Save", "Close"))
    out = tmp_path / "changes"
    done = diff(project, "--since", "main", "-f", "png", "--width", "375", "-o", f"{out}/")
    assert done.exit_code == 1, done.output
    assert sorted(path.name for path in out.iterdir()) == [
        "welcome.ada.png", "welcome.long.png", "welcome.nameless.png"
    ]  # fmt: skip
    body.write_text(text.replace("</mj-body>", "<!-- x --></mj-body>"))
    done = diff(project, "--since", "main", "-f", "png", "-o", f"{out}-none/")
    assert (done.exit_code, (tmp_path / "changes-none").exists()) == (0, False)
