"""What is in a link of ours, and that nobody else can make one."""

from __future__ import annotations

import pickle

import pytest

from vero_deliver.errors import ConfigError
from vero_deliver.mime import key_digest
from vero_deliver.secret import Secret
from vero_deliver.testing import HOSTILE_KEYS
from vero_deliver.tracking import LONGEST_URL, Purpose, Tracking, destination

SECRET, FORMER = Secret("correct-horse-battery"), Secret("a-secret-of-last-year")
TRACKING = Tracking(url="https://t.example.com", secrets=[SECRET], env="prod")
KEY = "order-1001-shipped-email"


def token(link: str) -> str:
    return link.rpartition("/")[2]


def links(tracking: Tracking = TRACKING, key: str = KEY) -> dict[Purpose, str]:
    """One of each kind."""
    return {
        "click": tracking.click(key, "https://example.com/a?b=1#c"),
        "open": tracking.open(key),
        "preferences": tracking.preferences(key, "email", "žofie@example.org", "news"),
        "view": tracking.view(key),
    }


def test_a_link_names_what_it_was_made_of() -> None:
    """Delivery, destination, address and topic come back, whatever the key is made of."""
    for key in HOSTILE_KEYS:
        made = links(key=key)
        for purpose, link in made.items():
            assert TRACKING.read(purpose, token(link)).digest == key_digest(key)
        assert TRACKING.read("click", token(made["click"])).url == "https://example.com/a?b=1#c"
        told = TRACKING.read("preferences", token(made["preferences"]))
        assert (told.content, told.address, told.topic) == ("email", "žofie@example.org", "news")
    assert links() == links()


def test_links_are_short() -> None:
    """A mail of more than 102 KB is cut by Gmail: beyond the URL itself a link has under 150."""
    url = "https://shop.example.com/products/4711?color=blue"
    assert len(TRACKING.click(KEY, url)) - len(url) < 120
    assert len(TRACKING.open(KEY)) < 80


def test_any_change_is_noticed() -> None:
    """No octet of a token may be changed, none be missing or added."""
    for purpose, link in links().items():
        good = token(link)
        changed = {
            good[:n] + chr(ord(c) ^ 1 << bit) + good[n + 1 :]
            for n, c in enumerate(good)
            for bit in range(7)
        }
        changed |= {good[:n] for n in range(len(good))} | {good + "A", good + ".", "." + good}
        changed |= {"", ".", "ž.ž", "A" * 10_000, good.replace(".", "")}
        for each in changed - {good}:
            with pytest.raises(ValueError, match="token"):
                TRACKING.read(purpose, each)


def test_a_link_is_good_for_one_thing() -> None:
    """Not for another purpose, another environment or another project."""
    others = [
        Tracking(url=TRACKING.url, secrets=[SECRET], env="dev"),
        Tracking(url=TRACKING.url, secrets=[FORMER], env="prod"),
    ]
    for purpose, link in links().items():
        for other in links():
            if other != purpose:
                with pytest.raises(ValueError, match="not signed"):
                    TRACKING.read(other, token(link))
        for tracking in others:
            with pytest.raises(ValueError, match="not signed"):
                tracking.read(purpose, token(link))


def test_secrets_can_be_changed() -> None:
    """The newest signs; a former one is read while it is given."""
    both = Tracking(url=TRACKING.url, secrets=[SECRET, FORMER], env="prod")
    old = Tracking(url=TRACKING.url, secrets=[FORMER], env="prod")
    assert both.open(KEY) == TRACKING.open(KEY)
    assert both.read("open", token(old.open(KEY))).digest == key_digest(KEY)


@pytest.mark.parametrize(
    ("href", "url"),
    [
        (" https://example.com/a b", ""),
        (" HTTPS://Example.com/ä?ö=ü#ß ", "https://Example.com/%C3%A4?%C3%B6=%C3%BC#%C3%9F"),
        ("https://example.com/100%?q=%20\"<x>'", "https://example.com/100%?q=%20%22%3Cx%3E'"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/x"),
        ("https://ex\nample.com/\t", "https://example.com/"),
        ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("http://example.com:/x", "http://example.com/x"),
        ("https://example.com\r\n\r\nSet-Cookie:a", ""),
        ("https://example.com/\r\nSet-Cookie: a", ""),
        ("https://example.com\x00.evil.example/", ""),
        ("//evil.example/", ""),
        ("https:evil.example/", ""),
        ("https:///evil.example/", ""),
        ("https:\\\\evil.example/", ""),
        ("https://good.example\\@evil.example/", ""),
        ("https://good.example@evil.example/", ""),
        ("https://u:p@evil.example/", ""),
        ("https://ev%69l.example/", ""),
        ("https://good.example／evil.example/", ""),
        ("https://example.com:99999/", ""),
        ("https://[::1/", ""),
        ("https://", ""),
        ("javascript:alert(1)//https://a.example/", ""),
        ("data:text/html,x", ""),
        ("https://example.com/\ud800", ""),
        ("https://example.com/" + "a" * LONGEST_URL, ""),
    ],
)
def test_where_a_click_may_lead(href: str, url: str) -> None:
    """http and https with a host that is one, as a header may have it; else nowhere."""
    assert destination(href) == url
    assert destination(url) == url


def test_a_token_that_leads_elsewhere_leads_nowhere() -> None:
    """Signed or not: what `destination` would not have given is not gone to."""
    for url in ("javascript:alert(1)", "//evil.example/", "https://a.example/\r\nX: y", ""):
        with pytest.raises(ValueError, match="leads nowhere"):
            TRACKING.read("click", token(TRACKING.click(KEY, url)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": "t.example.com"}, "url: "),
        ({"url": "https://t.example.com/?x=1"}, "url: "),
        ({"url": "https://u:p@t.example.com"}, "url: "),
        ({"secrets": []}, "secrets: give the secret"),
        ({"secrets": [Secret("hunter2")]}, "secrets: .*less than 16 characters"),
        ({"utm": {"sauce": "x"}}, "utm: unknown 'sauce'.*source"),
    ],
)
def test_mistakes_name_their_option(options: dict[str, object], words: str) -> None:
    """And show no secret."""
    given: dict[str, object] = {"url": "https://t.example.com", "secrets": [SECRET]}
    with pytest.raises(ConfigError, match=words) as caught:
        Tracking(**(given | options))  # type: ignore[arg-type]
    assert "hunter2" not in str(caught.value)


def test_secrets_do_not_show() -> None:
    """Not in a repr; other processes get them and make the same links."""
    assert "correct-horse" not in repr(TRACKING)
    assert links(pickle.loads(pickle.dumps(TRACKING))) == links()
