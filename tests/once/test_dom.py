"""What the comparison of documents sees, and what it takes for the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from once import engines
from once.dom import difference
from once.engines import Result
from once.judge import compare
from once.mutate import DOCUMENTS, TEMPLATES, mutate
from once.shrink import shrink
from once.tree import parse

HEAD = "<style>a:hover{color:#abc}.x,.y{margin:0;margin-left:1px}</style>"
PAGE = (
    f"<!doctype html><html><head><title>T</title>{HEAD}</head><body>"
    '<table bgcolor="#ffffff"><tr><td class="a b" style="color:#abc;margin:0">one</td>'
    '<td>two <b>three</b> <i>four</i></td></tr></table><p class="x">five<br>six</p>'
    '<!-- note --><!--[if mso]><table width="9"><tr><td>&amp;<![endif]--><a href="https://x.example/?a=1&amp;b=2">go</a>'
    "<!--[if mso]></td></tr></table><![endif]--><pre> a  b\n</pre></body></html>"
)

CHANGED = {
    "element dropped": ("<br>", ""),
    "element renamed": ("<b>three</b>", "<strong>three</strong>"),
    "element moved": ("<b>three</b> <i>four</i>", "<i>four</i> <b>three</b>"),
    "elements nested": ("<b>three</b> <i>four</i>", "<b>three <i>four</i></b>"),
    "cell moved": ("</td><td>two", " two"),
    "text changed": ("five", "Five"),
    "text moved": ("five<br>six", "<br>fivesix"),
    "text escaped twice": ("?a=1&amp;b", "?a=1&amp;amp;b"),
    "space between inline elements": ("</b> <i>", "</b><i>"),
    "space before an inline element": ("two <b>", "two<b>"),
    "no-break space": ("two <b>", "two&nbsp;<b>"),
    "space in pre": (" a  b", " a b"),
    "attribute changed": ("a=1", "a=2"),
    "attribute dropped": (' bgcolor="#ffffff"', ""),
    "attribute added": ("<b>", '<b title="">'),
    "attribute renamed": ("bgcolor", "background"),
    "colour in an attribute": ('"#ffffff"', '"#fffffe"'),
    "colour in a style": ("color:#abc;", "color:#abd;"),
    "declaration dropped": (";margin:0", ""),
    "declaration important": (";margin:0", ";margin:0 !important"),
    "shorthand last": ("margin:0;margin-left:1px", "margin-left:1px;margin:0"),
    "class dropped": ('"a b"', '"a"'),
    "rule dropped": ("a:hover{color:#abc}", ""),
    "rule changed": ("a:hover{color:#abc}", "a:hover{color:#abd}"),
    "rule added for what is there": (HEAD, HEAD[:-8] + "p{color:red}</style>"),
    "rules swapped": (
        HEAD,
        "<style>.x,.y{margin:0;margin-left:1px}a:hover{color:#abc}</style>",
    ),
    "rule under a condition": ("a:hover{color:#abc}", "@media print{a:hover{color:#abc}}"),
    "font added": (HEAD, HEAD + "<style>@import url(https://x.example/f);</style>"),
    "title": ("<title>T", "<title>U"),
    "comment": ("note", "no"),
    "conditional comment's content": ('width="9"', 'width="8"'),
    "conditional comment's condition": ("[if mso]><table", "[if !mso]><table"),
    "conditional comment dropped": ("<!--[if mso]></td></tr></table><![endif]-->", ""),
    "conditional comment moved": (
        '<a href="https://x.example/?a=1&amp;b=2">go</a><!--[if mso]>',
        '<!--[if mso]><a href="https://x.example/?a=1&amp;b=2">go</a>',
    ),
    "markup in a conditional comment escaped": ("&amp;<![endif]", "&amp;lt;<![endif]"),
    "doctype": ("<!doctype html>", ""),
}


@pytest.mark.parametrize("kind", CHANGED)
def test_a_planted_change_is_found(kind: str) -> None:
    """Every kind, whichever side it is on; the rules of the second side may be more."""
    old, new = CHANGED[kind]
    changed = PAGE.replace(old, new, 1)
    assert changed != PAGE
    assert difference(PAGE, changed)
    if "added" not in kind:
        assert difference(changed, PAGE)


SAME = {
    "white space between blocks": ("</td><td>", "</td>\n  <td>"),
    "white space at a block's edge": ("<td>two ", "<td>\n  two\n"),
    "white space round a line break": ("five<br>six", "five \n<br>\n six"),
    "order of attributes": (
        'class="a b" style="color:#abc;margin:0"',
        'style="color:#abc;margin:0" class="a b"',
    ),
    "order of classes": ('"a b"', '"b  a"'),
    "order of unrelated declarations": ("color:#abc;margin:0", "margin: 0 ; color: #AABBCC;"),
    "length of a colour": ('"#ffffff"', '"#FFF"'),
    "quotes": ('class="x"', "class=x"),
    "rule for what is not there": (HEAD, HEAD[:-8] + ".mj-column-per-50{width:50%}</style>"),
    "empty at-rule": (HEAD, HEAD + "<style>@media print { }</style>"),
    "style elements joined": ("}.x,.y", "}</style><style>.x, .y"),
    "conditional comments split": (
        '<table width="9"><tr>',
        '<table width="9"><![endif]-->\n<!--[if mso]><tr>',
    ),
}


@pytest.mark.parametrize("kind", SAME)
def test_what_nobody_sees_is_no_difference(kind: str) -> None:
    """Spelling of markup and CSS that no reader's program tells apart."""
    old, new = SAME[kind]
    changed = PAGE.replace(old, new, 1)
    assert changed != PAGE
    assert difference(PAGE, changed) is None


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_lost_element_is_found_in_real_documents(document: str) -> None:
    """A table row, a link and an image less is seen in what each document renders to."""
    plain = engines.plain()
    html = engines.render(
        plain, engines.message((TEMPLATES / document).read_text(), document.partition(".")[2]), {}
    ).html
    for end in ("</tr>", "</a>", "</b>", "</li>"):
        at = html.rfind(end)
        if at >= 0:
            start = html.rfind(f"<{end[2:-1]}", 0, at)
            assert difference(html, html[:start] + html[at + len(end) :])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_tree_prints_what_was_written(document: str) -> None:
    """A mutant differs from its document by what was put in and by nothing else."""
    source = (TEMPLATES / document).read_text()
    assert str(parse(source)) == source


