"""What the studio costs, and how soon it shows what was saved: python -m benchmarks.studio.

page: CPU of the server for the receipt's page and frame, rendered anew each time. save: from the
moment a template is in place until the email in Chromium's frame has its new text; without
Chromium, or Playwright, it is left out.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx

from vero_deliver.studio.app import application
from vero_deliver.studio.live import Live
from vero_deliver.studio.workspace import Workspace

ROOT = Path(__file__).parents[1]
HOST = "127.0.0.1:1"
_START = datetime(2026, 11, 25, tzinfo=UTC)


def page(rounds: int = 50) -> list[float]:
    """Milliseconds of CPU of each page with its frame."""
    app = application(Workspace(ROOT / "examples"), hosts=[HOST], live=Live())

    async def one(client: httpx.AsyncClient, number: int) -> float:
        now = (_START + timedelta(seconds=number)).isoformat()
        query = urlencode({"message": "order-receipt", "to": "long", "now": now})
        begin = time.process_time()
        for path in ("/", "/frame"):
            answer = await client.get(f"{path}?{query}")
            assert answer.status_code == 200
        return (time.process_time() - begin) * 1000

    async def every() -> list[float]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
            await one(client, 0)  # compiles the templates
            return [await one(client, number) for number in range(1, rounds + 1)]

    return asyncio.run(every())


def save(rounds: int = 10) -> list[float]:
    """Milliseconds from a save to the new text in the frame."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        return []
    with tempfile.TemporaryDirectory() as work:
        project = Path(shutil.copytree(ROOT / "examples", Path(work) / "shop"))
        command = [sys.executable, "-m", "vero_deliver.cli", "-C", str(project), "preview"]
        with subprocess.Popen(
            [*command, "--no-open", "--port", "0"], stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr
            [address] = re.findall(r"http://[\d.:]+", process.stderr.readline())
            try:
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(
                        executable_path=program, args=["--no-sandbox", "--disable-gpu"]
                    )
                    window = browser.new_page()
                    window.goto(f"{address}/?message=order-receipt&to=ada")
                    body = window.frame_locator(".window iframe").locator("body")

                    def shows(text: str) -> None:
                        body.get_by_text(text).wait_for()

                    shows("Thank you, Ada")
                    window.wait_for_timeout(1000)
                    return [_saved(project, number, shows) for number in range(rounds)]
            finally:
                process.terminate()


def _saved(project: Path, number: int, shows: Callable[[str], None]) -> float:
    file = project / "messages/order-receipt/email.mjml"
    beside = file.with_suffix(".new")
    written = file.read_text("utf-8")
    beside.write_text(re.sub(r"Thank you\d*", f"Thank you{number}", written), "utf-8")
    begin = time.perf_counter()
    beside.replace(file)
    shows(f"Thank you{number}, Ada")
    taken = (time.perf_counter() - begin) * 1000
    time.sleep(0.5)
    return taken


def main() -> None:
    """Medians, and the worst of each."""
    figures: dict[str, dict[str, float]] = {}
    for name, measure in (("page", page), ("save", save)):
        try:
            taken = measure()
        except ModuleNotFoundError:
            taken = []
        if taken:
            figures[name] = {
                "median_ms": round(statistics.median(taken), 1),
                "worst_ms": round(max(taken), 1),
                "rounds": len(taken),
            }
    if "--json" in sys.argv:
        print(json.dumps(figures, indent=2))
        return
    for name, figure in figures.items():
        print(f"{name}: {figure['median_ms']} ms, at worst {figure['worst_ms']} ms")


if __name__ == "__main__":
    main()
