"""Tokens and links: what is signed is believed, and nothing else."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vero_channels.email.brevo import Brevo
from vero_channels.email.postmark import Postmark
from vero_channels.email.resend import Resend
from vero_channels.transport.capabilities import unsupported
from vero_deliver import Email, Message, Renderer, Secret, Sms, User
from vero_deliver.errors import ConfigError
from vero_deliver.mime import key_digest
from vero_deliver.render.tracked import with_links, with_pixel
from vero_deliver.rendered import RenderedEmail, RenderedSms
from vero_deliver.suppression import digest_of
from vero_deliver.tracking import Tracking

SECRET, OLD = Secret("a secret of many characters"), Secret("the secret before that one")
URL = "https://t.example.com"
TRACKING = Tracking(url=URL, secrets=[SECRET], env="prod", opens=True, clicks=True)
KEY = "order-1001-email"
AT = datetime(2026, 11, 25, tzinfo=UTC)


def token(link: str) -> str:
    return link.rpartition("/")[2].removesuffix(".gif")


def test_links_say_what_they_are_for() -> None:
    """Each reads back, and the same key gives the same link."""
    target = "https://shop.example.com/a?b=c&d=%20#e"
    assert TRACKING.opened(token(TRACKING.open(KEY))) == key_digest(KEY)
    assert TRACKING.clicked(token(TRACKING.click(KEY, target))) == (key_digest(KEY), target)
    leaving = TRACKING.leaving(token(TRACKING.leave(KEY, "Ada@Example.org", "weekly")))
    assert leaving.address == digest_of("email", "ada@example.org")
    assert (leaving.delivery, leaving.topic) == (key_digest(KEY), "weekly")
    assert TRACKING.viewed(token(TRACKING.view(KEY))) == key_digest(KEY)
    assert TRACKING.click(KEY, target) == TRACKING.click(KEY, target)
    assert len(TRACKING.open(KEY)) < 120
    assert "Ada" not in TRACKING.leave(KEY, "Ada@Example.org")


def read_all(tracking: Tracking, text: str) -> list[Any]:
    """What every reader makes of a token."""
    found: list[Any] = []
    for read in (tracking.opened, tracking.clicked, tracking.leaving, tracking.viewed):
        try:
            found.append(read(text))
        except ValueError:
            found.append(None)
    return found


LINKS = {
    "open": TRACKING.open(KEY),
    "click": TRACKING.click(KEY, "https://shop.example.com/"),
    "leave": TRACKING.leave(KEY, "ada@example.org"),
    "view": TRACKING.view(KEY),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_token_is_of_one_purpose(name: str) -> None:
    """One of another kind, environment or project is none."""
    text = token(LINKS[name])
    assert [found is not None for found in read_all(TRACKING, text)] == [
        one == name for one in LINKS
    ]
    for other in (
        Tracking(url=URL, secrets=[SECRET], env="dev"),
        Tracking(url=URL, secrets=[OLD], env="prod"),
    ):
        assert read_all(other, text) == [None] * 4


@pytest.mark.parametrize("name", LINKS)
def test_no_character_may_change(name: str) -> None:
    """Cut off anywhere, or another character anywhere: not ours."""
    text = token(LINKS[name])
    for at in range(len(text)):
        assert read_all(TRACKING, text[:at]) == [None] * 4
        for other in "AB-_.=":
            if other != text[at]:
                changed = text[:at] + other + text[at + 1 :]
                assert read_all(TRACKING, changed) == [None] * 4, (at, other)
    assert read_all(TRACKING, f"{text}=") == [None] * 4


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_any_text_is_no_token(text: str) -> None:
    """ValueError, whatever it is."""
    assert read_all(TRACKING, text) == [None] * 4


def test_secrets_rotate() -> None:
    """The first signs, all are believed."""
    both = Tracking(url=URL, secrets=[SECRET, OLD], env="prod")
    before = Tracking(url=URL, secrets=[OLD], env="prod")
    assert both.opened(token(before.open(KEY))) == key_digest(KEY)
    with pytest.raises(ValueError, match="not signed"):
        before.opened(token(both.open(KEY)))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "//evil.example", "/relative", "mailto:a@b.cz",
        "https:///nothing", "https://", "ftp://x.example/", "https://a@evil.example/",
        "https://shop.example.com\\@evil.example/", "https://x.example/a\r\nSet-Cookie: b",
        "https://x.example/a b", "https://[::1", "https://x.example/" + "a" * 5000, "",
        "http://exa\x00mple.com/",
    ],
)  # fmt: skip
def test_what_is_no_destination(url: str) -> None:
    """It is not signed, so nobody is sent there."""
    with pytest.raises(ValueError):
        TRACKING.click(KEY, url)


def test_names_of_other_scripts_lead_where_browsers_lead() -> None:
    """IDNA of 2008: faß.de is not fass.de, which may be somebody else's."""
    for url, led in (
        ("https://faß.de/x", "https://xn--fa-hia.de/x"),
        ("https://bücher.example:8443/", "https://xn--bcher-kva.example:8443/"),
    ):
        assert TRACKING.clicked(token(TRACKING.click(KEY, url)))[1] == led
    with pytest.raises(ValueError):
        TRACKING.click(KEY, "https://a..ü.example/")