def test_the_same_seed_gives_the_same_mutant() -> None:
    """A failing case can be run again; another seed gives another."""
    assert mutate("receipt.mjml", "7") == mutate("receipt.mjml", "7")
    assert mutate("receipt.mjml", "7") != mutate("receipt.mjml", "8")


def test_shrinking_keeps_what_fails() -> None:
    """All that is not needed for the failure goes."""
    source = mutate("receipt.mjml", "7").source + "\n{{ a }}<i>{{ culprit }}</i>"
    assert shrink(source, lambda text: "{{ culprit }}" in text) == "{{ culprit }}"


RESULT = Result("Hi", PAGE, "text", "")
OTHERS = {
    "subject": replace(RESULT, subject="Ho"),
    "text": replace(RESULT, text="Text"),
    "html": replace(RESULT, html=PAGE.replace("five", "Five")),
    "error": Result(error="RenderError: email.html:2: there is no 'x'"),
}


@pytest.mark.parametrize("part", OTHERS)
def test_every_part_of_a_result_is_compared(part: str) -> None:
    """A difference names the part; an error on one side only is one."""
    assert compare(RESULT, OTHERS[part]).startswith(part)
    assert compare(OTHERS[part], RESULT).startswith(part)
    assert not compare(OTHERS[part], OTHERS[part])
