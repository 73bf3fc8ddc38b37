"""The studio in a browser: each tab, each switch, keys, live reload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Browser, Locator, Page, expect

from studio.studio_server import Studio, chromium, copied, page_of, studio
from vero_deliver.studio.state import TABS

ADA = '{"user": {"first_name": "Ada", "email": "a@b.cz"}}'
BACKGROUND = "body => getComputedStyle(body).backgroundColor"
SCHEME = (
    "<html><head><style>body { background: rgb(250, 250, 250) }"
    "@media (prefers-color-scheme: dark) { body { background: rgb(1, 2, 3) !important } }"
    "</style></head><body>Hi {{ user.first_name }}</body></html>"
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    project = copied(tmp_path_factory.mktemp("studio"))
    people = project / "people.csv"
    people.write_text(
        "id,email,first_name,locale\n7,zoe@example.com,Zoë,fr\n8,al@example.com,Al,\n"
    )
    for name, html in (("scheme", SCHEME), ("plain", "<p>Hello</p>")):
        folder = project / "messages" / name
        (folder / "samples").mkdir(parents=True)
        (folder / "samples/ada.json").write_text(ADA)
        (folder / "message.toml").write_text('title = "T"\n[email]\nsubject = "Colours"\n')
        (folder / "email.html").write_text(html)
    with studio(project, "--data", str(people)) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with page_of(browser) as found:
        yield found


SHOWN = {
    "email": "Bramble & Co",
    "text": "Thank you, Ada",
    "source": "multipart/",
    "headers": "MAIL FROM",
    "links": "Where it leads",
    "diff": "Jana",
    "sheet": "Jana Dvořáková",
    "http": "MAIL FROM:<orders@bramble.example>",
    "outbox": "Nothing has been sent yet.",
    "push": "This message has no push notification.",
    "sms": "This message has no text message.",
    "checks": "samples, offline|Nothing to mend",
}


@pytest.mark.parametrize("tab", SHOWN)
def test_every_tab_shows_its_part(running: Studio, page: Page, tab: str) -> None:
    """A click on a tab shows what it is for, and its address leads there again."""
    page.goto(running.url(message="order-receipt", to="ada"))
    page.locator("[data-tab]").nth(list(TABS).index(tab)).click()
    expect(page.get_by_role("main")).to_contain_text(
        re.compile(SHOWN[tab].replace("In the inbox|", ""))
    )
    expect(page.locator("[data-tab][aria-current=page]")).to_have_count(1)


def test_every_tab_is_tried() -> None:
    """The list above has each tab."""
    assert set(SHOWN) == set(TABS)


def test_inbox_cuts_where_it_would(running: Studio, page: Page) -> None:
    """Sender, subject and preheader stand in a line that is cut, not wrapped."""
    page.goto(running.url(message="order-receipt", to="long"))
    inbox = page.get_by_role("region", name="In the inbox")
    expect(inbox).to_contain_text("Bramble & Co")
    expect(inbox.locator(".subject")).to_have_text("Your receipt for order BR-20419")
    expect(inbox.locator(".snippet")).to_contain_text("paid. Thank you!")
    line = inbox.locator(".line")
    assert line.evaluate("e => e.scrollWidth > e.clientWidth && e.clientHeight < 30")


@pytest.mark.parametrize(("device", "width"), [("mobile", 390), ("tablet", 768)])
def test_devices_have_their_width(running: Studio, page: Page, device: str, width: int) -> None:
    """The email is laid out in exactly as many pixels."""
    page.goto(running.url(message="order-receipt", to="ada", device=device))
    assert page.locator(".window iframe").evaluate("e => e.clientWidth") == width


def test_free_width_is_typed_and_dragged(running: Studio, page: Page) -> None:
    """Enter takes what was typed; dragging the corner changes field and address."""
    page.goto(running.url(message="order-receipt", to="ada"))
    field = page.get_by_label("Free width in pixels")
    field.fill("512")
    field.press("Enter")
    expect(page.locator(".stage.free .window")).to_have_css("width", "512px")
    page.locator(".stage.free .window").evaluate("e => { e.style.width = '400px' }")
    expect(field).to_have_value("400")
    page.wait_for_url(re.compile("width=400"))


def body_of(page: Page) -> Locator:
    return page.frame_locator(".window iframe").locator("body")


def test_dark_by_the_mails_own_query(running: Studio, page: Page) -> None:
    """The frame is told which colours are preferred, and nothing in it is changed."""
    for scheme, color in (("light", "rgb(250, 250, 250)"), ("dark", "rgb(1, 2, 3)")):
        page.goto(running.url(message="scheme", scheme=scheme))
        expect(body_of(page)).to_have_css("background-color", color)
    light = page.request.get(running.url("/frame", message="scheme"))
    dark = page.request.get(running.url("/frame", message="scheme", scheme="dark"))
    assert light.body() == dark.body()


def test_forced_dark_and_gmail_are_told_apart(running: Studio, page: Page) -> None:
    """An emulation changes the colours, or the styles, and says that it is one."""
    page.goto(running.url(message="order-shipped", to="ada"))
    light = body_of(page).evaluate(BACKGROUND)
    page.get_by_role("link", name="Forced dark").click()
    expect(page.locator(".caption")).to_contain_text("An approximation: colours forced dark")
    expect(body_of(page)).not_to_have_css("background-color", light)
    page.get_by_role("link", name="Light").click()
    page.get_by_role("link", name="≈ Gmail").click()
    expect(page.locator(".caption")).to_contain_text("roughly what Gmail's webmail keeps")


def test_dark_says_where_there_is_no_dark_style(running: Studio, page: Page) -> None:
    """An email without a dark style looks the same, and the caption says why."""
    page.goto(running.url(message="plain", scheme="dark"))
    expect(page.locator(".caption")).to_contain_text("no dark style of its own")


def press(page: Page, key: str) -> None:
    """A key, once the script listens: a page that was just opened is not there yet."""
    expect(page.locator("html.js")).to_have_count(1)
    page.keyboard.press(key)


def test_recipients_by_keys(running: Studio, page: Page) -> None:
    """Brackets go to the next and the previous recipient, the end is an end."""
    page.goto(running.url(message="order-receipt"))
    for key, who in (("]", "Jana"), ("]", "Wilhelmina"), ("]", "Wilhelmina"), ("[", "Jana")):
        press(page, key)
        expect(page.locator(".pick .name")).to_contain_text(who)
    expect(body_of(page)).to_contain_text("Děkujeme, Jana")


def test_messages_and_looks_by_keys(running: Studio, page: Page) -> None:
    """j, k, digits, d and w go where the list of keys says; no key acts while somebody types."""
    page.goto(running.url(message="order-receipt", to="ada"))
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
    press(page, "j")
    expect(page.get_by_role("heading", level=1)).to_have_text("Order shipped")
    press(page, "k")
    expect(page.get_by_role("heading", level=1)).to_have_text("Order receipt")
    press(page, "d")
    page.wait_for_url(re.compile("scheme=dark"))
    press(page, "w")
    page.wait_for_url(re.compile("device=tablet"))
    press(page, "2")
    page.wait_for_url(re.compile("tab=text"))
    press(page, "/")
    page.keyboard.type("j2]")
    expect(page.get_by_label("Search messages")).to_have_value("j2]")
    assert "tab=text" in page.url


def test_messages_are_searched(running: Studio, page: Page) -> None:
    """The list shrinks while somebody types; Enter opens the first."""
    page.goto(running.url(message="order-receipt"))
    search = page.get_by_label("Search messages")
    search.fill("SHIP")
    expect(page.locator("#messages li:visible")).to_have_count(1)
    search.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Order shipped")
    page.get_by_label("Search messages").fill("nothing like it")
    expect(page.get_by_text("No message has that in its name.")).to_be_visible()


def test_recipients_are_filtered_and_the_worst_offered(running: Studio, page: Page) -> None:
    """The list opens by a key, filters while somebody types, and names who breaks layouts."""
    page.goto(running.url(message="order-receipt"))
    press(page, "p")
    page.keyboard.type("cs-CZ")
    expect(page.locator("#people li:visible")).to_have_count(1)
    press(page, "Escape")
    expect(page.locator("#people")).to_be_hidden()
    press(page, "p")
    page.get_by_role("link", name="Longest name").click()
    expect(page.locator(".pick .name")).to_contain_text("Hohenstaufen")


def test_a_file_of_recipients(running: Studio, page: Page) -> None:
    """The file that --data names stands beside the samples, and is shown first."""
    page.goto(f"{running.address}/?message=scheme&source=people.csv")
    expect(page.locator(".pick .name")).to_have_text("Zoë")
    press(page, "]")
    expect(body_of(page)).to_have_text("Hi Al")
    page.locator(".pick summary").click()
    page.get_by_role("link", name="samples", exact=True).click()
    expect(page.locator(".pick .name")).to_have_text("Ada")


def test_saving_shows_the_new_email(running: Studio, page: Page) -> None:
    """A page that is open shows what was saved, where it was scrolled to."""
    page.goto(running.url(message="order-receipt", to="ada"))
    body = body_of(page)
    expect(body).to_contain_text("Thank you, Ada")
    expect(page.locator("[data-live]")).to_have_text("Live")
    was = running.change("messages/order-receipt/email.mjml", "Thank you", "Many thanks")
    expect(body).to_contain_text("Many thanks, Ada", timeout=5000)
    running.save("messages/order-receipt/email.mjml", was)
    expect(body).to_contain_text("Thank you, Ada", timeout=5000)


def test_an_error_stands_in_place_of_the_email(running: Studio, page: Page) -> None:
    """File, line and excerpt, until the file is mended; other messages go on."""
    page.goto(running.url(message="order-receipt", to="ada"))
    was = running.change("messages/order-receipt/email.mjml", "in order.lines", "in order.linse")
    trouble = page.get_by_role("alert")
    expect(trouble).to_contain_text("linse", timeout=5000)
    expect(trouble).to_contain_text(re.compile(r"messages/order-receipt/email\.mjml:\d+"))
    expect(trouble.locator(".here")).to_contain_text("in order.linse")
    press(page, "j")
    expect(page.locator(".window iframe")).to_be_visible()
    press(page, "k")
    expect(trouble).to_be_visible()
    running.save("messages/order-receipt/email.mjml", was)
    expect(body_of(page)).to_contain_text("Thank you", timeout=5000)


def test_broken_settings_are_told_and_mended(running: Studio, page: Page) -> None:
    """Where the project's own file is wrong the page says so, and comes back."""
    page.goto(running.url(message="order-shipped"))
    was = running.change("vero-deliver.toml", 'language = "en"', 'language = "en"\ncolour = 1')
    expect(page.get_by_role("alert")).to_contain_text("colour", timeout=5000)
    running.save("vero-deliver.toml", was)
    expect(page.locator(".window iframe")).to_be_visible(timeout=5000)


