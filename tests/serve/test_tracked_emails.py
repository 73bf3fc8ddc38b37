"""The one composer: what is previewed and sent has the links that come back to us."""

from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from lxml import html as lxml_html

from vero_deliver import Email, Message, Push, Renderer, Sms, User
from vero_deliver.errors import ConfigError
from vero_deliver.mime import Signer, key_digest
from vero_deliver.project import Project
from vero_deliver.rendered import RenderedEmail
from vero_deliver.secret import Secret
from vero_deliver.testing import NOON
from vero_deliver.tracking import Tracking

ADA = User(id="u1", email="ada@example.org", phone="+420601000001")
KEY = "k-email"
HTML = """<html><body><p>Hi {{ user.id }}</p>
<a href="https://shop.example.com/?p={{ user.id }}&amp;q=1">Shop</a>
<a href="mailto:shop@example.com">Write</a> {{ url.unsubscribe }} {{ url.permalink }}
</body></html>"""
NEWS = Message(
    title="News",
    kind="marketing",
    topic="weekly",
    email=Email(from_="shop@example.com", subject="News", html=HTML),
)
TRACKING = Tracking(
    url="https://t.example.com",
    secrets=[Secret("correct-horse-battery")],
    opens=True,
    clicks=True,
    utm={"source": "news", "campaign": "{{ message.title }}"},
)


def rendered(tracking: Tracking | None = TRACKING, message: Message = NEWS) -> RenderedEmail:
    made = Renderer(tracking=tracking).render(message, ADA, "email", key=KEY, now=NOON)
    assert isinstance(made, RenderedEmail)
    return made


def told(link: str) -> tuple[str, ...]:
    """What a link of ours names, but for the delivery, which is ours."""
    kinds = {"c": "click", "o": "open", "u": "preferences", "v": "view"}
    kind, _, token = link.removeprefix("https://t.example.com/").partition("/")
    found = TRACKING.read(kinds[kind], token)  # type: ignore[arg-type]
    assert found.digest == key_digest(KEY)
    return kinds[kind], found.url or found.address


def test_links_and_picture_are_in_the_html() -> None:
    """Clicks lead over us with their UTM, the ways out do not; the text part has plain links."""
    made = rendered()
    root = lxml_html.fromstring(made.html)
    shop, write, out, view = [str(one.get("href")) for one in root.iter("a")]
    shop_url = "https://shop.example.com/?p=u1&q=1&utm_source=news&utm_campaign=News"
    assert told(shop) == ("click", shop_url)
    assert write == "mailto:shop@example.com"
    assert told(out) == ("preferences", "ada@example.org")
    assert told(view) == ("view", "")
    [picture] = root.iter("img")
    assert told(str(picture.get("src"))) == ("open", "")
    assert "https://shop.example.com/?p=u1&q=1" in made.text


def test_one_click_is_in_the_headers() -> None:
    """RFC 8058: both header fields, the link over https, and both are signed with DKIM."""
    made = rendered()
    link = made.headers["List-Unsubscribe"].strip("<>")
    assert told(link) == ("preferences", "ada@example.org")
    assert made.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    signer = Signer("example.com", "v1", Ed25519PrivateKey.generate())
    signed = made.signed(KEY, [signer])
    [names] = re.findall(rb"\bh=([^;]+);", re.sub(rb"\r\n[ \t]+", b"", signed))
    assert {b"list-unsubscribe", b"list-unsubscribe-post"} <= set(names.lower().split(b":"))


def test_the_same_key_has_the_same_bytes() -> None:
    """In another process too; another key has other links."""
    one = rendered().mime(KEY)
    renderer = pickle.loads(pickle.dumps(Renderer(tracking=TRACKING)))
    again = renderer.render(NEWS, ADA, "email", key=KEY, now=NOON)
    assert again.mime(KEY) == one
    other = renderer.render(NEWS, ADA, "email", key="other", now=NOON)
    assert other.html != again.html


def test_the_message_decides_over_the_project() -> None:
    """track_opens and track_clicks of the message; the provider is told to leave it to us."""
    email = Email(
        from_="shop@example.com", subject="x", html=HTML, track_opens=False, track_clicks=False
    )
    quiet = rendered(message=Message(title="t", email=email))
    assert "https://shop.example.com/?p=u1&amp;q=1&amp;utm_source=news" in quiet.html
    assert "<img" not in quiet.html
    assert (quiet.track_opens, quiet.track_clicks) == (False, False)
    off = replace(TRACKING, opens=False, clicks=False, utm={})
    email = Email(from_="shop@example.com", subject="x", html=HTML, track_clicks=True)
    loud = rendered(off, Message(title="t", email=email))
    assert "https://t.example.com/c/" in loud.html
    assert "<img" not in loud.html
    assert (loud.track_opens, loud.track_clicks) == (None, False)


def test_without_a_project_that_tracks_nothing_changes() -> None:
    """Off by default, and a project with [tracking] alone only has the ways out."""
    plain = Message(
        title="t",
        email=Email(from_="a@b.example", subject="x", html="<a href='https://a.example/'>x</a>"),
    )
    before = rendered(None, plain)
    after = rendered(replace(TRACKING, opens=False, clicks=False, utm={}), plain)
    assert before == after
    assert before.mime(KEY) == after.mime(KEY)


def test_other_contents_have_a_way_out() -> None:
    """A text message by its number, a push by the user's address."""
    message = Message(
        title="t",
        sms=Sms(body="{{ url.unsubscribe_link }}"),
        push=Push(title="{{ url.unsubscribe_link }}"),
    )
    renderer = Renderer(tracking=TRACKING)
    sms = renderer.render(message, ADA, "sms", key=KEY)
    push = renderer.render(message, ADA, "push", key=KEY)
    assert told(sms.body) == ("preferences", "+420601000001")  # type: ignore[union-attr]
    assert told(push.title) == ("preferences", "ada@example.org")  # type: ignore[union-attr]


TABLE = """
[tracking]
url = "https://t.example.com"
secrets = [{ env = "TRACKING_SECRET" }]
clicks = true
"""


def test_the_project_has_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """[tracking] makes the renderer's; environments do not know each other's links."""
    (tmp_path / "vero-deliver.toml").write_text(TABLE + "[env.prod]\n")
    monkeypatch.setenv("TRACKING_SECRET", "correct-horse-battery")
    links = []
    for env in ("dev", "prod"):
        made = Project.find(tmp_path, env=env).renderer().render(NEWS, ADA, "email", key=KEY)
        assert isinstance(made, RenderedEmail)
        links.append(json.dumps(made.html))
    assert all("https://t.example.com/c/" in html for html in links)
    assert links[0] != links[1]


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        (None, r"toml:4: tracking.secrets: .*TRACKING_SECRET is not set"),
        ("hunter2", r"toml:4: tracking.secrets: .*16 characters"),
    ],
)
def test_a_secret_that_is_none_is_named(
    secret: str | None, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With file, line and key; without showing it."""
    (tmp_path / "vero-deliver.toml").write_text(TABLE)
    monkeypatch.delenv("TRACKING_SECRET", raising=False)
    if secret:
        monkeypatch.setenv("TRACKING_SECRET", secret)
    with pytest.raises(ConfigError, match=words) as caught:
        Project.find(tmp_path).renderer()
    assert "hunter2" not in str(caught.value)
