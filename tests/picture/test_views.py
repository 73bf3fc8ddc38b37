"""What clients make of an email: what goes, what changes, and that all else stays."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from views import example_emails, text_of

from vero_deliver.picture.colors import Color
from vero_deliver.picture.dark import by_media_query, forced_dark
from vero_deliver.picture.gmail import MAX_STYLES, gmail

VIEWS: list[Callable[[str], str]] = [gmail, forced_dark, by_media_query]
EMAILS = example_emails()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
@pytest.mark.parametrize("name", EMAILS)
def test_text_of_an_email_is_unchanged(view: Callable[[str], str], name: str) -> None:
    """No view adds, loses or moves a word."""
    assert text_of(view(EMAILS[name])) == text_of(EMAILS[name])


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
@pytest.mark.parametrize("name", EMAILS)
def test_view_of_a_view_is_the_view(view: Callable[[str], str], name: str) -> None:
    """Every view is idempotent."""
    assert view(view(EMAILS[name])) == view(EMAILS[name])


PIECES = st.sampled_from(
    ["<p ", "<style>", "</style>", "a{color:red}", "@media (prefers-color-scheme:dark){", "}", "'",
     '"', "<!--", "-->", "<svg>", "</p>", "style=", '"color:#000;position:fixed"', ">", "=", "/",
     " ", "x", "&lt;", "url(", ")", "/*", "*/", "\\", "<body>", "bgcolor=#fff", "<script>", "\n",
     "</script>", "<", ";", ":", "[", "background:white", "\0"]
)  # fmt: skip


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
@given(pieces=st.lists(PIECES, max_size=30))
def test_any_text_has_a_view(view: Callable[[str], str], pieces: list[str]) -> None:
    """Markup may be broken in any way: there is a view of it, and it is idempotent."""
    once = view("".join(pieces))
    assert view(once) == once


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
@pytest.mark.parametrize(
    "piece",
    ["<a", "<a x=", '<a x="', "<!--", "</style ", "<style>a{b:url(", "<style>/*", "<style>'",
     "<style>@media x{", "<style>{", '<p style="a:b;']
)  # fmt: skip
def test_hostile_markup_is_read_in_one_pass(view: Callable[[str], str], piece: str) -> None:
    """A hundred thousand of what may be unfinished take no seconds, nor the stack."""
    view(piece + piece.removeprefix("<style>") * 100_000 + "}" * 100_000)


@given(st.text(alphabet="<>ab \"'=&", max_size=60))
def test_what_needs_no_change_stays_octet_for_octet(text: str) -> None:
    """Markup without anything that Gmail drops comes out as it was written."""
    assert gmail(text) == text


@pytest.mark.parametrize(
    ("style", "kept"),
    [
        ("color:red;position:absolute;top:0", "color:red;"),
        ("margin:-4px 0", None),
        ("margin:calc(4px - 1px) 0", "margin:calc(4px - 1px) 0"),
        ("--brand:red;color:var(--brand)", "color:var(--brand)"),
        ("background:conic-gradient(red,blue)", None),
        ("color:red;color:oklch(40% 0.2 30)", None),
        ("color:rgb(0 128 0)", None),
        ("color:rgb(0, 128, 0)", "color:rgb(0, 128, 0)"),
        ("list-style:url(x.png)", None),
        ("list-style:square", "list-style:square"),
        ("color:red !IMPORTANT", None),
        ("font-family:'a;b',serif;z-index:2", "font-family:'a;b',serif;"),
    ],
)
def test_gmail_keeps_of_a_style_attribute(style: str, kept: str | None) -> None:
    """Properties and values that caniemail.com says Gmail drops are dropped, one by one."""
    attribute = "" if kept is None else f' style="{escape(kept)}"'
    whole = f'<p style="{style}">x</p>'
    assert gmail(whole) == (whole if kept == style else f"<p{attribute}>x</p>")


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (".a{color:red}", ".a{color:red}"),
        ("@media (prefers-color-scheme: dark){.a{color:red}}.b{color:red}", ".b{color:red}"),
        ("@media (max-width:480px){.a{gap:0;inset:0}}", "@media (max-width:480px){.a{gap:0;}}"),
        ("@media (min-height:480px){.a{color:red}}", ""),
        ("@font-face{font-family:x;src:url(x.woff2)}.a{color:red}", ".a{color:red}"),
        ("@import url(x.css);.a{color:red}", ".a{color:red}"),
        (".a::before{content:'}'}.b{color:red}", ".b{color:red}"),
        (".a:hover{color:red}", ".a:hover{color:red}"),
        ("u + .body .a{color:red}", "u + .body .a{color:red}"),
        ("[data-x]{color:red}", ""),
        ("/* } */ .a{color:red}", "/* } */ .a{color:red}"),
    ],
)
def test_gmail_keeps_of_a_style_element(css: str, kept: str) -> None:
    """So are at-rules and selectors."""
    assert gmail(f"<style>{css}</style>") == f"<style>{kept}</style>"


@pytest.mark.parametrize(
    "html",
    [
        f"<style>a{{color:red}}{' ' * MAX_STYLES}</style>",
        "<body><style>a{color:red}</style>",
        "<style>@media screen{@font-face{font-family:x}}</style>",
        "<style>a{color:lab(50% 40 59)}</style>",
    ],
    ids=["too long", "in the body", "at in at", "modern colour"],
)
def test_gmail_drops_a_whole_style_element(html: str) -> None:
    """Where its styles are too long, in the body, or hold what Gmail cannot read."""
    assert "style" not in gmail(html)


def test_gmail_counts_all_style_elements_together() -> None:
    """The one that goes beyond the limit is dropped, the one before it stays."""
    long = f"<style>a{{color:red}}{' ' * (MAX_STYLES - 100)}</style>"
    assert gmail(f"{long}<style>{'b{color:red}' * 10}</style>") == long


def test_gmail_keeps_of_elements() -> None:
    """Unknown elements lose their tags and keep their text; scripts and links go."""
    html = (
        "<link href=x.css><meta name=color-scheme content=dark><meta charset=utf-8>"
        "<script>1</script><nav class=a>Shop</nav><form action=x><input name=y></form>"
        '<img src="cid:logo" srcset="2x.png 2x" alt=Logo><img src="data:image/png;base64,AA">'
    )
    assert gmail(html) == (
        "<meta charset=utf-8><u></u>Shop<u></u><form action=x><input name=y></form>"
        '<img src="cid:logo" alt=Logo><img>'
    )


@pytest.mark.parametrize(
    ("html", "dark"),
    [
        ('<p style="color:#000;background:#fff">', '<p style="color:#dbdbdb;background:#212121">'),
        ("<td bgcolor=white>", '<td bgcolor="#212121">'),
        ("<td bgcolor=white/>", "<td bgcolor=white/>"),  # the colour is "white/"
        ("<hr color='black' />", '<hr color="#dbdbdb" />'),
        ("<a href=/x/ style=color:black>", '<a href=/x/ style="color:#dbdbdb">'),
        ("<font\ncolor=black>x</font>", '<font color="#dbdbdb">x</font>'),
        ('<p style="color:#fff;background:#111">', '<p style="color:#fff;background:#111">'),
        ('<p style="color:rgba(0,0,0,.5)">', '<p style="color:rgba(219,219,219,0.5)">'),
        ('<p style="color:hsl(0,0%,0%)">', '<p style="color:#dbdbdb">'),
        ('<p style="border:1px solid #eee">', '<p style="border:1px solid #2a2a2a">'),
        ('<p style="background:transparent">', '<p style="background:transparent">'),
        ('<p style="background:url(white.png)">', '<p style="background:url(white.png)">'),
        ("<style>p{background:white}</style>", "<style>p{background:#212121}</style>"),
        (
            "<style>@media screen{p{color:navy}}</style>",
            "<style>@media screen{p{color:#d4abff}}</style>",
        ),
    ],
)
def test_forced_dark_mirrors_lightness(html: str, dark: str) -> None:
    """Light grounds and dark texts are mirrored, others left; in attributes and styles alike."""
    assert forced_dark(html).partition("</style>")[2] == dark


def test_forced_dark_lightens_what_the_email_does_not_colour() -> None:
    """The canvas, its text and its links are those of the client."""
    html = forced_dark("<!doctype html><html><head><title>x</title></head><p>y")
    assert html.startswith('<!doctype html><html><head><style data-view="forced-dark">:where(html)')


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_lch_and_back_is_the_same_colour(red: int, green: int, blue: int) -> None:
    """Every colour of the screen survives the way through LCH."""
    color = Color(red, green, blue)
    assert Color.of_lch(*color.lch()) == color


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_media_query_is_settled(scheme: str) -> None:
    """The query of the preferred scheme always holds, the other one never; others are kept."""
    html = (
        "<style>@media (prefers-color-scheme: dark) and (max-width:9px){a{b:c}}"
        "@media screen{@media (prefers-color-scheme:light){a{b:c}}}</style>"
        '<source media="(prefers-color-scheme: dark)">'
    )
    always, never = "(min-width:0px)", "(max-width:0px)"
    dark, light = (always, never) if scheme == "dark" else (never, always)
    assert by_media_query(html, scheme) == (  # type: ignore[arg-type]
        f"<style>@media {dark} and (max-width:9px){{a{{b:c}}}}"
        f"@media screen{{@media {light}{{a{{b:c}}}}}}</style>"
        f'<source media="{dark}">'
    )
