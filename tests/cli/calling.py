"""The command line called in this process, and at a terminal of its own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner, Result

from vero_deliver.cli import cli


def run(*arguments: str, stdin: str | None = None) -> Result:
    """A command in this process."""
    return CliRunner().invoke(cli, arguments, input=stdin, prog_name="vero-deliver")


def fresh(folder: Path) -> Path:
    """A project in that folder, as `init` makes it."""
    root = folder / "shop"
    assert run("-C", str(root), "init").exit_code == 0
    return root


def at_terminal(*arguments: str, typed: bytes) -> tuple[int, str]:
    """The exit code and stderr of a process whose standard input is a terminal."""
    ours, its = pty.openpty()
    try:
        os.write(ours, typed)
        done = subprocess.run(
            [sys.executable, "-m", "vero_deliver.cli", *arguments],
            stdin=its,
            capture_output=True,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(its)
    return done.returncode, done.stderr.decode()
