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
from vero_deliver.errors import ConfigError, MessageError
from vero_deliver.message import Message
from vero_deliver.project import Project
from vero_deliver.reading import display
from vero_deliver.schema import schema_text
from vero_deliver.schema.sample import sample_schema_text
from vero_deliver.schema.typed_dicts import MARK, typed_dicts

SCHEMA = Path(".vero/schema/message.schema.json")
SAMPLES = Path(".vero/schema/samples")
IGNORED = ("captured/", "outbox.db*")  # they hold personal data
_NAME = re.compile(r"[A-Za-z0-9][\w-]*(/[A-Za-z0-9][\w-]*)*")


@click.command("init")
@click.argument("name", required=False)
@click.option(
    "--types",
    metavar="FILE",
    help="Write the data that each message needs as TypedDicts into a .py file, or renew it.",
)
@click.pass_obj
def command(session: Session, name: str | None, types: str | None) -> None:
    """Start a project, or add a message to one.

    \b
      vero-deliver init                  a project here, with one message
      vero-deliver init shop             the same in a new folder
      vero-deliver init billing/overdue  inside a project: one more message
      vero-deliver init --types mail.py  inside a project: types for your code

    Files that are there already stay as they are; schemas for editors are renewed.
    """
    here = Path(session.project or ".")
    project = here.is_dir() and find(here) is not None
    if types is not None:
        if name is not None:
            raise click.UsageError(f"--types is about all messages: leave out {name!r}")
        _write_types(session, session.loaded, Path(types))
        return
    if name is not None and not (_NAME.fullmatch(name) if project else name.isprintable()):
        raise click.UsageError(f"{name!r} is no name; write words and /, as billing/overdue")
    if project:
        _add(session, Project.find(here), name)
    else:
        _start(session, here / (name or ""))


def _add(session: Session, project: Project, name: str | None) -> None:
    _write(session, project.root / SCHEMA, schema_text(), fresh=True)
    if name is None:
        for message in _messages(session, project):
            _write_sample_schema(session, project, message)
        session.say(f"{display(project.config.file)} is there already; name a message to add one")
        return
    if (project.messages / name / "message.toml").exists():
        raise ConfigError(f"{display(project.messages / name)} is a message already")
    _add_message(session, project.root, project.messages, name)
    _write_sample_schema(session, project, project.message(name))


def _messages(session: Session, project: Project) -> Iterator[Message]:
    """Every message that can be read; why another cannot is said."""
    for name in project.message_ids():
        try:
            yield project.message(name)
        except MessageError as error:
            session.say(f"{name} is left out: {error}")


def _write_sample_schema(session: Session, project: Project, message: Message) -> None:
    path = project.root / SAMPLES / f"{message.id}.schema.json"
    _write(session, path, sample_schema_text(message), fresh=True)


def _write_types(session: Session, project: Project, path: Path) -> None:
    if path.suffix != ".py":
        raise click.UsageError(f"--types {path}: write the name of a .py file")
    if path.exists() and not path.read_text(encoding="utf-8").startswith(MARK):
        raise ConfigError(f"{display(path)} was not written by --types, and is left as it is")
    messages = list(map(project.message, project.message_ids()))
    _write(session, path, typed_dicts(messages), fresh=True)


def _start(session: Session, root: Path) -> None:
    starter = files("vero_deliver.starter")
    _write(session, root / FILE, (starter / "project.toml").read_text())
    _write(session, root / SCHEMA, schema_text(), fresh=True)
    _ignore(session, root / ".gitignore")
    _add_message(session, root, root / "messages", "welcome")
    project = Project.find(root)
    _write_sample_schema(session, project, project.message("welcome"))
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
    of_samples = root / SAMPLES / f"{name}.schema.json"
    samples = Path(os.path.relpath(of_samples, folder / "samples")).as_posix()
    title = name.rpartition("/")[2].replace("-", " ").replace("_", " ").capitalize()
    for source, path in _tree(files("vero_deliver.starter") / "message", folder):
        text = source.read_text().replace("@SCHEMA@", schema).replace("@TITLE@", title)
        text = text.replace("@SAMPLES@", samples)
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
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    session.say(f"wrote {display(path)}")
