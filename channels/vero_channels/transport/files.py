"""Files that stand for sent messages: named by key, whole or not there, for their owner only."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import string
import tempfile
from collections.abc import Mapping
from pathlib import Path

from vero_deliver.errors import Misconfigured

# Lower case only, so that "A" and "a" stay two files on a file system that ignores case; no dot,
# so that a key never looks like another key with an extension.
_PLAIN = frozenset((string.ascii_lowercase + string.digits + "-_").encode())
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in "123456789")}
)
_MAX_STEM = 120  # characters


def stem(key: str) -> str:
    """The key as a file name without extension: ASCII, at most 120 characters, one per key."""
    octets = key.encode("utf-8", "surrogatepass")
    name = "".join(chr(octet) if octet in _PLAIN else f"%{octet:02x}" for octet in octets)
    if name in _DEVICES:  # Windows opens the console for con.eml
        name = f"%{ord(name[0]):02x}{name[1:]}"
    if len(name) > _MAX_STEM:
        name = f"{name[:80]}~{hashlib.sha256(octets).hexdigest()[:32]}"
    return name or "%"


class Folder:
    """What channels that write files have in common: a folder, a name, nothing to close."""

    def __init__(self, folder: str | Path, name: str) -> None:
        self._folder = Path(folder)
        self._name = name

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._folder)!r}, name={self._name!r})"

    @property
    def name(self) -> str:
        """The configured name."""
        return self._name

    @property
    def idempotent(self) -> bool:
        """True: a key names one file."""
        return True

    async def aclose(self) -> None:
        """Nothing is kept open."""


async def store(folder: Path, files: Mapping[str, bytes], *, channel: str) -> None:
    """Write files by name, in order, each whole or not at all. Raises Misconfigured.

    The folder is made with mode 0700 where it is missing; a file of that name is replaced.
    """
    try:
        await asyncio.to_thread(_store, folder, files)
    except OSError as error:
        code = errno.errorcode.get(error.errno or 0, "")
        detail = f"cannot write to {error.filename or folder}: {error.strerror or error}"
        raise Misconfigured(detail, channel=channel, code=code) from error


def _store(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, data in files.items():
        _replace(folder / name, data)
    _sync_folder(folder)


def _replace(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Make the new names durable; Windows cannot open a folder and needs no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
