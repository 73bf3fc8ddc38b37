"""Peers that run in node: a script of `peers/`, a JSON line in, a JSON line out."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PEERS = Path(__file__).parent / "peers"


class Unavailable(Exception):
    """A peer that cannot be measured here, and why; its row says so."""


@contextmanager
def peer(script: str, *packages: str) -> Iterator[Process]:
    """The running script; it ends with the block. Raises Unavailable."""
    node = shutil.which("node")
    if not node:
        raise Unavailable("there is no node")
    if not all((PEERS / "node_modules" / package).is_dir() for package in packages):
        raise Unavailable("not installed: run scripts/peers benchmarks/peers")
    with subprocess.Popen(
        [node, str(PEERS / script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        try:
            yield Process(process)
        finally:
            assert process.stdin
            process.stdin.close()


class Process:
    """A script that is running."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def tell(self, **value: Any) -> None:
        """Give it something."""
        assert self._process.stdin
        print(json.dumps(value), file=self._process.stdin, flush=True)

    def ask(self, **question: Any) -> Any:
        """Give it something and wait for the answer."""
        self.tell(**question)
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())
