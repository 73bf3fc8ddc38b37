"""Users out of a database."""

from __future__ import annotations

import sqlite3
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vero_deliver import Project
from vero_deliver.audience import Recipient
from vero_deliver.audience.query import Query
from vero_deliver.cli import cli
from vero_deliver.errors import ConfigError
from vero_deliver.secret import Secret

SQL = "SELECT id, email, first_name, points AS 'user.points', due, note FROM members ORDER BY id"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "shop.db") as database:
        database.execute(
            "CREATE TABLE members (id INTEGER, email TEXT, first_name TEXT, points INTEGER,"
            " due TEXT, note TEXT)"
        )
        rows: list[Any] = [(1, "ada@example.org", "Ada", 7, "2026-12-24", None),
                           (2, None, "Bob", None, "2026-12-25", "x")]  # fmt: skip
        database.executemany("INSERT INTO members VALUES (?, ?, ?, ?, ?, ?)", rows)
    database.close()
    settings = f'[queries.members]\nfile = "shop.db"\nsql = """{SQL}"""\n'
    (tmp_path / "vero-deliver.toml").write_text(settings)
    return tmp_path


def found(project: Path, source: str = "query:members", **declared: Any) -> list[Recipient]:
    return list(Project.find(project).recipients(source, declared=declared))


def test_rows_are_users(project: Path) -> None:
    """Columns as in CSV, values with their types; what is declared as data goes there."""
    ada, bob = found(project, due="date")
    assert (ada.user.id, ada.user.email, ada.label) == ("1", "ada@example.org", "ada@example.org")
    assert ada.user.attributes == {"first_name": "Ada", "points": 7}
    assert ada.data == {"due": "2026-12-24"}
    assert (bob.label, bob.row, bob.user.attributes["note"]) == ("2", 2, "x")


def test_dates_stay_dates(postgresql: str) -> None:
    """And other databases than SQLite do as well."""
    sql = "SELECT 'a@b.cz' AS email, DATE '2026-12-24' AS due"
    [one] = Query(
        "q", sql, Secret(postgresql.replace("postgresql:", "postgresql+psycopg:"))
    ).recipients({"due": "date"})
    assert one.data == {"due": date(2026, 12, 24)}


def test_nothing_is_written(project: Path) -> None:
    """A file of SQLite is opened to be read; one that is not there is not made."""
    path = project / "vero-deliver.toml"
    path.write_text('[queries.x]\nfile = "shop.db"\nsql = "DELETE FROM members"\n')
    with pytest.raises(ConfigError, match=r"\[queries.x\]: attempt to write a readonly database"):
        found(project, "query:x")
    path.write_text('[queries.x]\nfile = "none.db"\nsql = "SELECT 1"\n')
    with pytest.raises(ConfigError, match="unable to open"):
        found(project, "query:x")
    assert not (project / "none.db").exists()


FILE, NOWHERE = 'file = "shop.db"', 'url = { cmd = "echo mysql+nosuch://u:hidden@h/d" }'
WRONG = {
    'sql = "SELECT 1"': "give file or url",
    f'sql = "SELECT 1"\n{FILE}\n{NOWHERE}': "give file or url",
    f'sql = "SELEKT"\n{FILE}': 'near "SELEKT": syntax error',
    f'sql = "SELECT email AS e, email AS e FROM members"\n{FILE}': "clash",
    f'sql = "SELECT 7 AS email"\n{FILE}': "row 1.*email",
    f'sql = "SELECT 1"\n{NOWHERE}': "no URL of a database",
    'sql = "SELECT 1"\nurl = { env = "NOT_THERE" }': "queries.members.url: .*NOT_THERE",
}


@pytest.mark.parametrize("table", WRONG)
def test_what_is_wrong_is_told(project: Path, table: str) -> None:
    """With the table, and without the URL."""
    (project / "vero-deliver.toml").write_text(f"[queries.members]\n{table}\n")
    with pytest.raises(ConfigError, match=WRONG[table]) as caught:
        found(project)
    assert "hidden" not in str(caught.value)


def test_only_what_is_asked_for_is_fetched(project: Path) -> None:
    """A warehouse may have millions."""
    rows = Query(
        "q", "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id FROM n",
        f"sqlite:///{project}/shop.db",
    ).recipients({})  # fmt: skip
    assert [next(rows).user.id for _ in range(3)] == ["1", "2", "3"]
    rows.close()  # type: ignore[attr-defined]


def test_a_misspelt_name_is_told(project: Path) -> None:
    """With the nearest that there is."""
    with pytest.raises(ConfigError, match="no query 'member'; did you mean 'members'"):
        found(project, "query:member")


def test_the_command_line_takes_them(project: Path) -> None:
    """As any source: rendered, picked from, sent to."""
    message = project / "messages/hello"
    message.mkdir(parents=True)
    text = 'title = "Hello"\n[email]\nfrom = "a@b.cz"\nsubject = "{{ user.first_name }}"\n'
    (message / "message.toml").write_text(text)
    (message / "email.txt").write_text("{{ user.first_name }}")
    run = partial(CliRunner().invoke, cli)
    done = run(["-C", str(project), "render", "hello", "-d", "query:members", "-f", "text"])
    assert done.output.strip() == "Ada"
    to = ["--to", "ada@example.org", "--yes"]
    sent = run(["-C", str(project), "send", "hello", "-d", "query:members", *to])
    assert sent.exit_code == 0, sent.output
    assert len(list((project / "captured").glob("*.eml"))) == 1
    wrong = run(["-C", str(project), "render", "hello", "-d", "query:nobody"])
    assert wrong.exit_code == 2
    assert "no query 'nobody'" in wrong.output
