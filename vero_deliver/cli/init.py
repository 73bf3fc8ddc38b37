"""vero-deliver init."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from vero_deliver.cli.session import Session
from vero_deliver.config import FILE, find
from vero_deliver.errors import ConfigError
from vero_deliver.project import Project
from vero_deliver.reading import display
from vero_deliver.schema import schema_text

SCHEMA = Path(".vero/schema/message.schema.json")
IGNORED = ("captured/", "outbox.db*")  # they hold personal data
_NAME = re.compile(r"[A-Za-z0-9][\w-]*(/[A-Za-z0-9][\w-]*)*")


@click.command("init")
@click.argument("name", required=False)
@click.pass_obj
def command(session: Session, name: str | None) -> None:
    """Start a project, or add a message to one.

    \b
      vero-deliver init                  a project here, with one message
      vero-deliver init shop             the same in a new folder
      vero-deliver init billing/overdue  inside a project: one more message

    Files that are there already stay as they are.
    """
    here = Path(session.project or ".")
    project = here.is_dir() and find(here) is not None
    if name is not None and not (_NAME.fullmatch(name) if project else name.isprintable()):
        raise click.UsageError(f"{name!r} is no name; write words and /, as billing/overdue")
    if project:
        _add(session, Project.find(here), name)
    else:
        _start(session, here / (name or ""))


def _add(session: Session, project: Project, name: str | None) -> None:
    _write(session, project.root / SCHEMA, schema_text(), fresh=True)
    if name is None:
        session.say(f"{display(project.config.file)} is there already; name a message to add one")
        return
    if (project.messages / name / "message.toml").exists():
        raise ConfigError(f"{display(project.messages / name)} is a message already")
    _add_message(session, project.root, project.messages, name)


def _start(session: Session, root: Path) -> None:
    starter = files("vero_deliver.starter")
    _write(session, root / FILE, (starter / "project.toml").read_text())
    _write(session, root / SCHEMA, schema_text(), fresh=True)
    _ignore(session, root / ".gitignore")
    _add_message(session, root, root / "messages", "welcome")
    here = root.absolute() == Path.cwd()
    session.say("\nNow try:" + ("" if here else f"\n  cd {display(root)}"))
    session.say("  vero-deliver preview welcome")
    session.say("  vero-deliver send welcome --to you@example.com --yes")


def _ignore(session: Session, path: Path) -> None:
    lines = path.read_text() if path.is_file() else ""
    missing = [name for name in IGNORED if name not in lines.split()]
    if missing:
        with path.open("a") as file:
            file.write("" if lines.endswith("\n") or not lines else "\n")
            file.writelines(f"{name}\n" for name in missing)
        session.say(f"wrote {display(path)}")


def _add_message(session: Session, root: Path, messages: Path, name: str) -> None:
    folder = messages / name
    schema = Path(os.path.relpath(root / SCHEMA, folder)).as_posix()
    title = name.rpartition("/")[2].replace("-", " ").replace("_", " ").capitalize()
    for source, path in _tree(files("vero_deliver.starter") / "message", folder):
        text = source.read_text().replace("@SCHEMA@", schema).replace("@TITLE@", title)
        _write(session, path, text)


def _tree(folder: Traversable, target: Path) -> Iterator[tuple[Traversable, Path]]:
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.is_dir():
            yield from _tree(entry, target / entry.name)
        elif not entry.name.startswith("__"):
            yield entry, target / entry.name


def _write(session: Session, path: Path, text: str, *, fresh: bool = False) -> None:
    """Write a file that is not there yet; a `fresh` one is renewed."""
    if path.exists() and not fresh:
        session.say(f"kept  {display(path)}")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    session.say(f"wrote {display(path)}")