def test_destinations_fit_into_a_header() -> None:
    """Other scripts in their ASCII form."""
    _, url = TRACKING.clicked(token(TRACKING.click(KEY, "https://bücher.example/č?q=ž")))
    assert url == "https://xn--bcher-kva.example/%C4%8D?q=%C5%BE"


@pytest.mark.parametrize(
    "options",
    [
        {"url": "http://t.example.com"}, {"url": "t.example.com"}, {"url": "https://a:b@t.example"},
        {"url": "https://t.example/?x=1"}, {"secrets": []}, {"secrets": "a long enough secret"},
        {"secrets": [Secret("short")]}, {"utm": {"sourcee": "x"}},
    ],
)  # fmt: skip
def test_wrong_settings_are_told(options: dict[str, Any]) -> None:
    """ConfigError, which shows no secret."""
    with pytest.raises(ConfigError) as caught:
        Tracking(**{"url": URL, "secrets": [SECRET], **options})
    assert "short" not in str(caught.value)
    assert "secret of" not in repr(TRACKING)


def test_it_reaches_other_processes() -> None:
    """render_many's processes sign as this one does."""
    assert pickle.loads(pickle.dumps(TRACKING)).open(KEY) == TRACKING.open(KEY)


def test_utm_never_overrides() -> None:
    """Only what is not there is added."""
    tracking = Tracking(url=URL, secrets=[SECRET], utm={"source": "news", "medium": "email"})
    with_utm = tracking.with_utm
    assert with_utm("https://x.example/") == "https://x.example/?utm_source=news&utm_medium=email"
    assert with_utm("https://x.example/?utm_source=a#b") == (
        "https://x.example/?utm_source=a&utm_medium=email#b"
    )
    assert with_utm("https://x.example/?UTM_SOURCE=a&utm_medium=") == (
        "https://x.example/?UTM_SOURCE=a&utm_medium="
    )


HTML = """<!doctype html><body><p><a href="https://shop.example.com/?a=1&amp;b=2">one</a>
<a class='x' href='https://shop.example.com/two' >two</a> <A HREF=https://shop.example.com/three>3</A>
<a href="mailto:a@b.cz">m</a><a href="#top">t</a><a href="tel:+1">p</a><a>none</a>
<a href="https://shop.example.com/off" data-vero-track="off">off</a>
<a data-x="<a href='https://no.example/'>" href="https://shop.example.com/four">4</a>
<!--[if mso]><v:roundrect href="https://shop.example.com/mso"><![endif]-->
<!-- <a href="https://shop.example.com/comment">c</a> -->
<img src="https://cdn.example.com/a.png"><link href="https://cdn.example.com/x.css">
<a href="https://shop.example.com/unsubscribe">u</a></p></body>"""


class Links(HTMLParser):
    """The tags as a browser reads them, hrefs apart."""

    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str | None] = []
        self.others: list[Any] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hrefs += [value for name, value in attrs if name == "href"]
        self.others.append((tag, [one for one in attrs if one[0] != "href"]))

    def handle_data(self, data: str) -> None:
        self.others.append(data)

    def handle_comment(self, data: str) -> None:
        self.others.append(("comment", data))


def links(html: str) -> Links:
    parser = Links()
    parser.feed(html)
    parser.close()
    return parser


def test_links_are_replaced_and_nothing_else() -> None:
    """http(s) links, but those of Outlook's comments, those that are off, and our own."""
    before = links(HTML)
    after = links(with_links(HTML, TRACKING, KEY, {"https://shop.example.com/unsubscribe"}))
    assert before.others == after.others
    told = {
        old: TRACKING.clicked(token(new))[1]
        for old, new in zip(before.hrefs, after.hrefs, strict=True)
        if old and new and new.startswith(f"{URL}/c/")
    }
    assert list(told) == [
        "https://shop.example.com/?a=1&b=2", "https://shop.example.com/two",
        "https://shop.example.com/three", "https://shop.example.com/four",
    ]  # fmt: skip
    assert all(old == new for old, new in told.items())


