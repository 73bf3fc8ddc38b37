"""Browsers for the tests, and what their pictures hold."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest

from vero_deliver.errors import ConfigError
from vero_deliver.picture.chromium import find_chromium


def chromium() -> str:
    """This machine's browser; the test is skipped where there is none."""
    try:
        return find_chromium()
    except ConfigError as error:
        pytest.skip(str(error))


def size(png: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def running(word: str) -> dict[int, str]:
    """The command lines of the processes that hold a word, by process id; no zombies."""
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if word in line:
            found[int(folder.name)] = line
    return found


def script(path: Path, text: str) -> str:
    """A program of a shell's lines."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def left(word: str) -> dict[int, str]:
    """Those that still run once there was time for what was killed to be gone."""
    found = running(word)
    for _ in range(500):
        if not found:
            break
        time.sleep(0.02)
        found = running(word)
    return found
