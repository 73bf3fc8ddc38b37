from __future__ import annotations

import re
import time
import unicodedata
from html import escape

import mjml
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vero_deliver.render.plaintext import plaintext
from vero_deliver.render.plaintext.html import Tag, tokens

URL = "https://vero.example/x"


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("  \n <p> </p>", ""),
        ("<p>One\n  two&nbsp;&nbsp;three</p>", "One two three\n"),
        ("<h1>Title</h1><p>One<br>two</p><p>three</p>", "Title\n\nOne\ntwo\n\nthree\n"),
        ("<div>a</div><div>b</div>", "a\nb\n"),
        ("a<br><br><br><br>b", "a\n\nb\n"),
        ("a <b>b</b>c <i> d</i>", "a bc d\n"),
        ("a<hr>b", "a\n\n----\n\nb\n"),
        ("<pre>\n  x\n    y\n\n\n\nz </pre>", "  x\n    y\n\nz\n"),
        (
            "1 < 2 &amp;&amp; 3 > 2 &lt;b&gt; &#8364; &#99999999999;",
            "1 < 2 && 3 > 2 <b> € \ufffd\n",
        ),
        pytest.param("&#" + "9" * 5000 + ";x", "\ufffdx\n", id="endless reference"),
        ("<img src=x alt='A cup'>", "A cup\n"),
        ("<head><title>T</title><style>a{}</style></head><body>b", "b\n"),
        ("<head><title>T</title><p>b", "b\n"),
        ("a<script>if (1 < 2) { '</p>' }</script>b", "ab\n"),
        ("a<!-- <p>no --> b<!--[if mso]><p>mso</p><![endif]-->", "a b\n"),
        ("<!--[if !mso]><!-->seen<!--<![endif]-->", "seen\n"),
        ("<ul><li>one<li>two</ul>after", "- one\n- two\n\nafter\n"),
        ("<ol start=9><li>x<li>y<ul><li>z</ul></ol>", "9. x\n10. y\n    - z\n"),
        ("<ul><li><p>one</p><p>more</p></li><li>two</li></ul>", "- one\n  more\n- two\n"),
        ("<dl><dt>Term<dd>Meaning</dl>", "Term\nMeaning\n"),
    ],
)
def test_blocks_and_text(html: str, text: str) -> None:
    """Blocks break lines, paragraphs stand apart, markup and what it hides is gone."""
    assert plaintext(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        (f'<a href="{URL}">Read</a>.', f"Read ({URL}).\n"),
        (f'<a href="{URL}">{URL}</a>', f"{URL}\n"),
        (f'<a href="{URL}">vero.example/x</a>', f"{URL}\n"),
        (f'<a href="{URL}"><b>vero</b>.example/x</a>!', f"{URL}!\n"),
        (f'<a href="{URL}"><img alt="Shop"></a>', f"Shop ({URL})\n"),
        (f'<a href="{URL}"><img src="logo.png"></a>', f"{URL}\n"),
        (f'<a href="{URL}"><img></a> <a href="{URL}">Shop</a>', f"Shop ({URL})\n"),
        (f'a<div><a href="{URL}"><img></a></div><a href="{URL}">b</a>', f"a\nb ({URL})\n"),
        (f'<a href="{URL}"></a>x', "x\n"),
        (f'<a href="{URL}"><h2>Card</h2><p>Body</p></a>x', f"Card\n\nBody ({URL})\n\nx\n"),
        (f'<a href="{URL}">one<a href="{URL}2">two</a>', f"one ({URL})two ({URL}2)\n"),
        ('<a href="mailto:a@b.example?subject=Hi">Write</a>', "Write (a@b.example)\n"),
        ('<a href="mailto:a%2Bc@b.example">a+c@b.example</a>', "a+c@b.example\n"),
        ('<a href="tel:+420601000001">Call</a>', "Call (+420601000001)\n"),
        ('<a href="vero://orders/1">Open</a>', "Open (vero://orders/1)\n"),
        ('<a href="#top">Top</a> <a href="">none</a> <a>bare</a>', "Top none bare\n"),
        ('<a href=" java\nscript:alert(1)">x</a>', "x\n"),
        ('<a href="https://v.example/?a=1&copy=2&amp;b=3">x</a>',
         "x (https://v.example/?a=1&copy=2&b=3)\n"),
        ('<a href="https://v.example/a b">x</a>', "x (https://v.example/a%20b)\n"),
    ],
)  # fmt: skip
def test_links(html: str, text: str) -> None:
    """A link is its text and where it leads, each said once."""
    assert plaintext(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<table><tr><th>Item<th>Price<tr><td>Pot<td>€39</table>", "Item  Price\nPot  €39\n"),
        ("<table><tr><th>A<th>B<tr><td>x<br>y<td>1</table>", "A  B\nx y  1\n"),
        ("<table><tr><td>Total<td>&nbsp;<td>€59</table>", "Total  €59\n"),
        ("<table><tr><td><p>a</p><td><p>1</p><tr><td><p>b</p><td><p>2</p></table>", "a  1\nb  2\n"),
        ("<table role=presentation><tr><td>a<tr><td>b</table>", "a\n\nb\n"),
        ("<table role=presentation><tr><td>logo<td>menu</table>", "logo  menu\n"),
        (
            "<table role=presentation><tr><td><p>left</p><td><p>right</p></table>",
            "left\n\nright\n",
        ),
        (
            "<table><tr><td><h2>L</h2><p>l</p><td><h2>R</h2><p>r</p></table>",
            "L\n\nl\n\nR\n\nr\n",
        ),
        (
            "<table><tr><td><table><tr><td>a<td>b</table></table>c",
            "a  b\n\nc\n",
        ),
        ("<table><tr><td><table><tr><td>a<td>b</table><td>c</table>", "a  b  c\n"),
        ("<td>stray</td><tr><td>cells", "stray\ncells\n"),
    ],
)
def test_tables(html: str, text: str) -> None:
    """Rows of data are lines, tables that lay out just flow."""
    assert plaintext(html) == text