_PIECES = st.sampled_from([
    "<a href=\"https://x.example/\">", "</a>", ">", "<!--", "-->",
    "<a ", "href=", "https://x.example/a?b", " data-vero-track=off", "<area href=\"https://y.example\"/>",
    "text", "<b title='a > b'>", "<a\nhref = https://z.example>", "&amp;", "<abbr href=\"https://n.example\">",
])  # fmt: skip


@given(st.lists(_PIECES, max_size=14).map("".join))
@settings(max_examples=400, deadline=None)
def test_any_html_keeps_its_shape(html: str) -> None:
    """Whatever stands there: the same tags and texts."""
    tracked = with_links(html, TRACKING, KEY, ())
    before, after = links(html), links(tracked)
    assert len(before.hrefs) == len(after.hrefs)
    assert [one for one in before.others if isinstance(one, str)] == [
        one for one in after.others if isinstance(one, str)
    ]


def test_the_pixel_comes_last() -> None:
    """Within the body, else at the end."""
    assert with_pixel("<body>x</body></html>", TRACKING, KEY).startswith("<body>x<img src=")
    assert with_pixel("x", TRACKING, KEY).startswith("x<img src=")


MESSAGE = Message(
    title="News",
    kind="marketing",
    topic="weekly",
    email=Email(
        from_="shop@example.com",
        subject="News",
        html='<p><a href="https://shop.example.com/">Shop</a> {{ url.unsubscribe }}</p>',
    ),
)
ADA = User(id="u1", email="ada@example.org")


def rendered(message: Message = MESSAGE, key: str = KEY, **options: Any) -> RenderedEmail:
    tracking = Tracking(url=URL, secrets=[SECRET], env="prod", **options)
    made = Renderer(tracking=tracking).render(message, ADA, "email", key=key, now=AT)
    assert isinstance(made, RenderedEmail)
    return made


def test_a_marketing_email_has_its_way_out() -> None:
    """Headers of RFC 8058 and the link in the text, though nothing is tracked."""
    made = rendered()
    link = TRACKING.leave(KEY, "ada@example.org", "weekly")
    assert made.headers["List-Unsubscribe"] == f"<{link}>"
    assert made.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link in made.html
    assert '<a href="https://shop.example.com/">' in made.html
    assert f"{URL}/o/" not in made.html
    assert made.track_opens is False


@pytest.mark.parametrize("driver", [Brevo, Resend, Postmark])
def test_every_provider_takes_it(driver: Any) -> None:
    """Also one whose own tracking is the account's matter: there is nothing it has to carry."""
    made = rendered(opens=True, clicks=True)
    assert made.tracked
    assert [*unsupported(made, driver.capabilities)] == []
    assert [*unsupported(replace(made, tracked=False), Brevo.capabilities)]


def test_who_has_no_address_has_no_way_out() -> None:
    """A link that unsubscribes nobody would only look like one."""
    message = Message(title="x", sms=Sms(body="{{ url.unsubscribe_link | default('none') }}"))
    tracking = Tracking(url=URL, secrets=[SECRET], env="prod")
    made = Renderer(tracking=tracking).render(message, User(phone="+420601000001"), "sms", key=KEY)
    assert isinstance(made, RenderedSms)
    assert made.body == "none"


def test_opens_and_clicks_by_choice() -> None:
    """The project decides, and a message otherwise; the way out is not tracked."""
    on = rendered(opens=True, clicks=True)
    assert f"{URL}/o/" in on.html
    assert f'<a href="{URL}/c/' in on.html
    assert TRACKING.leave(KEY, "ada@example.org", "weekly") in on.html
    assert on.mime(KEY) == rendered(opens=True, clicks=True).mime(KEY)
    assert MESSAGE.email
    email = Email(
        from_="shop@example.com", subject="News", html=MESSAGE.email.html, track_opens=False,
        track_clicks=False,
    )  # fmt: skip
    off = rendered(Message(title="x", kind="marketing", email=email), opens=True, clicks=True)
    assert f"{URL}/o/" not in off.html
    assert f"{URL}/c/" not in off.html


def test_without_a_key_nothing_is_tracked() -> None:
    """There would be nothing to tell of."""
    plain = Message(
        title="x", email=Email(from_="a@b.cz", subject="x", html="<a href='https://x.cz'>x</a>")
    )
    assert URL not in rendered(plain, key="", opens=True, clicks=True).html
