"""Files that people write: UTF-8 text, TOML and JSON, with errors that name file and line."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, NoReturn

from vero_deliver.json_lines import repeated_key
from vero_deliver.plain import dotted

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


class ReadError(ValueError):
    """A file cannot be read. The caller turns it into the error of its own kind of file."""

    def __init__(self, detail: str, file: str, line: int | None = None) -> None:
        self.detail = detail
        self.where = f"{file}:{line}" if line else file
        super().__init__(f"{self.where}: {detail}")


def display(path: Path) -> str:
    """The path as people would type it: below the working directory where it is."""
    whole = path.absolute()
    here = Path.cwd()
    return (whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix()


def read_text(path: Path, file: str) -> str:
    """The file's text, line ends as they are, a byte order mark dropped."""
    return decode_text(read_bytes(path, file), file)


def read_bytes(path: Path, file: str) -> bytes:
    """The file's bytes."""
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise ReadError(f"cannot be read: {wrong.strerror or wrong}", file) from None


def decode_text(raw: bytes, file: str, line: int = 1) -> str:
    """UTF-8 bytes as text; `line` is the line of the file that the bytes start on."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        at = line + raw.count(b"\n", 0, wrong.start)
        what = "UTF-16" if raw.startswith(_UTF16) else f"byte {wrong.start} is not"
        detail = f"not UTF-8 ({what}); save the file as UTF-8"
        raise ReadError(detail, file, at) from None


def parse_toml(text: str, file: str) -> dict[str, Any]:
    """A TOML document as plain values."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", str(wrong))
        detail = str(wrong)[: found.start()] if found else str(wrong)
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        raise ReadError(f"not valid TOML: {detail}", file, line) from None
    except RecursionError:
        raise ReadError("nested too deeply", file) from None
    except ValueError as wrong:  # an integer of more than 4300 digits
        raise ReadError(f"not valid TOML: {wrong}", file) from None


def parse_json(text: str, file: str, line: int = 1) -> Any:
    """A JSON value; keys said twice, NaN and Infinity are refused."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as wrong:
        raise ReadError(f"not valid JSON: {wrong.msg}", file, line + wrong.lineno - 1) from None
    except RecursionError:
        raise ReadError("nested too deeply", file, line) from None
    except _RepeatedKeyError:
        path, at = repeated_key(text) or ((), 1)
        raise ReadError(f"the key {dotted(path)} is there twice", file, line + at - 1) from None
    except ValueError as wrong:
        raise ReadError(f"not valid JSON: {wrong}", file, line) from None


class _RepeatedKeyError(Exception):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _RepeatedKeyError
    return members


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
