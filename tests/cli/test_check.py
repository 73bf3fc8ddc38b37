"""vero-deliver check."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
from calling import run

EXAMPLES = Path(__file__).parents[2] / "examples"
HTTP = '<a href="http://shop.example/a">Spring bulbs</a>'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project as init makes it, with a link that is http."""
    root = tmp_path / "shop"
    assert run("-C", str(root), "init").exit_code == 0
    [body] = root.glob("messages/*/email.mjml")
    body.write_text(body.read_text().replace("</mj-text>", f"{HTTP}</mj-text>", 1))
    return root


def test_what_init_makes_is_flawless(tmp_path: Path) -> None:
    """A new project begins without findings."""
    root = tmp_path / "shop"
    run("-C", str(root), "init")
    done = run("-C", str(root), "check")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("Nothing found in 1 message")


def test_the_examples_are_flawless() -> None:
    """What we show is what we ask for."""
    done = run("-C", str(EXAMPLES), "check")
    assert done.exit_code == 0, done.output


def test_a_finding_is_exit_code_1(shop: Path) -> None:
    """And is printed with its line."""
    done = run("-C", str(shop), "check")
    assert done.exit_code == 1
    assert "warning links/https" in done.output
    assert HTTP in done.output


def test_fail_on_says_which_finding_counts(shop: Path) -> None:
    """A warning is told, and passes."""
    done = run("-C", str(shop), "check", "--fail-on", "error")
    assert done.exit_code == 0
    assert "warning links/https" in done.output


@pytest.mark.parametrize(
    "arguments",
    [
        ("--ignore", "links/https"),
        ("--select", "vars,html"),
        ("--select", "vars", "--select", "i18n"),
    ],
)
def test_names_are_lists(shop: Path, arguments: tuple[str, ...]) -> None:
    """With commas, or repeated."""
    assert run("-C", str(shop), "check", *arguments).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--ignore", "link"), "did you mean 'links'"),
        (("--explain", "links/htps"), "did you mean 'links/https'"),
        (("no-such-message",), "no message 'no-such-message'"),
        (("-f", "xml"), "'xml' is not one of"),
    ],
)
def test_a_wrong_call_is_exit_code_2(shop: Path, arguments: tuple[str, ...], words: str) -> None:
    """It says what was meant."""
    done = run("-C", str(shop), "check", *arguments)
    assert done.exit_code == 2
    assert words in done.output


def test_explain_needs_no_project(tmp_path: Path) -> None:
    """A rule, or each of a family."""
    done = run("-C", str(tmp_path), "check", "--explain", "links/https")
    assert done.exit_code == 0
    assert done.output.startswith("links/https (warning)\nA link is http.\n")
    assert run("check", "--explain", "links").output.count("links/") >= 5


def test_statistics(shop: Path) -> None:
    """Counts in place of findings."""
    done = run("-C", str(shop), "check", "--statistics")
    assert done.output.split()[:3] == ["1", "warning", "links/https"]
    assert HTTP not in done.output


def test_json_is_a_document(shop: Path) -> None:
    """On stdout, for programs."""
    done = run("-C", str(shop), "check", "-f", "json")
    [finding] = json.loads(done.stdout)["findings"]
    assert finding["name"] == "links/https"
    assert run("-C", str(shop), "check", "--json").stdout == done.stdout


def test_a_broken_message_is_a_finding(shop: Path) -> None:
    """The others are checked all the same."""
    broken = shop / "messages/broken"
    broken.mkdir()
    (broken / "message.toml").write_text("titel = 1")
    done = run("-C", str(shop), "check", "-f", "concise")
    assert done.exit_code == 1
    assert "error render/message" in done.output
    assert "warning links/https" in done.output


def test_watch_checks_again(shop: Path) -> None:
    """When a file changes, until Ctrl-C."""
    [body] = shop.glob("messages/*/email.mjml")
    process = subprocess.Popen(
        [sys.executable, "-m", "vero_deliver.cli", "-C", str(shop), "check", "--watch"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    timer = Timer(110, process.kill)  # reading has no timeout of its own
    timer.start()
    try:
        assert any("warning links/https" in line for line in process.stdout)
        assert any("Watching" in line for line in process.stdout)
        settings = shop / "vero-deliver.toml"
        held = settings.read_text()
        settings.write_text("[")
        assert any("not valid TOML" in line for line in process.stdout)
        settings.write_text(held)
        body.write_text(body.read_text().replace(HTTP, ""))
        assert any("Nothing found" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 130
    finally:
        timer.cancel()
        process.kill()
        process.communicate()