def test_a_new_message_and_its_first_sample(running: Studio, page: Page) -> None:
    """A folder that is made appears; without a sample the page says what to write."""
    page.goto(running.url(message="order-shipped"))
    folder = running.project / "messages/brand/new"
    folder.mkdir(parents=True)
    running.save(
        "messages/brand/new/message.toml", 'title = "New"\n[sms]\nbody = "Hé “{{ user.id }}”"\n'
    )
    link = page.get_by_role("link", name=re.compile("brand"))
    expect(link).to_be_visible(timeout=5000)
    link.click()
    expect(page.get_by_role("main")).to_contain_text("messages/brand/new/samples/ada.json")
    (folder / "samples").mkdir()
    running.save(
        "messages/brand/new/samples/ada.json", '{"user": {"id": "u", "phone": "+447700900123"}}'
    )
    expect(page.get_by_role("main")).to_contain_text("This message has no email.", timeout=5000)
    page.get_by_role("link", name="SMS").click()
    expect(page.locator("main mark").first).to_have_text("“")
    expect(page.get_by_role("main")).to_contain_text("U+201C")


def test_push_is_drawn_for_each_platform(running: Studio, page: Page) -> None:
    """Five drawings with title, body and action; light and dark."""
    page.goto(running.url(message="order-shipped", to="ada", tab="push"))
    expect(page.locator("figure")).to_have_count(5)
    for figure in page.locator("figure").all():
        expect(figure).to_contain_text("Your parcel is on its way")
    assert page.locator("figure", has_text="Track it").count() == 3
    page.get_by_role("link", name="Dark").click()
    expect(page.locator(".phones.night")).to_be_visible()


