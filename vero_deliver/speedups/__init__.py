"""The short ways of rendering and signing in C, where they could be compiled.

Each stands for Python code that does the same, byte for byte, and goes on doing it where there was
no compiler, or where the environment variable VERO_DELIVER_SPEEDUPS is "off".
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Protocol, cast


class Speedups(Protocol):
    """What _speedups.c has."""

    def collect(
        self, run: Iterator[tuple[str, ...]], pieces: list[str], most: int, /
    ) -> tuple[int, bool]:
        """Append to the pieces what a grouped run yields, until it prints more than `most`.

        How many characters it printed, and whether every value is clean. For render.templates.
        """
        ...

    def encode(
        self, pieces: list[str], known: dict[str, str], odd: Callable[[str], str], /
    ) -> bytes:
        """Quoted-printable of alternating pieces, for mime.chunks.

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
