"""The studio as its command starts it, and a browser to look at it with."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
AXE = ROOT / "tests/peers/node_modules/axe-core/axe.min.js"
NOON = "2026-11-25T12:00:00+00:00"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Studio:
    """A running studio. project: the folder that it shows. opened: the path that it printed."""

    address: str
    opened: str
    project: Path
    process: subprocess.Popen[str]

    def url(self, path: str = "/", **query: str) -> str:
        return f"{self.address}{path}?{urlencode({'now': NOON, **query})}"

    def vero(self, *arguments: str, check: bool = True) -> bytes:
        """What a command of this project prints; in a process of its own, as Playwright's loop
        runs in this one."""
        command = [sys.executable, "-m", "vero_deliver.cli", "-C", str(self.project), *arguments]
        return subprocess.run(command, check=check, capture_output=True).stdout

    def save(self, file: str, text: str) -> None:
        """Write as editors do: beside, then in place."""
        path = self.project / file
        beside = path.with_name(f"{path.name}~")
        beside.write_text(text, "utf-8")
        beside.replace(path)

    def change(self, file: str, old: str, new: str) -> str:
        """Replace some text of a file; gives what it was."""
        written = (self.project / file).read_text("utf-8")
        assert old in written, old
        self.save(file, written.replace(old, new))
        return written


def copied(folder: Path) -> Path:
    """The examples, to be changed."""
    return Path(shutil.copytree(EXAMPLES, folder / "shop"))


@contextmanager
def studio(project: Path, *arguments: str, env: str = "dev") -> Iterator[Studio]:
    """`vero-deliver preview` in that project, on a free port."""
    command = [sys.executable, "-m", "vero_deliver.cli", "-C", str(project), "--env", env]
    with subprocess.Popen(
        [*command, "preview", "--no-open", "--port", "0", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.search(r"(http://127\.0\.0\.1:\d+)(\S*)", said)
        assert found, said + process.stderr.read()
        try:
            yield Studio(found[1], found[2], project, process)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                ended = process.wait(60)
            finally:
                process.kill()
            assert ended == 0, process.stderr.read()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium of this machine; the test is skipped where there is none.

    For fixtures of one module: Playwright's loop must not outlive it, other tests have their own.
    """
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.skip("there is no Chromium on PATH")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@contextmanager
def page_of(
    browser: Browser, *, width: int = 1440, height: int = 900, dark: bool = False
) -> Iterator[Page]:
    """A new window. Errors of its scripts fail the test.

    Colours are emulated for dark only: what Playwright emulates by default would decide in frames
    too, where the studio decides.
    """
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "null",
    )
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, errors


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A server that notes every path it is asked for: its address and the notes."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"you came")

        def do_POST(self) -> None:
            self.do_GET()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            del code, size

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