def test_what_was_sent_appears(running: Studio, page: Page) -> None:
    """What dev captures is listed at once, and opens in the same viewer."""
    people = str(running.project / "people.csv")
    page.goto(running.url(message="scheme", tab="outbox"))
    expect(page.get_by_role("main")).to_contain_text("Nothing has been sent yet.")
    running.vero("send", "scheme", "--data", people, "--yes")
    row = page.get_by_role("row", name=re.compile("zoe@example.com"))
    expect(row).to_contain_text("Colours", timeout=5000)
    row.get_by_role("link").click()
    expect(page.frame_locator("main iframe").locator("body")).to_have_text("Hi Zoë")
    expect(page.get_by_role("main")).to_contain_text("zoe@example.com")


def test_checks_are_counted_on_their_tab(running: Studio, page: Page) -> None:
    """Findings have rule, place and the author's line."""
    was = running.change(
        "messages/order-shipped/email.html",
        "</body>",
        '<a href="http://x.example">click here</a></body>',
    )
    page.goto(running.url(message="order-shipped", tab="checks"))
    expect(page.locator(".findings")).to_contain_text("links/https")
    expect(page.locator(".findings")).to_contain_text("messages/order-shipped/email.html:")
    expect(page.locator("[data-count]")).to_have_text(re.compile(r"\d+"))
    running.save("messages/order-shipped/email.html", was)


def test_without_javascript(running: Studio, browser: Browser) -> None:
    """Links and forms do all that matters."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(running.url(message="order-receipt"))
    page.locator(".pick summary").click()
    page.get_by_label("Filter recipients").fill("jana")
    page.get_by_label("Filter recipients").press("Enter")
    page.locator(".pick summary").click()
    expect(page.locator("#people li")).to_have_count(1)
    page.locator("#people a").click()
    expect(body_of(page)).to_contain_text("Jana")
    context.close()


def test_the_stream_ends_with_the_studio(browser: Browser, tmp_path: Path) -> None:
    """Ctrl-C ends it at once although a page is open, and the page says so."""
    with studio(copied(tmp_path)) as own, page_of(browser) as page:
        page.goto(own.url())
        expect(page.locator("[data-live]")).to_have_text("Live")
        own.process.send_signal(2)
        assert own.process.wait(3) in (0, -2, 130)
        expect(page.locator("[data-live]")).to_have_text("Not running")
