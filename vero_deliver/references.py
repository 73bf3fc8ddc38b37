"""Secrets by reference: { env = "NAME" }, { file = "path" } or { cmd = "command" }."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

from vero_deliver.errors import ConfigError
from vero_deliver.plain import nearest
from vero_deliver.secret import Secret

KINDS = frozenset({"env", "file", "cmd"})
WRITE = 'write { env = "NAME" }, { file = "path" } or { cmd = "command" }'
_TIMEOUT = 30.0  # seconds that a command may take
_SHELL = re.compile(r"[|$;>&]")
_IN_SHELL = re.compile(r"\S*sh\s+-\w*c\b")
_NO_SHELL = "; there is no shell: pipes and $VARS do not work; wrap them in sh -c '...'"


def is_reference(value: Any) -> bool:
    """True for a table with just one of env, file and cmd."""
    return isinstance(value, dict) and len(value) == 1 and set(value) <= KINDS


def check_reference(table: dict[str, Any]) -> str:
    """What is wrong with a table that should be a reference; empty where nothing is."""
    if not is_reference(table):
        unknown = next((key for key in table if key not in KINDS), "")
        hint = nearest(unknown, KINDS) if unknown else ""
        what = f"unknown key {unknown!r}" if unknown else "a reference has just one key"
        return f"{what}{hint}; {WRITE}"
    [(kind, target)] = table.items()
    return "" if isinstance(target, str) else f"{kind} takes a string; {WRITE}"


def resolve(reference: dict[str, str], root: Path, place: str) -> Secret:
    """The secret that a reference names. Raises ConfigError that shows no part of it.

    A file is relative to `root`, a command runs there without a shell; a byte order mark
    and a final line end are cut.
    """
    [(kind, target)] = reference.items()
    origin = f"{kind} {target}"
    if kind == "env":
        value = os.environ.get(target)
        if value is None:
            raise ConfigError(f"{place}: the environment variable {target} is not set")
    elif kind == "file":
        value = _file(root / target, place)
    else:
        value = _command(target, root, place)
    value = value.removeprefix("\ufeff").removesuffix("\n").removesuffix("\r")
    if not value:
        raise ConfigError(f"{place}: {origin} is empty")
    return Secret(value, origin)


def _file(path: Path, place: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{place}: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{place}: {path} is not text") from None


def _command(command: str, root: Path, place: str) -> str:
    hint = _NO_SHELL if _SHELL.search(command) and not _IN_SHELL.match(command) else ""
    try:
        done = subprocess.run(  # noqa: S603  # the project's owner wrote it
            shlex.split(command), cwd=root, capture_output=True, timeout=_TIMEOUT, check=True
        )
        return done.stdout.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{place}: what the command prints is not text in UTF-8") from None
    except subprocess.CalledProcessError as error:
        raise ConfigError(f"{place}: the command ended with {error.returncode}{hint}") from None
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{place}: the command took more than {_TIMEOUT:.0f} s") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be run"
        raise ConfigError(f"{place}: the command failed: {reason}{hint}") from None