@pytest.mark.parametrize(
    "hiding",
    [
        'style="display:none"',
        "style='color:red; DISPLAY : none !important'",
        'style="display:none;mso-hide:all"',
        'style="visibility:hidden;max-height:0"',
        'style="max-height:0px;overflow:hidden;opacity:0"',
        'style="opacity:0;mso-hide:all"',
        "hidden",
    ],
)
def test_hidden_elements_are_left_out(hiding: str) -> None:
    """What is hidden is gone with all it holds, and what follows is not."""
    html = f"<div {hiding}>a<div>b<img alt=c><br><a href={URL}>d</a></div>e</div>shown"
    assert plaintext(html) == "shown\n"


@pytest.mark.parametrize(
    "style",
    ["mso-hide:all", "text-decoration:none", "overflow:hidden", "font-size:0;line-height:0"],
)
def test_visible_elements_stay(style: str) -> None:
    """Styles of visible buttons and sections hide nothing."""
    assert plaintext(f'<div style="{style}">shown</div>') == "shown\n"


def test_preheader_padding_is_removed() -> None:
    """Invisible filling goes; the joiners that Persian and emoji need stay."""
    assert plaintext("Hi&#847; &zwnj; &nbsp; &#8199; &shy;" * 3 + "!") == "Hi Hi Hi !\n"
    assert plaintext("a&zwnj;&zwnj;&zwnj;b") == "a\u200cb\n"
    assert (
        plaintext("می&zwnj;خواهم 👩&zwj;💻 so&shy;ft a&#8203;b")
        == "می\u200cخواهم 👩\u200d💻 soft ab\n"
    )


MJML = f"""
<mjml><mj-head><mj-title>Title</mj-title><mj-preview>Preheader</mj-preview></mj-head><mj-body>
<mj-section><mj-column><mj-navbar base-url="https://vero.example">
  <mj-navbar-link href="/shop">Shop</mj-navbar-link>
  <mj-navbar-link href="/help">Help</mj-navbar-link>
</mj-navbar></mj-column></mj-section>
<mj-hero background-color="#222"><mj-text>Spring sale</mj-text>
  <mj-button href="{URL}">Order now</mj-button></mj-hero>
<mj-section><mj-column>
  <mj-text><h1>Hello</h1><p>Your order
    has <b>shipped</b>.</p></mj-text>
  <mj-table><tr><th>Item</th><th>Price</th></tr><tr><td>Pot</td><td>€39</td></tr></mj-table>
  <mj-spacer/><mj-divider/>
</mj-column></mj-section>
<mj-section><mj-column><mj-text>Left</mj-text></mj-column>
  <mj-column><mj-text>Right</mj-text></mj-column></mj-section>
<mj-section><mj-column><mj-social>
  <mj-social-element name="github" href="https://vero.example/g">GitHub</mj-social-element>
</mj-social><mj-image src="https://vero.example/p.gif" width="1px"/></mj-column></mj-section>
</mj-body></mjml>
"""


