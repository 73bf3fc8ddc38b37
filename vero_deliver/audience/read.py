"""Read recipients from files and streams."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from vero_deliver.audience.json_rows import from_json, from_json_lines, is_whole
from vero_deliver.audience.recipient import Recipient
from vero_deliver.audience.table import from_csv
from vero_deliver.errors import ConfigError
from vero_deliver.loader import load_message
from vero_deliver.plain import ascii_safe
from vero_deliver.reading import ReadError, decode_text, display, read_bytes

_OPENING: Final = 512  # bytes that tell what a file is
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_WORKBOOKS: Final = (".xlsx", ".xlsm", ".xls")
_WORKBOOK: Final = "is an Excel workbook; save it as CSV UTF-8"
_BINARY: Final = (
    (b"PK\x03\x04", _WORKBOOK),
    (b"\xd0\xcf\x11\xe0", _WORKBOOK),
    (b"\x1f\x8b", "is compressed (gzip); unpack it first"),
)


def read_recipients(
    source: Path | str | BinaryIO, *, declared: Mapping[str, Any] | None = None
) -> Iterator[Recipient]:
    """The recipients in a .json, .jsonl or .csv file, or in a stream ("-" is standard input).

    CSV and JSON lines are read as they are asked for; a stream's first character tells its
    kind. declared: the message's [data]. Raises ConfigError with file and line.
    """
    try:
        if isinstance(source, str | Path) and str(source) != "-":
            yield from _read_file(Path(source), declared or {})
        else:
            stream = sys.stdin.buffer if isinstance(source, str | Path) else source
            yield from _read_stream(stream, declared or {})
    except ReadError as wrong:
        raise ConfigError(str(wrong)) from None


def samples(folder: Path, *, declared: Mapping[str, Any] | None = None) -> list[Recipient]:
    """The sample users of a message's folder: samples/*.json by name, and samples.csv.

    declared: the message's [data]; read from the folder where left out.
    """
    files = sorted((folder / "samples").glob("*.json"))
    table = folder / "samples.csv"
    files += [table] if table.is_file() else []
    if files and declared is None:
        declared = load_message(folder).data
    return [found for file in files for found in read_recipients(file, declared=declared)]


def _read_file(path: Path, declared: Mapping[str, Any]) -> Iterator[Recipient]:
    file = ascii_safe(display(path))
    kind = path.suffix.lower()
    if kind == ".json":
        raw = read_bytes(path, file)
        _refuse_binary(raw[:_OPENING], file)
        yield from from_json(decode_text(raw, file), file, path.stem, declared)
        return
    if kind in _WORKBOOKS:
        raise ReadError(_WORKBOOK, file)
    if kind not in (".csv", ".jsonl", ".ndjson"):
        raise ReadError("recipients come from a .json, .jsonl or .csv file", file)
    try:
        with path.open("rb") as stream:
            _refuse_binary(stream.peek(_OPENING)[:_OPENING], file)
            if kind == ".csv":
                yield from from_csv(stream, file, declared)
            else:
                yield from from_json_lines(stream, file, declared)
    except OSError as wrong:
        raise ReadError(f"cannot be read: {wrong.strerror}", file) from None


def _read_stream(stream: BinaryIO, declared: Mapping[str, Any]) -> Iterator[Recipient]:
    file = "standard input"
    opening: list[bytes] = []
    for line in stream:
        opening.append(line)
        if line.strip():
            break
    _refuse_binary(b"".join(opening)[:_OPENING], file)
    first = opening[-1].lstrip() if opening else b""
    lines = itertools.chain(opening, stream)
    if first.startswith(b"{") and is_whole(first):
        yield from from_json_lines(lines, file, declared)
    elif first.startswith((b"{", b"[")):
        yield from from_json(decode_text(b"".join(lines), file), file, "", declared)
    else:
        yield from from_csv(lines, file, declared)


def _refuse_binary(opening: bytes, file: str) -> None:
    """What a spreadsheet saves is often no text, whatever the file is called."""
    for magic, detail in _BINARY:
        if opening.startswith(magic):
            raise ReadError(detail, file)
    if b"\0" in opening and not opening.startswith(_UTF16):
        raise ReadError("is no text file; recipients are JSON, JSON lines or CSV, in UTF-8", file)
