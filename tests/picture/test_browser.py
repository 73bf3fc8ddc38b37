"""Pictures by a real Chromium: what they show, what they never do, and how it ends."""

from __future__ import annotations

import base64
import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from browsers import chromium, left, running, script, size
from views import example_emails

from vero_deliver.errors import ConfigError, PictureError
from vero_deliver.picture import Browser, Look, by_media_query, forced_dark, seen
from vero_deliver.picture.chromium import find_chromium
from vero_deliver.picture.pipe import Pipe
from vero_deliver.rendered import File
from vero_deliver.testing import sample_email

PLAIN = "<!doctype html><body style='margin:0'><div style='height:100px;background:#abc'>"
RED = "<!doctype html><body style='margin:0'><div style='height:100px;background:red'>"
# two frames of one pixel, red and blue, a second apart
GIF = bytes.fromhex(
    "47494638396101000100f00000ff00000000ff21ff0b4e45545343415045322e30030100000021f9040064000000"
    "2c00000000010001000002024401003b"
).replace(
    bytes.fromhex("02024401003b"),
    bytes.fromhex("020244010021f90400640000002c00000000010001000002024c01003b"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for many pictures."""
    with Browser(chromium()) as made:
        yield made


@pytest.fixture
def own_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Profiles of browsers go to the test's own folder, which their processes are known by."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """An address that counts who asks."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}", asked
        listening.shutdown()


def test_picture_has_the_size_of_the_email(browser: Browser) -> None:
    """Its width is the window's, its height the email's, both in device pixels."""
    assert size(browser.png(PLAIN, Look(width=300, scale=1))) == (300, 100)
    assert size(browser.png(PLAIN, Look(width=375, scale=2))) == (750, 200)


@pytest.mark.parametrize("width", [375, 640])
@pytest.mark.parametrize("name", ["order-receipt-ada", "newsletter-nameless"])
def test_repeated_picture_has_the_same_bytes(browser: Browser, name: str, width: int) -> None:
    """Also after a start of the browser."""
    html, look = example_emails()[name], Look(width)
    first = browser.png(html, look)
    with Browser(chromium()) as another:
        assert browser.png(html, look) == first == another.png(html, look)


def test_dark_is_what_the_reader_prefers(browser: Browser) -> None:
    """The email's own media query holds in the dark and not in the light."""
    query = "@media (prefers-color-scheme:dark){div{background:red!important}}"
    html = f"<style>{query}</style>{PLAIN}"
    light, dark = browser.png(html, Look(dark=False)), browser.png(html, Look(dark=True))
    assert light == browser.png(PLAIN)
    assert dark == browser.png(RED)


def test_settled_media_query_looks_as_the_preference(browser: Browser) -> None:
    """For browsers that cannot be told what the reader prefers, the picture is the same."""
    query = "@media (prefers-color-scheme:dark){div{background:red!important}}"
    other = "@media (prefers-color-scheme:light){div{height:50px!important}}"
    html = f"<style>{query}{other}</style>{PLAIN}"
    for scheme in ("dark", "light"):
        preferred = browser.png(html, Look(dark=scheme == "dark"))
        assert browser.png(by_media_query(html, scheme)) == preferred
        assert browser.png(by_media_query(html, scheme), Look(dark=True)) == preferred


def test_forced_dark_looks_different(browser: Browser) -> None:
    """The view is a picture of its own."""
    assert browser.png(forced_dark(PLAIN)) != browser.png(PLAIN)


def test_inline_image_is_shown(browser: Browser) -> None:
    """`cid:` is the attachment of that name; a name that there is not stays broken."""
    pixel = File("red.gif", GIF, "image/gif", cid="re d")
    html = "<body style='margin:0'><img src='cid:re%20d' width=100 height=100>"
    email = sample_email(html=f"<!doctype html>{html}", attachments=(pixel,))
    look = Look(100, scale=1)
    red = "<!doctype html><body style='margin:0'><div style='height:104px'>"
    red += "<div style='height:100px;background:red'>"
    assert browser.png(seen(email), look) == browser.png(red, look)


def test_moving_pictures_stand_still(browser: Browser) -> None:
    """Of a GIF the first frame is shown, of an animation its beginning, whenever it is taken."""
    css = "@keyframes x{from{background:red}to{background:blue}}div{animation:x 1s infinite}"
    gif = f"data:image/gif;base64,{base64.b64encode(GIF).decode()}"
    html = f"<!doctype html><style>{css}</style><div>x</div><img width=50 src='{gif}'>"
    first = browser.png(html, Look(100))
    time.sleep(0.4)
    assert browser.png(html, Look(100)) == first


def test_nothing_runs_and_nothing_is_fetched(
    browser: Browser, server: tuple[str, list[str]]
) -> None:
    """Scripts, trackers, frames, refreshes: the picture is that of an email without them."""
    url, asked = server
    hostile = (
        f"<meta http-equiv=refresh content='0;url={url}/refresh'><base href='{url}/'>"
        f"<link rel=stylesheet href={url}/css><link rel=preload as=image href={url}/preload>"
        f"<style>@import url({url}/import);@font-face{{font-family:f;src:url({url}/font)}}</style>"
    )
    after = (
        f"<div style='height:0;overflow:hidden;font-family:f'><img src={url}/pixel alt=''>"
        f"<iframe src={url}/frame></iframe><object data={url}/object></object>"
        f"<video poster={url}/poster src={url}/video autoplay></video>"
        f"<i style='background:url({url}/background)'>x</i></div>"
        f"<script>fetch('{url}/script');document.body.innerHTML='PWNED'</script>"
        f"<img src=x onerror=\"document.body.innerHTML='PWNED'\" width=0 height=0 style='position:"
        f"absolute;left:-9px'><form action={url}/form><input autofocus onfocus='submit()' hidden>"
    )
    assert browser.png(f"<!doctype html>{hostile}{PLAIN}</div>{after}") == browser.png(PLAIN)
    assert asked == []


def test_long_email_is_pictured_whole(browser: Browser) -> None:
    """Where its height is more than a picture can have, the scale is less."""
    html = f"<!doctype html><body style='margin:0'>{'<div style=height:100px>x</div>' * 400}"
    width, height = size(browser.png(html, Look(400, scale=1)))
    assert height <= 16384
    assert width == pytest.approx(400 * height / 40_000, abs=1)


def test_large_email_is_pictured(browser: Browser) -> None:
    """Five megabytes of HTML are no fault."""
    assert size(browser.png(PLAIN + "<!-- x -->" * 500_000, Look(300, scale=1))) == (300, 100)


def test_threads_share_a_browser(browser: Browser) -> None:
    """Pictures made at the same time are those that each would get alone."""
    pages = [PLAIN.replace("100px", f"{height}px") for height in range(50, 58)]
    alone = [browser.png(page) for page in pages]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(browser.png, pages)) == alone


def test_nothing_is_left_of_a_browser(tmp_path: Path, own_profiles: None) -> None:
    """No process, no zombie, no profile; and it may be closed unused, and twice."""
    browser = Browser(chromium())
    browser.close()
    browser.png(PLAIN)
    assert running(str(tmp_path))
    browser.close()
    browser.close()
    assert list(tmp_path.iterdir()) == []
    assert left(str(tmp_path)) == {}


def test_browser_that_was_killed_is_started_again(tmp_path: Path, own_profiles: None) -> None:
    """The next picture is made as if nothing had been."""
    with Browser(chromium()) as browser:
        first = browser.png(PLAIN)
        for process in running(str(tmp_path)):
            os.kill(process, signal.SIGKILL)
        assert browser.png(PLAIN) == first


@pytest.mark.parametrize("size", [10, 5_000_000], ids=["small", "more than the pipe holds"])
def test_browser_that_hangs_is_killed_and_started_again(
    tmp_path: Path, own_profiles: None, size: int
) -> None:
    """The picture fails after its time; the next one is made."""
    with Browser(chromium()) as browser:
        first = browser.png(PLAIN)
        stopped = threading.Event()

        class Slow(str):
            # called between the browser's request for the email and our answer
            def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
                for process in running(str(tmp_path)):
                    os.kill(process, signal.SIGSTOP)
                stopped.set()
                return super().encode(encoding, errors)

        browser.timeout = 2
        with pytest.raises(PictureError, match="the browser took too long"):
            browser.png(Slow(PLAIN + "x" * size))
        assert stopped.is_set()
        assert left(str(tmp_path)) == {}
        browser.timeout = 30
        assert browser.png(PLAIN) == first


def test_threads_outlive_a_browser(tmp_path: Path, own_profiles: None) -> None:
    """Where it is killed under many pictures, each is made all the same, or says so."""
    with Browser(chromium()) as browser, ThreadPoolExecutor(4) as pool:
        first = browser.png(PLAIN)
        waiting = [pool.submit(browser.png, PLAIN) for _ in range(12)]
        time.sleep(0.5)
        for process in running(str(tmp_path)):
            os.kill(process, signal.SIGKILL)
        assert [one.result() for one in waiting] == [first] * 12


def test_no_program_is_an_error_that_says_what_to_install(tmp_path: Path) -> None:
    """And a variable that names none is one that names it."""
    with pytest.raises(ConfigError, match=r"apt install chromium.*VERO_DELIVER_CHROME"):
        find_chromium({"PATH": str(tmp_path)})
    with pytest.raises(ConfigError, match="VERO_DELIVER_CHROME=/nowhere/chrome: there is no such"):
        find_chromium({"VERO_DELIVER_CHROME": "/nowhere/chrome"})


def test_variable_chooses_the_program(tmp_path: Path) -> None:
    """By its path, or by its name on PATH."""
    path = script(tmp_path / "chromium-99", "exit 0")
    assert find_chromium({"VERO_DELIVER_CHROME": path}) == path
    chosen = {"VERO_DELIVER_CHROME": "chromium-99", "PATH": str(tmp_path)}
    assert find_chromium(chosen) == path


def test_program_that_ends_at_once_is_quoted(tmp_path: Path) -> None:
    """The error has the last line that it said."""
    program = script(tmp_path / "chrome", "echo 'No usable sandbox!' >&2; echo >&2; exit 1")
    with pytest.raises(PictureError, match=r"chrome did not start: No usable sandbox!"):
        Browser(program).png(PLAIN)


def test_program_that_hangs_is_killed(tmp_path: Path, own_profiles: None) -> None:
    """After the time that it has to answer; what it started as well."""
    program = script(tmp_path / "chrome", f"tail -f {tmp_path}/chrome & wait")
    with pytest.raises(PictureError, match="did not start: the browser took too long"):
        Pipe(program, start=0.3)
    assert left(str(tmp_path)) == {}


def test_program_that_is_none_is_an_error(tmp_path: Path) -> None:
    """One that cannot be started is told with the reason."""
    (tmp_path / "chrome").write_text("no program")
    with pytest.raises(ConfigError, match="chrome cannot be started: "):
        Browser(str(tmp_path / "chrome")).png(PLAIN)
