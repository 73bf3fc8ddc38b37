"""push_guide/web: it type-checks, and in Chromium it shows, reports and opens."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from push_golden import GUIDE, PAYLOADS, SECRET

from vero_deliver.push_reports import read_token
from vero_deliver.testing import NOON

HERE = Path(__file__).parent
PEERS = HERE.parent / "push_peers"
pytestmark = pytest.mark.timeout(300)
TSC = PEERS / "node_modules/typescript/bin/tsc"
TOOLS = ("node", "chromium", "xvfb-run", "dbus-run-session")
OPTIONS = ("--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022")
LIBRARIES = {"service-worker.js": "es2022,webworker", "push.js": "es2022,dom,dom.iterable"}


def type_check(file: Path, libraries: str) -> str:
    """What the TypeScript compiler has to say; nothing where all is well."""
    node = shutil.which("node")
    if not node or not TSC.exists():
        pytest.skip("no TypeScript: scripts/peers tests/push_peers")
    command = [node, str(TSC), *OPTIONS, "--module", "es2022", "--lib", libraries, str(file)]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


@pytest.mark.parametrize("name", LIBRARIES)
def test_it_type_checks(name: str, tmp_path: Path) -> None:
    """Every API of the browser that it touches is there, in strict mode."""
    assert not type_check(GUIDE / "web" / name, LIBRARIES[name])
    broken = tmp_path / name
    text = (GUIDE / "web" / name).read_text("utf-8")
    broken.write_text(text.replace("registration.", "registration.un"), "utf-8")
    assert "does not exist on type" in type_check(broken, LIBRARIES[name])


@dataclass
class Site:
    """A site with the service worker. reports: what was posted; the first post fails."""

    port: int = 0
    posts: list[list[dict[str, Any]]] = field(default_factory=list)

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            worker = self.path == "/service-worker.js"
            body = (GUIDE / "web/service-worker.js").read_bytes() if worker else b"<title>shop"
            self.send_response(200)
            self.send_header("content-type", "text/javascript" if worker else "text/html")
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            assert self.path == "/push/reports"
            site.posts.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(503 if len(site.posts) == 1 else 200)
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.port = server.server_port
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def visit(folder: Path) -> tuple[Any, Site]:
    """What Chromium does with the golden payloads, each clicked by a desktop."""
    out, sign = folder / "out.json", folder / "click"
    names = ("deep-link", "rich", "hostile")
    texts = [(PAYLOADS / f"{name}.web.json").read_text("utf-8") for name in names]
    with serving() as site:
        pushes = [
            {
                "data": text.replace("https://shop.example.com", site.origin),
                "opens": "track" in text,
            }
            for text in (*texts, "no JSON at all")
        ]
        given = {"chromium": shutil.which("chromium"), "origin": site.origin, "pushes": pushes}
        given |= {"out": str(out), "sign": str(sign)}
        desktop = [sys.executable, str(HERE / "desktop.py"), str(sign)]
        running = subprocess.Popen(
            ["dbus-run-session", "--", "xvfb-run", "-a", *desktop, "node", PEERS / "browser.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            said, _ = running.communicate(json.dumps(given), timeout=100)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)  # whatever it has left behind
    assert running.returncode == 0, said[-3000:]
    return json.loads(out.read_text("utf-8")), site


@pytest.fixture(scope="module")
def browsed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Site]:
    """One visit; another one where a busy machine made Chromium miss a push."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or not (PEERS / "node_modules/playwright-core").exists():
        pytest.skip(f"no {' '.join(missing) or 'playwright-core: scripts/peers tests/push_peers'}")
    try:
        return visit(tmp_path_factory.mktemp("browser"))
    except (AssertionError, subprocess.TimeoutExpired):
        return visit(tmp_path_factory.mktemp("browser"))


def test_it_shows_what_was_pushed(browsed: tuple[Any, Site]) -> None:
    """Title, text, tag and the sender's options of a real push event; markup stays text."""
    deep, rich, hostile, other = browsed[0]["shown"]
    assert (deep["title"], deep["tag"]) == ("See your order", "deep-link-push")
    assert rich["title"] == "Your parcel is on its way 🐎"
    assert rich["body"] == "Order 1001\nIt left us this morning.\nTomorrow it is yours."
    assert (rich["tag"], rich["renotify"], rich["requireInteraction"]) == ("order-1001", True, True)
    assert hostile["title"] == '<b>"Title"</b>\\'
    assert (other["title"], other["body"]) == ("Example Shop", "no JSON at all")


def test_a_click_opens_the_link(browsed: tuple[Any, Site]) -> None:
    """A trusted click opens the button's link; no script, and no app's scheme, but the site."""
    origin = browsed[1].origin
    first, *opened = browsed[0]["windows"]
    assert first == f"{origin}/"
    assert opened == [f"{origin}/track/1001"]


def test_reports_wait_and_arrive(browsed: tuple[Any, Site]) -> None:
    """Each push was reported as delivered and opened, once taken, the first after it failed."""
    failed, *taken = browsed[1].posts
    reports = [each for post in taken for each in post]
    assert failed[0] == reports[0]
    events = [
        (read_token(each["token"], [SECRET], now=NOON).key, each["event"], each.get("action"))
        for each in reports
    ]
    # of one push in order; two may come at once
    assert sorted(events, key=lambda each: each[0]) == [
        ("deep-link-push", "delivered", None), ("deep-link-push", "opened", None),
        ("hostile-push", "delivered", None), ("hostile-push", "opened", "same"),
        ("rich-push", "delivered", None), ("rich-push", "opened", "track"),
    ]  # fmt: skip
