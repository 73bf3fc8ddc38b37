"""A hostile email neither runs, nor navigates, nor fetches, nor submits, nor stops the studio."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Page, expect

from studio.studio_server import Studio, chromium, copied, listening, page_of, studio

ATTACK = """<!doctype html><html><head>
<meta http-equiv="refresh" content="0;url={server}/refresh">
<base href="{server}/base/" target="_top">
<link rel="stylesheet" href="{server}/link.css"><link rel="prefetch" href="{server}/prefetch">
<link rel="dns-prefetch" href="{server}/dns"><link rel="preconnect" href="{server}">
<style>@import url({server}/import.css);
@font-face {{ font-family: x; src: url({server}/font.woff) }} body {{ font-family: x }}
div {{ background: url({server}/background.png) }}</style>
<script>fetch("{server}/script"); top.location = "{server}/top"</script></head>
<body onload="fetch('{server}/onload')" background="{server}/body.png">
<div>Dear reader</div>
<img src="{server}/pixel.gif" width="1" height="1"><img srcset="{server}/srcset.png 1x">
<img src="x" onerror="fetch('{server}/onerror')">
<video src="{server}/video" poster="{server}/poster" autoplay></video>
<audio src="{server}/audio" autoplay></audio><object data="{server}/object"></object>
<embed src="{server}/embed"><iframe src="{server}/iframe"></iframe>
<iframe srcdoc="<script>parent.parent.location='{server}/srcdoc'</script>"></iframe>
<svg><image href="{server}/svg.png"/><script>fetch("{server}/svgscript")</script></svg>
<form action="{server}/form" method="post"><input name="a" autofocus onfocus="this.form.submit()">
<button id="send">Send</button></form>
<a id="plain" href="{server}/plain">plain</a> <a id="top" href="{server}/top" target="_top">top</a>
<a id="js" href="javascript:fetch('{server}/js')">js</a>
</body></html>"""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[str]]]:
    with listening() as found:
        yield found


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, server: tuple[str, list[str]]
) -> Iterator[Studio]:
    project = copied(tmp_path_factory.mktemp("studio"))
    body = "{% raw %}" + ATTACK.format(server=server[0]) + "{% endraw %}"
    write(project, "hostile", body)
    write(project, "pixel", f'<p>Hello</p><img alt="" src="{server[0]}/pixel.gif">')
    write(project, "large", "<p>" + "Lorem ipsum dolor sit amet. " * 180_000 + "</p>")
    with studio(project) as found:
        yield found


def write(project: Path, name: str, html: str) -> None:
    folder = project / "messages" / name
    (folder / "samples").mkdir(parents=True)
    (folder / "samples/ada.json").write_text('{"user": {"email": "ada@example.com"}}')
    (folder / "message.toml").write_text('title = "H"\n[email]\nsubject = "Hostile"\n')
    (folder / "email.html").write_text(html)
    (folder / "email.txt").write_text("Dear reader")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with page_of(browser) as found:
        yield found


@pytest.mark.parametrize("scheme", ["light", "dark", "forced"])
@pytest.mark.parametrize("client", ["sent", "gmail"])
def test_nothing_is_run_or_fetched(
    running: Studio, page: Page, server: tuple[str, list[str]], scheme: str, client: str
) -> None:
    """The server that the email names hears nothing, in each way of looking at it."""
    url = running.url(message="hostile", scheme=scheme, client=client)
    page.goto(url)
    body = page.frame_locator(".window iframe").locator("body")
    expect(body).to_contain_text("Dear reader")
    page.wait_for_timeout(700)  # time for a refresh of no seconds
    expect(body).to_contain_text("Dear reader")
    assert page.url == url
    assert server[1] == []


@pytest.mark.parametrize("clicked", ["#plain", "#top", "#js", "#send"])
def test_clicks_stay_in_the_frame(
    running: Studio, page: Page, server: tuple[str, list[str]], clicked: str
) -> None:
    """Neither link nor form takes the studio away, or reaches the server."""
    url = running.url(message="hostile")
    page.goto(url)
    page.frame_locator(".window iframe").locator(clicked).click(no_wait_after=True)
    page.wait_for_timeout(300)
    assert page.url == url
    assert server[1] == []
    page.keyboard.press("Tab")
    expect(page.get_by_role("heading", level=1)).to_have_text("H")


@pytest.mark.parametrize("tab", ["source", "headers", "links", "sheet", "text", "http", "diff"])
def test_other_tabs_fetch_nothing(
    running: Studio, page: Page, server: tuple[str, list[str]], tab: str
) -> None:
    """What is in it is text there."""
    page.goto(running.url(message="hostile", tab=tab))
    page.wait_for_load_state("networkidle") if tab != "sheet" else page.wait_for_timeout(500)
    assert server[1] == []


def test_the_switch_lets_images_in(
    running: Studio, page: Page, server: tuple[str, list[str]]
) -> None:
    """The counting server does hear what is let through, so its silence above means something."""
    page.goto(running.url(message="pixel"))
    page.wait_for_timeout(200)
    assert server[1] == []
    page.get_by_role("link", name="Images off").click()
    page.wait_for_url("**images=on**")
    expect(page.get_by_role("link", name="Images on")).to_be_visible()
    page.wait_for_timeout(500)
    assert server[1] == ["/pixel.gif"]
    server[1].clear()


def test_five_megabytes_are_shown(running: Studio, page: Page) -> None:
    """A large email is slow to nobody: the page stays small, the meter says what Gmail does."""
    page.goto(running.url(message="large"))
    expect(page.locator("aside")).to_contain_text("Gmail clips it")
    assert len(page.content()) < 100_000
    for tab in ("source", "text", "links", "diff"):
        page.goto(running.url(message="large", tab=tab))
        assert len(page.content()) < 300_000
