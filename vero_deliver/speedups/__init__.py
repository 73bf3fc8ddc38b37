"""The short ways of rendering and signing in C, where they could be compiled.

Each stands for Python code that does the same, byte for byte, and goes on doing it where there was
no compiler, or where the environment variable VERO_DELIVER_SPEEDUPS is "off".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Protocol, cast


class Program(Protocol):
    """A template in a form that C runs, for render.templates."""

    def run(
        self,
        given: dict[str, Any],
        writers: tuple[Callable[[object], str] | None, ...],
        pieces: list[str],
        most: int,
        /,
    ) -> bool | None:
        """Append to the pieces what the template prints; whether every value among it is clean.

        None, and no pieces, where the template's own code has to run: for values, look-ups and
        errors that are out of the ordinary, and where it prints more than `most` characters.
        writers: of money, one for each of render.program.Program.currencies; "" is no answer.
        """
        ...

    def value(
        self, given: dict[str, Any], writers: tuple[Callable[[object], str] | None, ...], /
    ) -> Any:
        """What the first name that the template sets gets; NotImplemented where run gives None."""
        ...


class Speedups(Protocol):
    """What the C of this folder has."""

    def Program(  # noqa: N802  # a class
        self,
        tree: tuple[Any, ...],
        getattr: Callable[[Any, Any], Any],  # noqa: A002  # Jinja's name
        getitem: Callable[[Any, Any], Any],
        missing: Callable[[str], Any],
        text: Callable[[Any], str],
        plain: tuple[type, ...],
        escapes: bool,
        /,
    ) -> Program:
        """A program from its tree, see render.program; ValueError where it cannot be run.

        getattr, getitem: look up what no dict or list holds. missing: a name that is not given.
        text: a value that is no text and no number, as it is printed.
        plain: types of values, beside text, numbers and what holds them, that nobody can tell a
        second reading of; a run that meets others gives up before it reads them.
        escapes: whether texts are escaped for HTML.
        """
        ...

    def collect(
        self, run: Iterator[tuple[str, ...]], pieces: list[str], most: int, /
    ) -> tuple[int, bool]:
        """Append to the pieces what a grouped run yields, until it prints more than `most`.

        How many characters it printed, and whether every value is clean. For render.templates.
        """
        ...

    def encode(
        self, pieces: list[str], known: dict[str, str], odd: Callable[[str], str], /
    ) -> tuple[bytes, bool]:
        """Quoted-printable of alternating pieces, and whether no value has a CR or lone surrogate.

        For mime.chunks.
        known: what constants are encoded as; KeyError for one that is not in it.
        odd: encodes values that do not fit on a line, or hold more than printable text.
        """
        ...

    def figures(
        self, decimals: int, group: str, point: str, prefix: str, suffix: str, /
    ) -> Callable[[object], str] | None:
        """What writes an int or a float, for render.filters.figures; "" where it cannot tell.

        decimals: 0 to 3, rounded half up. None where one of the texts is too long for it.
        """
        ...

    def modified(self, path: str, /) -> int | None:
        """Nanoseconds as st_mtime_ns of os.stat, 0 where there is no file; None on Windows."""
        ...

    def relaxed_fields(self, head: bytes, /) -> tuple[tuple[bytes, ...], list[bytes]] | None:
        """Names as they are written, and relaxed values, for mime.canonical.

        None where a line ends in anything but CRLF.
        """
        ...


def _compiled() -> Speedups | None:
    if os.environ.get("VERO_DELIVER_SPEEDUPS") == "off":
        return None
    try:
        return cast(Speedups, import_module("vero_deliver.speedups._speedups"))
    except ImportError:
        return None


compiled = _compiled()
