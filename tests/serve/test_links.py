"""Links of HTML: changed where they are, and nothing else with them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from vero_deliver.render.links import rewrite
from vero_deliver.render.tracked import with_links
from vero_deliver.secret import Secret
from vero_deliver.tracking import Tracking

TRACKING = Tracking(
    url="https://t.example.com",
    secrets=[Secret("correct-horse-battery")],
    utm={"source": "news", "campaign": "a b&c"},
)


def tracked(html: str) -> str:
    return with_links(html, TRACKING, "order-1-email", {"https://example.com/out?u=1&k=2"})


def aim(href: str) -> str:
    """Where a link of ours leads to; anything else as it is."""
    if not href.startswith("https://t.example.com/c/"):
        return href
    return TRACKING.clicked(href.rpartition("/")[2])[1]


def hrefs(html: str) -> list[str]:
    """As another parser reads them."""
    return [one.get("href") for one in lxml_html.fromstring(html).iter("a", "area")]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ('href="https://a.example/"', "https://a.example/"),
        ("href='https://a.example/?a=1&amp;b=2'", "https://a.example/?a=1&b=2"),
        ("href=https://a.example/x", "https://a.example/x"),
        ('HREF = "https://a.example/"', "https://a.example/"),
        ('class="b"\nhref="https://a.example/"id=1', "https://a.example/"),
        ('href="https://a.example/?a=1&copy=2&reg;"', "https://a.example/?a=1&copy=2®"),
        ('href="https://a.example/?a=1&copy"', "https://a.example/?a=1©"),
        ('href="https://a.example/?a=1&notx=2&#38;c=&#x33"', "https://a.example/?a=1&notx=2&c=3"),
        ("title=it's href='https://a.example/'", "https://a.example/"),
        ('title="<a href=x>" href="https://a.example/"', "https://a.example/"),
        ('href="https://a.example/" href="https://b.example/"', "https://a.example/"),
    ],
)
def test_a_link_is_read_as_browsers_read_it(written: str, read: str) -> None:
    """Quotes of either kind or none, references with and without semicolon, the first of two."""
    found: list[str] = []

    def seen(url: str) -> str:
        found.append(url)
        return url

    html = f"<p><a {written}>x</a></p>"
    assert rewrite(html, seen) == html
    assert found == [read]
    assert '"https://x.example/?a&amp;b"' in rewrite(html, lambda _: "https://x.example/?a&b")


@pytest.mark.parametrize(
    "html",
    [
        '<!--[if mso]><a href="https://a.example/">x</a><![endif]-->',
        "<style>a:after { content: '<a href=\"https://a.example/\">' }</style>",
        '<title><a href="https://a.example/"></title>',
        "<img alt=\"<a href='https://a.example/'>\">",
        '<a data-vero-track="off" href="https://a.example/">x</a>',
        '<a href="https://a.example/" data-vero-track=OFF>x</a>',
        '<a href="mailto:ada@example.org">x</a><a href="tel:+420">x</a><a href="#top">x</a>',
        '<a href="javascript:alert(1)">x</a><a href="//evil.example/">x</a><a href>x</a>',
        '<a href="https://user:pw@a.example/">x</a><a href="http:///x">x</a><a href="/x">x</a>',
        '<a href="https://example.com/out?u=1&amp;k=2">Unsubscribe</a>',
        '<a href="https://t.example.com/u/abc.def">Unsubscribe</a>',
        '<link href="https://a.example/"><abbr href="https://a.example/">x</abbr>',
        '<a href="https://a.example/',
    ],
)
def test_what_is_no_link_to_follow_stays(html: str) -> None:
    """Comments, raw text, values of attributes, other schemes, our own links, and by request."""
    assert tracked(html) == html


def test_what_only_browsers_see_is_a_link() -> None:
    """What conditional comments hide from Outlook alone is no comment to others."""
    html = '<!--[if !mso]><!--><a href="https://a.example/">x</a><!--<![endif]-->'
    done = tracked(html)
    assert done.startswith("<!--[if !mso]><!--><a href=")
    assert done.endswith(">x</a><!--<![endif]-->")
    assert [aim(href) for href in hrefs(done)] == [
        "https://a.example/?utm_source=news&utm_campaign=a+b%26c"
    ]


TEXT = st.text(alphabet="ab &;=<>\"'-!/?#é\n", max_size=12)
ATTRIBUTE = st.one_of(
    st.builds('href="{}"'.format, st.sampled_from(
        ["https://a.example/?x=1&amp;y=2", "http://b.example/#f", "mailto:x@y", "#", "ftp://x/"]
    )),
    st.builds("title='{}'".format, TEXT.map(lambda text: text.replace("'", ""))),
    st.sampled_from(["hidden", "class=x", "data-vero-track=off", "href=https://c.example/?a"]),
)  # fmt: skip
PIECE = st.one_of(
    st.builds(
        "<{} {}>".format,
        st.sampled_from(["a", "A", "area", "p", "img", "td"]),
        st.lists(ATTRIBUTE, max_size=3).map(" ".join),
    ),
    st.sampled_from(["</a>", "</p>", "<br/>", "<!-- <a href='https://x.example/'> -->", "&amp;"]),
    st.sampled_from(["<style>a > b {}</style>", "<!--[if !mso]><!-->", "<!--<![endif]-->"]),
    TEXT,
)


def other(html: str) -> list[tuple[object, ...]]:
    """Everything of the document but what links lead to, as libxml2 reads it."""
    root = lxml_html.document_fromstring(f"<html><body>{html}</body></html>")
    return [
        (
            str(node.tag),
            node.text,
            node.tail,
            tuple(
                (name, "" if (node.tag, name) in (("a", "href"), ("area", "href")) else value)
                for name, value in node.attrib.items()
            ),
        )
        for node in root.iter()
    ]


@given(st.lists(PIECE, max_size=12).map("".join))
def test_only_where_links_lead_changes(html: str) -> None:
    """The rest of the document is the same, and doing it twice is doing it once."""
    done = tracked(html)
    assert tracked(done) == done
    assert other(done) == other(html)


@given(st.text(alphabet="<a href='\"!-=>/x&;\\ \n", max_size=60))
def test_noise_is_left_alone(noise: str) -> None:
    """What has no URL in it comes out as it went in, and what is cut off harms nothing."""
    assert tracked(noise) == noise


def test_much_that_never_ends_takes_no_time() -> None:
    """Openings without an end are read once, not once for each of them."""
    for opening in ("<a href='", "<!--", "<a ", "<style>", "<a x=", "&"):
        tracked(opening * 50_000)
