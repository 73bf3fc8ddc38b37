"""What is wrong, with the author's lines around it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vero_deliver.errors import VeroDeliverError

_PLACE: Final = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d{1,7})(?::\d+)?(?:: |$)")
_AROUND: Final = 3  # lines before and after
_LARGEST: Final = 1_000_000  # bytes of a file that is quoted


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the author's file; here: where the error is."""

    number: int
    text: str
    here: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error for people. place: "messages/x/email.mjml:12"; empty where it has none."""

    title: str
    detail: str
    place: str = ""
    who: str = ""
    lines: tuple[Line, ...] = ()


def trouble_of(error: VeroDeliverError, folders: Iterable[Path], title: str = "") -> Trouble:
    """The error, with an excerpt where it names a file below one of the folders."""
    place: str = getattr(error, "where", "")
    detail: str = getattr(error, "detail", "") or str(error)
    found = _PLACE.match(f"{place}" if place else detail)
    if found and not place:
        place, detail = f"{found['file']}:{found['line']}", detail[found.end() :]
    lines = excerpt(found["file"], int(found["line"]), folders) if found else ()
    return Trouble(title or "This cannot be made", detail, place, getattr(error, "who", ""), lines)


def excerpt(file: str, number: int, folders: Iterable[Path]) -> tuple[Line, ...]:
    """The lines around one of a file; none where it is outside the folders, or gone.

    It may be named as below one of the folders, beside it, or from the working directory.
    """
    inside = [folder.resolve() for folder in folders]
    bases = [*inside, *(folder.parent for folder in inside), Path.cwd()]
    for path in dict.fromkeys((base / file).resolve() for base in bases):
        if not any(path.is_relative_to(folder) for folder in inside):
            continue
        try:
            if path.stat().st_size > _LARGEST:
                continue
            written = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        except OSError:
            continue
        first = max(number - _AROUND, 1)
        return tuple(
            Line(first + index, text[:400], first + index == number)
            for index, text in enumerate(written[first - 1 : number + _AROUND])
        )
    return ()