def test_mjml_reads_well() -> None:
    """Compiled MJML becomes what a person would have typed."""
    assert plaintext(mjml.mjml2html(MJML)) == (
        "Shop (https://vero.example/shop) Help (https://vero.example/help)\n\n"
        f"Spring sale\n\nOrder now ({URL})\n\n"
        "Hello\n\nYour order has shipped.\n\n"
        "Item  Price\nPot  €39\n\n"
        "Left\n\nRight\n\n"
        "GitHub (https://vero.example/g)\n"
    )


def seen(text: str) -> str:
    """The text without what nobody sees, one space for any white space."""
    kept = "".join(
        " " if char.isspace() or char == "\u2800" else char
        for char in text
        if char not in "\u00ad\u034f\u200b\u2060\ufeff"
        and (char.isspace() or unicodedata.category(char) not in ("Cc", "Cs"))
    )
    return " ".join(kept.split())


@given(st.text(st.characters(exclude_characters="\u200c\u200d")))
def test_escaped_text_reads_back(text: str) -> None:
    """Escaped text in a paragraph is that text, its white space collapsed."""
    expected = seen(text)
    assert plaintext(f"<p>{escape(text)}</p>") == (f"{expected}\n" if expected else "")


NAMES = (
    "a", "b", "body", "br", "div", "h1", "head", "hr", "img", "li", "ol", "p", "pre", "script",
    "span", "style", "table", "tbody", "td", "th", "title", "tr", "ul",
)  # fmt: skip
ATTRIBUTES = (
    "", f" href='{URL}'", " href=mailto:a@b.c", " style='display:none'", " hidden", " alt=x",
    " role=presentation", " style='display:inline-table'", " start=x", " value='5'",
)  # fmt: skip
start_tags = st.builds("<{}{}>".format, st.sampled_from(NAMES), st.sampled_from(ATTRIBUTES))
end_tags = st.builds("</{}>".format, st.sampled_from(NAMES))
soup = st.lists(start_tags | end_tags | st.text(max_size=4), max_size=60).map("".join)


@given(soup | st.text() | st.text("<>/!-='\" ap&#x;[]"))
def test_any_soup_becomes_tidy_text(html: str) -> None:
    """Nothing raises; no line ends in a space, no two blank lines, one line end at the end."""
    text = plaintext(html)
    lines = text.split("\n")
    assert "\n\n\n" not in text
    assert all(line == line.rstrip() for line in lines)
    assert not text or (text.endswith("\n") and text.strip())


@given(soup)
def test_no_tag_survives(html: str) -> None:
    """Whatever was a tag is not in the text."""
    tags = re.findall(r"</?[a-z][^<>]*>", html)
    assert not any(tag in plaintext(html) for tag in tags)


@pytest.mark.parametrize(
    "unit",
    ["<b>", "</b>", "<!--", "<a ", '<a x="', "<![", "&#9", "<a href=x>y", "<p>x", "<pre> \n",
     "<table><tr><td>a<td>b", "<ul><li>x", "\u200c", "<a href=x><img></a>", "< "],
)  # fmt: skip
def test_time_grows_with_length(unit: str) -> None:
    """Eight times the input takes nowhere near 64 times the time."""

    def seconds(length: int) -> float:
        html = unit * (length // len(unit))
        start = time.process_time()
        plaintext(html)
        return time.process_time() - start

    small = min(seconds(50_000) for _ in range(3))
    # the best of some: a loaded machine may take three times as long for one
    assert any(seconds(400_000) < 30 * max(small, 0.005) for _ in range(3))


def test_ten_thousand_unclosed_tags() -> None:
    """Depth costs no recursion."""
    assert plaintext("<div><b><table><tr><td>" * 10_000 + "deep") == "deep\n"


def test_tokens_decode_attributes_as_browsers_do() -> None:
    """The first of a name wins, quotes are optional, and `&copy=` is no copyright sign."""
    (tag,) = tokens("<A HREF='x?a=1&copy=2' href=y Title=\"a&amp;b\" hidden c=d/>")
    assert isinstance(tag, Tag)
    assert tag.name == "a"
    assert tag.attributes() == {
        "href": "x?a=1&copy=2",
        "title": "a&b",
        "hidden": "",
        "c": "d/",
    }
