"""Templates made to go wrong when they are compiled once, one difficulty each."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

import pytest

from once.engines import HAS_ENGINE
from once.judge import judge
from once.values import contexts

_CSS = ".a{color:#ff0000}.b{margin:0}td{padding:1px}p b{font-weight:900}"
_USERS = contexts(Random("hard"))


@dataclass(frozen=True, slots=True)
class Case:
    """body: from line 2 of the template. expect: what the engine must say; line: of its reason."""

    body: str
    expect: Literal["equal", "fallback", "either"] = "equal"
    line: int = 2
    css: str = _CSS


class Html(Case):
    """A whole document with a style element."""

    ending = "html"

    def source(self) -> str:
        head = f"<!doctype html><html><head><style>{self.css}</style></head>"
        return f"{head}<body>\n{self.body}\n</body></html>"


class Mjml(Case):
    """What stands in a column."""

    ending = "mjml"
    outside = ("<mj-section><mj-column>", "</mj-column></mj-section>")

    def source(self) -> str:
        start, end = self.outside
        head = f'<mj-head><mj-style inline="inline">{self.css}</mj-style></mj-head>'
        return f"<mjml>{head}<mj-body>{start}\n{self.body}\n{end}</mj-body></mjml>"


class Section(Mjml):
    """What stands in a section."""

    outside = ("<mj-section>", "</mj-section>")


class Body(Mjml):
    """What stands in the body."""

    outside = ("", "")


_HEAD = "<tr><td>Thing</td><td>Price</td></tr>"
_ROW = "<tr><td>{{ x.name }}</td></tr>"
_TEXT = "<mj-text>text</mj-text>"
_COLUMN = f"<mj-column>{_TEXT}</mj-column>"
_SECTION = f"<mj-section>{_COLUMN}</mj-section>"

CASES: dict[str, Html | Mjml] = {
    # constructs that stay where they are
    "if between components": Mjml(f"{_TEXT}{{% if vip %}}{_TEXT}{{% endif %}}"),
    "for between components": Mjml(
        f"{_TEXT}{{% for x in items %}}<mj-text>{{{{ x.name }}}}</mj-text>{{% endfor %}}"
    ),
    "the only user of a font": Mjml(f"{{% if vip %}}{_TEXT}{{% endif %}}", "either"),
    "if round a section": Body(f"{{% if vip %}}{_SECTION}{{% endif %}}{_SECTION}"),
    "for round a section": Body(f"{{% for x in items %}}{_SECTION}{{% endfor %}}{_SECTION}"),
    "less than in a condition": Mjml("<mj-text>{% if count < 3 %}few{% endif %}</mj-text>"),
    "rows of mj-table": Mjml(
        f"<mj-table>{_HEAD}{{% for x in items %}}{_ROW}{{% endfor %}}</mj-table>"
    ),
    "rows before a row": Mjml(
        f"<mj-table>{{% for x in items %}}{_ROW}{{% endfor %}}{_HEAD}</mj-table>"
    ),
    "nothing but rows": Mjml(
        f"<mj-table>{{% for x in items %}}{_ROW}{{% endfor %}}</mj-table>", "either"
    ),
    "rows of a table": Html(f"<table>{{% for x in items %}}{_ROW}{{% endfor %}}</table>", "either"),
    "rows of a tbody": Html(
        f"<table><tbody>{{% for x in items %}}{_ROW}{{% endfor %}}</tbody></table>"
    ),
    "href of an anchor": Html('<a class="a" href="{{ link }}">x</a>'),
    "href of a button": Mjml('<mj-button href="{{ link }}">{{ name }}</mj-button>'),
    "colour of a component": Mjml('<mj-text color="{{ colour }}">x</mj-text>', "either"),
    "quotes in a quoted attribute": Mjml(
        '<mj-button href="{{ links["main"] }}">x</mj-button>', "either"
    ),
    "remark with markup": Mjml('<mj-text>a{# <b> & "q" #}b</mj-text>'),
    "remark with less than": Mjml("<mj-text>a{# a < b #}b</mj-text>"),
    "white space control": Html("<p>\n a {%- if vip -%} b {%- endif -%} c</p>", line=3),
    "raw block": Html("<p>{% raw %}{{ not }}{% endraw %}</p>", "either"),
    "raw block with markup": Html("<p>{% raw %}<b>x</b>{% endraw %}</p>", "either"),
    "trans": Html("<p>{% trans name=name %}Dear <b>{{ name }}</b>{% endtrans %}</p>", "either"),
    "break": Html("<p>{% for x in items %}{% break %}{% endfor %}</p>"),
    "placeholder-like text": Html("<p>vJ0Q vJ1QS {{ name }} <!--vJ0Q--></p>", "either"),
    # start tags
    "if in a start tag": Html('<p {% if vip %}title="{{ name }}"{% endif %}>x</p>', "either"),
    "two ifs in a start tag": Html(
        "<td {% if vip %}nowrap{% endif %} align=left {% if paid %}title=x{% endif %}>x</td>",
        "either",
    ),
    "if in a component's start tag": Mjml(
        '<mj-text {% if vip %}align="right"{% endif %}>x</mj-text>', "either"
    ),
    "expression as attributes": Html("<p {{ 'hidden' if vip }}>x</p>", "either"),
    "expression as a tag's name": Html("<{{ 'b' if vip else 'i' }}>x</b>", "fallback"),
    "unquoted value": Html("<a href={{ link }}>x</a>", "either"),
    "class that is dynamic": Html('<p class="b{% if vip %} a{% endif %}">x</p>', "either"),
    "class from data": Html('<p class="{{ name }}">x</p>', "fallback"),
    "id from data": Html('<p id="{{ plan }}">x</p>', "fallback", css="#pro{color:#00ff00}"),
    "mj-class that is dynamic": Mjml(
        "<mj-text mj-class=\"{{ 'a' if vip else 'b' }}\">x</mj-text>", "either"
    ),
    "whole style": Html("<p style=\"{{ 'color:' ~ colour }}\">x</p>", "either"),
    "part of a style": Html('<p class="a" style="margin:1px;color:{{ colour }}">x</p>', "either"),
    "declaration under if": Html('<p style="{% if vip %}color:red{% endif %}">x</p>', "either"),
    # what MJML computes with
    "width of an image": Mjml('<mj-image src="a.png" width="{{ size }}px" />', "either"),
    "padding of an image": Mjml('<mj-image src="a.png" padding="{{ size }}px" />', "either"),
    "width of a column": Section(
        f'<mj-column width="{{{{ size }}}}px">{_TEXT}</mj-column>{_COLUMN}', "fallback"
    ),
    "if round a column": Section(f"{{% if vip %}}{_COLUMN}{{% endif %}}{_COLUMN}", "either"),
    "for round a column": Section(f"{{% for x in items %}}{_COLUMN}{{% endfor %}}", "fallback"),
    "if round a social element": Mjml(
        '<mj-social>{% if vip %}<mj-social-element name="github">x</mj-social-element>{% endif %}'
        "</mj-social>",
        "either",
    ),
    "if round a navbar link": Mjml(
        "<mj-navbar>{% if vip %}<mj-navbar-link href='/'>x</mj-navbar-link>{% endif %}</mj-navbar>",
        "either",
    ),
    "navbar in a loop": Body(
        "{% for x in items %}<mj-section><mj-column><mj-navbar hamburger='hamburger'>"
        "<mj-navbar-link href='/'>x</mj-navbar-link></mj-navbar></mj-column></mj-section>"
        "{% endfor %}",
        "fallback",
    ),
    "if in a wrapper": Body(
        f"<mj-wrapper>\n{{% if vip %}}{_SECTION}{{% endif %}}{_SECTION}</mj-wrapper>", "either", 3
    ),
    "if in a hero": Body(f"<mj-hero>{{% if vip %}}{_TEXT}{{% endif %}}{_TEXT}</mj-hero>", "either"),
    "expression between components": Mjml("{{ name }}", "either"),
    "components from a macro": Mjml(
        "{% macro line(x) %}<mj-text>{{ x }}</mj-text>{% endmacro %}\n{{ line(name) }}", "either", 3
    ),
    # CSS
    "colour in inlined CSS": Html("<p class='a'>x</p>", "either", 1, ".a{color:{{ colour }}}"),
    "rule under if": Html(
        "<p class='a'>x</p>", "either", 1, "{% if vip %}.a{color:#00ff00}{% endif %}"
    ),
    "rule in a loop": Html(
        "<p class='c1'>x</p>",
        "fallback",
        1,
        "{% for x in items %}.c{{ loop.index }}{color:red}{% endfor %}",
    ),
    "selector from data": Html("<p class='a'>x</p>", "fallback", 1, ".{{ plan }}{color:red}"),
    "name rebound round CSS": Html(
        "{% for colour in items %}<p class='a'>{{ colour.name }}</p>{% endfor %}",
        "either",
        1,
        ".a{color:{{ colour }}}",
    ),
    "first child under if": Html(
        "<div>{% if vip %}<p>x</p>{% endif %}<p>y</p></div>",
        "fallback",
        css="p:first-child{color:red}",
    ),
    "neighbour in a loop": Html(
        "<div>{% for x in items %}<p>x</p>{% endfor %}<i>y</i></div>",
        "fallback",
        css="p+i{color:red}",
    ),
    "every second row": Html(
        f"<table><tbody>{{% for x in items %}}{_ROW}{{% endfor %}}</tbody></table>",
        "fallback",
        css="tr:nth-child(2n) td{color:red}",
    ),
    "empty": Html("<p>{{ nothing }}</p>", "fallback", css="p:empty{display:none}"),
    "attribute selector": Html(
        '<a href="{{ link }}">x</a>', "fallback", css="a[href^=https]{color:red}"
    ),
    "safe markup meets CSS": Html("<p>{{ html_note | safe }}</p>", "either", css="em{color:red}"),
    # markup that is not balanced
    "branches that open and close": Html(
        "{% if vip %}<b>{% endif %}x{% if vip %}</b>{% endif %}", "fallback"
    ),
    "cells apart": Html(
        "<table><tr><td>{% if vip %}</td><td>{% endif %}x</td></tr></table>", "either"
    ),
    "one tag or another": Html("{% if vip %}<p class='a'>{% else %}<p>{% endif %}x</p>", "either"),
    "text in a table": Html(
        "<table>{% if vip %}stray{% endif %}<tr><td>x</td></tr></table>", "either"
    ),
    "paragraph in a paragraph": Html("<p>x{% if vip %}<div>y</div>{% endif %}z</p>", "either"),
    "items without end": Html(
        "<ul>{% for x in items %}<li>{{ x.name }}{% endfor %}</ul>", "either"
    ),
    "comment that opens under if": Html(
        "{% if vip %}<!-- {% endif %}x{% if vip %} -->{% endif %}", "fallback"
    ),
    # comments
    "expression in a comment": Html("<!-- {{ name }} --><p>x</p>", "either"),
    "conditional comment": Mjml(
        "<mj-raw><!--[if mso]><p>{% if vip %}{{ name }}{% endif %}</p><![endif]--></mj-raw>",
        "either",
    ),
    # errors of one user
    "missing for some": Html("<p>{% if late %}{{ nobody }}{% endif %}x</p>"),
    "division by nothing": Html("<p>{{ 10 // count }}</p>"),
    "abort for some": Html("<p>{% if late %}{{ abort('no') }}{% endif %}x</p>"),
}


@pytest.mark.parametrize("name", CASES)
def test_hard_case(name: str) -> None:
    """Equal for every user, and compiled or not as it must be, with the line that is the reason."""
    case = CASES[name]
    found = judge(case.source(), case.ending, _USERS)
    assert not found.wrong, f"{found.wrong}\n\n{case.source()}\n\nfor {found.data}"
    assert found.outcome != "refused"
    if not HAS_ENGINE:
        return
    assert case.expect == "either" or found.outcome == {"equal": "accepted"}.get(
        case.expect, case.expect
    ), found.reasons
    if found.outcome == "fallback":
        assert any(r.where.endswith(f":{case.line}") for r in found.reasons), found.reasons
