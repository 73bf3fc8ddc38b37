"""The command line as a user runs it: a process of its own, in a project of its own."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


@dataclass(frozen=True, slots=True)
class Done:
    """What a process left."""

    code: int
    out: bytes
    err: str

    @property
    def json(self) -> Any:
        """stdout as JSON."""
        return json.loads(self.out)


async def vero(*arguments: str, env: Mapping[str, str] | None = None, stdin: bytes = b"") -> Done:
    """Run vero-deliver with these arguments."""
    done = await anyio.run_process(
        [sys.executable, "-m", "vero_deliver.cli", *arguments],
        check=False,
        input=stdin,
        env={**os.environ, "COLUMNS": "100", **(env or {})},
    )
    return Done(done.returncode, done.stdout, done.stderr.decode())


def project(folder: Path, channel: str) -> Path:
    """A copy of the examples whose environment `test` sends email through this channel table."""
    root = folder / "project"
    shutil.copytree(EXAMPLES, root, ignore=shutil.ignore_patterns("captured"))
    with (root / "vero-deliver.toml").open("a") as file:
        file.write(f'\n[channels.relay]\ndriver = "smtp"\n{channel}\n[env.test]\nemail = "relay"\n')
    return root


def every_sample() -> list[tuple[str, Path]]:
    """Message id and sample file, of every example."""
    messages = EXAMPLES / "messages"
    return [
        (path.parents[1].relative_to(messages).as_posix(), path)
        for path in sorted(messages.rglob("samples/*.json"))
    ]
