"""The example of FastAPI, run by uvicorn and asked over HTTP; its dependency is replaceable."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

pytest.importorskip("fastapi")

EXAMPLES = Path(__file__).parents[2] / "examples"
SHIPMENT = {
    "email": "ada@example.org", "order": "1001", "carrier": "DPD", "tracking": "T1",
    "due": "2026-12-24",
}  # fmt: skip


def test_it_sends(tmp_path: Path) -> None:
    """A request is answered with the delivery's state; a wrong one before anything is sent."""
    folder = tmp_path / "examples"
    shutil.copytree(EXAMPLES, folder, ignore=shutil.ignore_patterns("captured", "outbox.db*"))
    command = [sys.executable, "-m", "uvicorn", "fastapi_app:app", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        try:
            for line in process.stderr:
                if found := re.search(r"running on (http://\S+)", line):
                    break
            else:
                pytest.fail("it never ran")
            told = httpx.post(f"{found[1]}/shipments", json=SHIPMENT)
            wrong = httpx.post(f"{found[1]}/shipments", json={**SHIPMENT, "due": "soon"})
        finally:
            process.terminate()
    assert told.json() == {"key": "order-1001-shipped-email", "state": "accepted"}
    assert wrong.status_code == 422
    assert len(list((folder / "captured").glob("*.eml"))) == 1
