"""HTML as a tree: what a reader sees, and where the tags stand."""

from __future__ import annotations

import pytest

from vero_deliver.check.dom import Page


def outline(html: str) -> str:
    """Names nested in parentheses."""

    def shown(element: object) -> str:
        inner = " ".join(shown(c) for c in element.children if not isinstance(c, str))  # type: ignore[attr-defined]
        return f"{element.name}({inner})" if inner else element.name  # type: ignore[attr-defined]

    return shown(Page(html))


@pytest.mark.parametrize(
    ("html", "tree"),
    [
        ("<p>a<p>b", "(p p)"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", "(ul(li li(ul(li))))"),
        ("<table><tr><td>a<td>b<tr><td>c</table><p>", "(table(tr(td td) tr(td)) p)"),
        ("<p>a<table><tr><td><p>b</td></tr></table></p>c", "(p table(tr(td(p))))"),
        ("<td><b>x</td></b></p>", "(td(b))"),
        ("<table><tr><td></table></div><i>", "(table(tr(td)) i)"),
        ("<br><img src=a><hr/>x<b/>y", "(br img hr b)"),
        ("<v:rect><v:fill/></v:rect><p>", "(v:rect(v:fill) p)"),
        ("<head><title>a<b></title><body><a>", "(head(title) body(a))"),
        ("<p><a <b", "(p)"),
        ("<![endif]><a></a><![end[x>y<b></b>", "(a b)"),
        ("", ""),
    ],
)
def test_the_tree(html: str, tree: str) -> None:
    """End tags that may be left out, void elements, VML, and what is no HTML at all."""
    assert outline(html) == tree


def test_text_is_what_is_seen() -> None:
    """No styles, nothing hidden, blocks apart, blanks one."""
    page = Page(
        "<style>p{}</style><div style='DISPLAY : none'>pre</div><p>One&nbsp;\n two</p><p>three"
        "<br>four<b>five</b><span style='visibility:hidden'>x</span><!-- no --></p>"
        "<table><tr><td>a</td><td>b</td></tr></table>"
    )
    assert page.text == "One two three fourfive a b"


def test_a_tag_knows_its_place() -> None:
    """Line and column, from 1."""
    [link] = Page("<p>\n  <a\n href='x'>").find("a")
    assert (link.line, link.column) == (2, 3)


def test_of_two_attributes_the_first_counts() -> None:
    """As in browsers; character references are read."""
    [link] = Page('<a href="a?b&amp;c" HREF="d" title>').find("a")
    assert link.attributes == {"href": "a?b&c", "title": ""}


def test_depth_is_no_limit() -> None:
    """Markup nested deeper than Python calls is read like any other."""
    page = Page("<div>" * 20_000 + "<a href='x'>deep</a>")
    assert page.text == "deep"
    assert len(list(page.find("a"))) == 1
