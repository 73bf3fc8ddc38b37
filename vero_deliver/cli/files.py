"""Where a command's pages go: stdout, a file, or a folder of files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from vero_deliver.cli.session import Session


def file_name(label: str) -> str:
    """A name that every file system takes, made of a label."""
    name = "".join(c if c.isalnum() or c in "-_@." else "_" for c in label[:80])
    # 255 octets is what a file's name may have
    return name.encode()[:200].decode(errors="ignore") or "user"


def write(session: Session, pages: list[tuple[str, bytes]], out: str) -> None:
    """Write named pages to stdout (`-`), to one file, or each to its own in a folder."""
    if out == "-":
        if len(pages) > 1 and pages[0][0].endswith(".png"):
            raise click.UsageError(f"{len(pages)} pictures do not fit one stream: write -o out/")
        for _, page in pages:
            sys.stdout.buffer.write(page)
        return
    path = Path(out)
    if not (out.endswith("/") or path.is_dir()):
        if len(pages) > 1:
            raise click.UsageError(f"{len(pages)} files do not fit one: write -o {out}/")
        path.write_bytes(pages[0][1] if pages else b"")
        return
    path.mkdir(parents=True, exist_ok=True)
    for name, page in _distinct(pages):
        (path / name).write_bytes(page)
        session.say(f"{path / name}")


def _distinct(pages: list[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """Two users with one name get two files."""
    seen: dict[str, int] = {}
    for name, page in pages:
        seen[name] = seen.get(name, 0) + 1
        stem, _, rest = name.partition(".")
        yield (name if seen[name] == 1 else f"{stem}-{seen[name]}.{rest}"), page
