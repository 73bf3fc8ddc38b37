"""Mail as it lies about: a file, a folder of files, a Maildir, or what is piped in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_MAILDIR = ("new", "cur", "tmp")


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail. name: its path, or - for stdin. done: call it once the mail has been dealt with."""

    name: str
    raw: bytes
    done: Callable[[], None]


def mails(paths: Iterable[Path]) -> Iterator[Mail]:
    """All mails there, folders in the order of their names. Raises OSError.

    Of a Maildir those in new/, and done() moves each to cur/, seen: so none is read twice, and none
    is lost where the program ends in between. Others stay where they are.
    """
    for path in paths:
        if str(path) == "-":
            yield Mail("-", sys.stdin.buffer.read(), _nothing)
        elif not path.is_dir():
            yield Mail(str(path), path.read_bytes(), _nothing)
        elif all((path / name).is_dir() for name in _MAILDIR):
            for one in _files(path / "new"):
                yield Mail(str(one), one.read_bytes(), _seen(one, path / "cur"))
        else:
            for one in _files(path):
                yield Mail(str(one), one.read_bytes(), _nothing)


def _files(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_file() and one.name[0] != ".")


def _seen(mail: Path, folder: Path) -> Callable[[], None]:
    def done() -> None:
        mail.replace(folder / f"{mail.name}:2,S")

    return done


def _nothing() -> None:
    pass
