"""The studio's own pages are accessible: axe-core finds nothing, in light, dark and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser

from studio.studio_server import AXE, Studio, chromium, copied, page_of, studio
from vero_deliver.studio.state import TABS

RUN = """() => axe.run(document, {
  // what the message says of itself is not the studio's
  exclude: [["iframe"]], iframes: false,
}).then(found => found.violations.map(one =>
  one.id + ": " + one.nodes.map(node => node.target + " " + node.failureSummary).join("; ")))"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    if not AXE.is_file():
        pytest.skip("axe-core is not installed; scripts/peers does")
    project = copied(tmp_path_factory.mktemp("studio"))
    broken = project / "messages/broken"
    (broken / "samples").mkdir(parents=True)
    (broken / "samples/ada.json").write_text('{"user": {"email": "ada@example.com"}}')
    (broken / "message.toml").write_text('title = "B"\n[email]\nsubject = "{{ nobody.here }}"\n')
    (broken / "email.html").write_text("<p>Hello</p>")
    nobody = project / "messages/nobody"
    nobody.mkdir()
    (nobody / "message.toml").write_text('title = "N"\n[sms]\nbody = "x"\n')
    people = project / "people.csv"
    people.write_text(
        "id,email,first_name,locale\n7,zoe@example.com,Zoë,fr\n8,al@example.com,Al,\n"
    )
    with studio(project, "--data", str(people)) as found:
        found.vero("send", "broken", "--data", str(people), "--yes", "--key", "k", check=False)
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


LOOKS = {"light": (1440, False), "dark": (1440, True), "phone": (390, False), "night": (390, True)}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing(running: Studio, browser: Browser, look: str) -> None:
    """Tabs, an error, a message without samples, the open list of recipients."""
    width, dark = LOOKS[look]
    tabs = list(TABS) if look in ("light", "night") else ["email", "push", "http"]
    pages = [{"message": "order-shipped", "tab": tab, "to": "jana"} for tab in tabs]
    pages += [{"message": "order-receipt", "scheme": "forced", "device": "mobile"}]
    pages += [{"message": "broken"}, {"message": "nobody"}, {"message": "nonsense"}]
    found: list[str] = []
    with page_of(browser, width=width, dark=dark) as page:
        for query in pages:
            page.goto(running.url(**query))
            if query.get("tab") == "diff":
                page.locator(".pick summary").click()
            page.evaluate(AXE.read_text("utf-8"))
            found += [f"{query}: {one}" for one in page.evaluate(RUN)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("tab", TABS)
def test_a_phone_needs_no_scrolling_sideways(running: Studio, browser: Browser, tab: str) -> None:
    """At 390 pixels nothing stands out of the page."""
    with page_of(browser, width=390, height=844) as page:
        page.goto(running.url(message="order-shipped", tab=tab, to="ada"))
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_messages_are_reached_on_a_phone(running: Studio, browser: Browser) -> None:
    """The list is behind a button, and is left by Escape."""
    with page_of(browser, width=390, height=844) as page:
        page.goto(running.url(message="order-shipped"))
        assert not page.locator("#side").is_visible()
        page.get_by_role("button", name="Messages").click()
        page.get_by_role("link", name="order-receipt").click()
        page.wait_for_url("**message=order-receipt**")
