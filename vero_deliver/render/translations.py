"""Gettext catalogs straight from .po files: nothing to compile, nothing to forget."""

from __future__ import annotations

import os
import re
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from vero_deliver.errors import MessageError, RenderError
from vero_deliver.plain import quoted

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,4}")  # a name, never a path
_BOM = b"\xef\xbb\xbf"  # Notepad's
_NONE = NullTranslations()
_UNCLOSED = re.compile(rb'\s*(?:msg\w+(?:\[\d+\])?\s*)?"(?!.*"\s*$)')


def load(folder: Path | None, language: str) -> NullTranslations:
    """The catalog of a language: <folder>/<language>/LC_MESSAGES/messages.po, else .mo.

    What "pt-BR" lacks comes from "pt"; what nobody has stays as written. Read again when a file
    changes. Raises MessageError with file and line for a broken catalog.
    """
    if folder is None:
        return _NONE
    return _chain(tuple(_stamped(folder, language)))


_Name = tuple[Path, str, str]  # a catalog's path, the same as text, its language


def _stamped(folder: Path, language: str) -> Iterator[tuple[Path, str, int]]:
    """The catalogs that exist, most specific first, each with its time of change."""
    for either in _candidates(folder, language):
        for path, text, name in either:
            with suppress(OSError, ValueError):
                found = os.stat(text)  # noqa: PTH116  # once a user: a Path is slow
                if stat.S_ISREG(found.st_mode):
                    yield path, name, found.st_mtime_ns
                    break


@lru_cache(maxsize=1024)
def _candidates(folder: Path, language: str) -> tuple[tuple[_Name, _Name], ...]:
    """The .po and the .mo of every name that the language's catalog may be under."""
    if not _LANGUAGE.fullmatch(language):
        return ()
    parts = language.replace("-", "_").split("_")
    lengths = range(len(parts), 0, -1)
    names = [s.join(parts[:n]) for n in lengths for s in (("_", "-") if n > 1 else ("",))]
    return tuple((_name(folder, name, ".po"), _name(folder, name, ".mo")) for name in names)


def _name(folder: Path, name: str, suffix: str) -> _Name:
    path = folder / name / "LC_MESSAGES" / f"messages{suffix}"
    return path, str(path), name


@lru_cache(maxsize=256)
def _chain(stamped: tuple[tuple[Path, str, int], ...]) -> NullTranslations:
    if not stamped:
        return _NONE
    (path, language, _), *parents = stamped
    catalog = _from_po(path, language) if path.suffix == ".po" else _from_mo(path)
    if parents:
        catalog.add_fallback(_chain(tuple(parents)))
    return catalog


class _Lines:
    """A file's lines, and the number of the one read last."""

    def __init__(self, path: Path) -> None:
        self._lines = path.read_bytes().removeprefix(_BOM).splitlines(keepends=True)
        self.number = 0

    def __iter__(self) -> Iterator[bytes]:
        for number, line in enumerate(self._lines, 1):
            self.number = number
            if _UNCLOSED.match(line):  # Babel would cut its last letter off and say nothing
                raise ValueError('a closing " is missing')
            yield line


def _from_po(path: Path, language: str) -> Catalog:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import PoFileError, read_po

    lines = _Lines(path)
    try:
        catalog = read_po(lines, locale=language.replace("-", "_"), abort_invalid=True)
    except PoFileError as error:
        reason = str(error).rpartition(" on ")[0] or str(error)
        raise MessageError(reason, where=f"{path}:{error.lineno + 1}") from None
    except (ValueError, LookupError) as error:  # bytes that are not its charset, a bad header
        detail = f"not a gettext catalog: {error}"
        raise MessageError(detail, where=f"{path}:{lines.number}") from None
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    parsed = _parsed(compiled, path)
    for message in catalog:
        text = message.id if isinstance(message.id, str) else message.id[0]
        if text and message.string and not message.fuzzy:
            parsed.places.setdefault(text, f"{path}:{message.lineno}")
    return parsed


def _from_mo(path: Path) -> Catalog:
    return _parsed(BytesIO(path.read_bytes()), path)


class Catalog(GNUTranslations):
    """A catalog that knows where it was written. places: text to the file and line it is at."""

    def __init__(self, compiled: BytesIO) -> None:
        self.places: dict[str, str] = {}
        super().__init__(compiled)


def broken(error: Exception, catalog: object, text: object) -> RenderError:
    """What is wrong with the translation of a text whose values could not be put in."""
    why = f"there is no value {quoted(str(error.args[0]))}" if isinstance(error, KeyError) else ""
    detail = why or f"{error}; a percent sign is written %%"
    while isinstance(catalog, Catalog):
        if text in catalog.places:
            words = f"the translation of {quoted(str(text))}: {detail}"
            return RenderError(words, where=catalog.places[str(text)])
        catalog = catalog._fallback  # type: ignore[attr-defined]  # noqa: SLF001  # no other way
    return RenderError(f"the text {quoted(str(text))}: {detail}")


def _parsed(compiled: BytesIO, path: Path) -> Catalog:
    try:
        return Catalog(compiled)
    except (OSError, ValueError, LookupError, struct.error) as error:
        raise MessageError(f"not a gettext catalog: {error}", where=str(path)) from None
