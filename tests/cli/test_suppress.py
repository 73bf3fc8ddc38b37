"""The commands about addresses that must not be sent to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from calling import fresh, run


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """A project that has an outbox."""
    root = fresh(tmp_path)
    settings = root / "vero-deliver.toml"
    if "[outbox]" not in settings.read_text():
        settings.write_text(settings.read_text() + "\n[outbox]\n")
    return str(root)


def suppressed(shop: str, *words: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(
        run("-C", shop, "suppress", "list", "--json", *words).stdout
    )
    return found


def test_add_list_remove(shop: str) -> None:
    """Whatever the spelling, what was added is found, and is lifted once."""
    note = ("--note", "asked by phone")
    added = run("-C", shop, "suppress", "add", "Ada@Example.com", "+420 601 000 001", *note)
    assert (added.exit_code, added.stdout) == (0, "")
    assert added.stderr.splitlines() == [
        "Ada@Example.com: suppressed, manual",
        "+420 601 000 001: suppressed, manual",
    ]
    [found] = suppressed(shop, "ada@example.COM")
    assert (found["address"], found["note"], found["source"]) == (
        "Ada@Example.com", "asked by phone", "cli",
    )  # fmt: skip
    assert {one["content"] for one in suppressed(shop)} == {"email", "sms"}
    assert len(suppressed(shop, "-c", "sms")) == 1
    lifted = run("-C", shop, "suppress", "remove", "ada@example.com")
    assert (lifted.exit_code, "lifted: manual since" in lifted.stderr) == (0, True)
    again = run("-C", shop, "suppress", "remove", "ada@example.com")
    assert (again.exit_code, again.stderr) == (1, "ada@example.com: nothing held against it\n")
    free = run("-C", shop, "suppress", "list", "ada@example.com")
    assert (free.exit_code, free.stderr) == (1, "ada@example.com: may be sent to\n")


def test_added_again_at_once_it_holds(shop: str) -> None:
    """A person's last word counts, within one millisecond too."""
    for _ in range(5):
        run("-C", shop, "suppress", "add", "ada@example.com")
        assert len(suppressed(shop, "ada@example.com")) == 1
        run("-C", shop, "suppress", "remove", "ada@example.com")
        assert suppressed(shop, "ada@example.com") == []


def test_a_topic_is_an_unsubscription(shop: str) -> None:
    """Which needs not be said; with another reason it is a mistake, and nobody is suppressed."""
    run("-C", shop, "suppress", "add", "ada@example.com", "--topic", "weekly")
    [found] = suppressed(shop, "--reason", "unsubscribed")
    assert (found["reason"], found["topic"]) == ("unsubscribed", "weekly")
    words = ("bob@example.com", "--topic", "weekly", "--reason", "bounced")
    bad = run("-C", shop, "suppress", "add", *words)
    assert bad.exit_code == 2
    assert "bounced has no topic" in bad.stderr
    assert suppressed(shop, "bob@example.com") == []


@pytest.mark.parametrize("words", [("ada",), ("ada@example.com", "bob"), ("@example.com",)])
def test_what_is_no_address_suppresses_nobody(shop: str, words: tuple[str, ...]) -> None:
    """All that are named, or none."""
    bad = run("-C", shop, "suppress", "add", *words)
    assert bad.exit_code == 2
    assert words[-1] in bad.stderr
    assert suppressed(shop) == []


def test_import(shop: str, tmp_path: Path) -> None:
    """A provider's export: its own words are notes, a reason of ours is the reason."""
    file = tmp_path / "bounces.csv"
    file.write_text(
        "created,email,reason\n"
        "1700000000,Ada@example.com,550 5.1.1 user unknown\n"
        "2024-05-01T10:00:00Z,bob@example.com,complained\n"
    )
    words = ("-C", shop, "suppress", "import", str(file), "--reason", "bounced")
    tried = run(*words, "--dry-run")
    assert tried.stderr == "2 addresses would be suppressed\n"
    assert suppressed(shop) == []
    assert run(*words).stderr == "2 addresses suppressed\n"
    assert run(*words).exit_code == 0
    bob, ada = suppressed(shop)
    assert (ada["reason"], ada["note"], ada["since"]) == (
        "bounced", "550 5.1.1 user unknown", "2023-11-14T22:13:20+00:00",
    )  # fmt: skip
    assert (bob["reason"], bob["source"]) == ("complained", "bounces.csv")


def test_a_bare_list(shop: str, tmp_path: Path) -> None:
    """One address a line, without a heading."""
    file = tmp_path / "list.txt"
    file.write_text("ada@example.com\n\n+420601000001\n")
    assert run("-C", shop, "suppress", "import", str(file)).stderr == "2 addresses suppressed\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ada@example.com\nnobody\n", "list.csv:2: 'nobody' is neither"),
        ("email,topic\nada@example.com,\nbob@example.com," + "t" * 101 + "\n", "list.csv:3:"),
        ("email,reason,topic\nada@example.com,bounced,weekly\n", "list.csv:2: bounced has no"),
        ("who,why\nada@example.com,x\n", "list.csv:1: no column is called email"),
        ('email\nada@example.com\n"bob\n', "not valid CSV"),
    ],
)
def test_a_bad_line_imports_nothing(shop: str, tmp_path: Path, text: str, said: str) -> None:
    """It is named by file and line."""
    file = tmp_path / "list.csv"
    file.write_text(text)
    bad = run("-C", shop, "suppress", "import", str(file))
    assert bad.exit_code == 2
    assert said in bad.stderr
    assert suppressed(shop) == []
