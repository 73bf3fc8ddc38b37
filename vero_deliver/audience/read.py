"""Read recipients from files and streams."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from vero_deliver.audience.json_rows import from_json, from_json_lines, is_whole
from vero_deliver.audience.recipient import Recipient
from vero_deliver.audience.table import from_csv
from vero_deliver.errors import ConfigError
from vero_deliver.loader import load_message
from vero_deliver.plain import ascii_safe
from vero_deliver.reading import ReadError, decode_text, display, read_text


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

    declared: the message's [data], for the CSV columns; read from the folder where left out.
    """
    found: list[Recipient] = []
    for file in sorted((folder / "samples").glob("*.json")):
        found += read_recipients(file)
    table = folder / "samples.csv"
    if table.is_file():
        declared = load_message(folder).data if declared is None else declared
        found += read_recipients(table, declared=declared)
    return found


def _read_file(path: Path, declared: Mapping[str, Any]) -> Iterator[Recipient]:
    file = ascii_safe(display(path))
    kind = path.suffix.lower()
    if kind == ".json":
        yield from from_json(read_text(path, file), file, path.stem)
        return
    if kind not in (".csv", ".jsonl", ".ndjson"):
        raise ReadError("recipients come from a .json, .jsonl or .csv file", file)
    try:
        with path.open("rb") as stream:
            if kind == ".csv":
                yield from from_csv(stream, file, declared)
            else:
                yield from from_json_lines(stream, file)
    except OSError as wrong:
        raise ReadError(f"cannot be read: {wrong.strerror}", file) from None


def _read_stream(stream: BinaryIO, declared: Mapping[str, Any]) -> Iterator[Recipient]:
    file = "standard input"
    opening: list[bytes] = []
    for line in stream:
        opening.append(line)
        if line.strip():
            break
    first = opening[-1].lstrip() if opening else b""
    lines = itertools.chain(opening, stream)
    if first.startswith(b"{") and is_whole(first):
        yield from from_json_lines(lines, file)
    elif first.startswith((b"{", b"[")):
        yield from from_json(decode_text(b"".join(lines), file), file, "")
    else:
        yield from from_csv(lines, file, declared)
