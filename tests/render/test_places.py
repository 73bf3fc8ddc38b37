"""Values are escaped for where they stand, and harmless ones come through as they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import DictLoader
from lxml import html as lxml_html
from making import email

from vero_deliver.errors import RenderError
from vero_deliver.render import Renderer
from vero_deliver.render.environment import make
from vero_deliver.render.places import in_places, read

_ENVIRONMENT = make("html", "strict", DictLoader({}))
_BOTH = [Renderer(), Renderer(compile_once=False)]
_WAYS = pytest.mark.parametrize("renderer", _BOTH, ids=["once", "plain"])


def shown(renderer: Renderer, body: str, **data: object) -> str:
    return email(renderer, html=body, data=data).html


def refusal(renderer: Renderer, body: str, **data: object) -> str:
    with pytest.raises(RenderError) as raised:
        shown(renderer, body, **data)
    return str(raised.value)


@_WAYS
@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "java\tscript:alert(1)",
        "\x01javascript:alert(1)",
        "vbscript:x",
        "data:text/html,<script>alert(1)</script>",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "file:///etc/passwd",
    ],
)
@pytest.mark.parametrize("attribute", ["href", "src", "background", "action"])
def test_an_address_never_runs_as_code(renderer: Renderer, address: str, attribute: str) -> None:
    """Whatever its case and the white space in it, and whatever the attribute."""
    body = f'<p>x</p>\n<a {attribute}="{{{{ link }}}}">x</a>'
    words = refusal(renderer, body, link=address)
    assert "is no address for an email" in words
    assert ":2: " in words


@_WAYS
@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/?a=1&b=2#c",
        "http://example.com",
        "mailto:ada@example.com",
        "tel:+420123",
        "myapp://orders/1",
        "/relative",
        "#anchor",
        "?q=javascript:alert(1)",
        "page:8080",
        "data:image/png;base64,AA==",
    ],
)
def test_addresses_come_through(renderer: Renderer, address: str) -> None:
    """Schemes of apps, relative ones and pictures are nobody's danger."""
    found = shown(renderer, '<a href="{{ link }}">x</a>', link=address)
    assert lxml_html.document_fromstring(found).xpath("//a/@href") == [address]


@_WAYS
def test_only_the_start_of_an_address_chooses_its_scheme(renderer: Renderer) -> None:
    """Behind the author's own text there is no scheme left to choose."""
    found = shown(renderer, '<a href="https://x.example/{{ path }}">x</a>', path="javascript:1")
    assert "https://x.example/javascript:1" in found


@_WAYS
@pytest.mark.parametrize(
    "value",
    ["red;display:none", "red}a{", "expression(alert(1))", "url(javascript:x)", "a\\3b b", "x/*<"],
)
def test_a_css_value_stays_one_value(renderer: Renderer, value: str) -> None:
    """In a style attribute and in a style element."""
    in_attribute = '<p style="color: {{ colour }}">x</p>'
    in_element = "<style>p { color: {{ colour }} }</style><p>x</p>"
    assert "cannot stand here as a CSS value" in refusal(renderer, in_attribute, colour=value)
    assert "cannot stand here as a CSS value" in refusal(renderer, in_element, colour=value)


@_WAYS
@pytest.mark.parametrize("value", ["red", "#0a7f3f", "rgb(1, 2, 3)", "'Open Sans', Arial", "12px"])
def test_css_values_come_through(renderer: Renderer, value: str) -> None:
    """Quotes of a font's name are quotes, in attributes and in elements."""
    body = '<style>b { font: {{ v }} }</style><p style="font: {{ v }}">x</p><b>y</b>'
    document = lxml_html.document_fromstring(shown(renderer, body, v=value))
    for name in ("p", "b"):
        [style] = document.xpath(f"//{name}/@style")
        assert style.replace('"', "'").replace(" ", "") == f"font:{value};".replace(" ", "").rstrip(
            ";"
        ) or style.replace('"', "'").replace(" ", "") == f"font:{value};".replace(" ", "")


@_WAYS
def test_an_address_in_css_cannot_end_it(renderer: Renderer) -> None:
    """Quotes and brackets are %-encoded."""
    body = "<p style=\"background: url('{{ picture }}')\">x</p>"
    found = shown(renderer, body, picture="https://x.example/a');color:red")
    assert "https://x.example/a%27%29;color:red" in found
    assert "is no address" in refusal(renderer, body, picture="javascript:1")


@_WAYS
def test_a_comment_stays_a_comment(renderer: Renderer) -> None:
    """Data does not end it."""
    found = shown(renderer, "<!-- {{ note }} --><p>x</p>", note="--><script>alert(1)</script>")
    assert not lxml_html.document_fromstring(found).xpath("//script")


@_WAYS
def test_what_only_outlook_reads_is_html_too(renderer: Renderer) -> None:
    """A conditional comment's attributes are attributes."""
    body = '<!--[if mso]><v:rect href="{{ link }}"></v:rect><![endif]--><p>x</p>'
    assert "is no address" in refusal(renderer, body, link="javascript:1")
    assert "x--y" not in shown(renderer, body, link="https://example.com/x--y-->z")


@_WAYS
def test_a_value_without_quotes_adds_no_attribute(renderer: Renderer) -> None:
    """White space in it is a reference."""
    found = shown(renderer, "<p title={{ name }}>x</p>", name="a onclick=alert(1) b='c'")
    [element] = lxml_html.document_fromstring(found).xpath("//p")
    assert dict(element.attrib) == {"title": "a onclick=alert(1) b='c'"}


@_WAYS
def test_markup_that_the_author_calls_safe_is_left_alone(renderer: Renderer) -> None:
    """`| safe` turns it off, as it does for all escaping."""
    body = '<a href="{{ link | safe }}">x</a>'
    assert 'href="javascript:void(0)"' in shown(renderer, body, link="javascript:void(0)")


@_WAYS
def test_mjml_attributes_that_become_css(renderer: Renderer) -> None:
    """A colour of a component adds no declaration."""
    mjml = (
        "<mjml><mj-body><mj-section><mj-column>\n"
        '<mj-text color="{{ colour }}">x</mj-text></mj-column></mj-section></mj-body></mjml>'
    )
    with pytest.raises(RenderError, match=r":2: .*CSS value"):
        email(renderer, html="", mjml=mjml, data={"colour": "red;display:none"})
    assert "color:teal" in email(renderer, html="", mjml=mjml, data={"colour": "teal"}).html


@_WAYS
def test_included_style_sheets_are_css(renderer: Renderer) -> None:
    """A file that ends in .css needs nothing round it to be known as CSS."""
    assert "| _css_value | _style" in in_places(_ENVIRONMENT, "a { color: {{ c }} }", css=True)
    del renderer


@pytest.mark.parametrize(
    "source",
    [
        "a{{ b }}c",
        "a {%- if b -%} c {%- endif -%} d",
        "{# <b> {{ x }} #}x{% raw %}{{ y }}{% endraw %}\n\n{{ z }}",
        "{{ {'a': 1}['a'] }}",
        "a {{ b",
        "a {%- if b",
    ],
)
def test_a_template_is_its_tokens(source: str) -> None:
    """Nothing is lost where a template is cut."""
    assert "".join(map(str, read(_ENVIRONMENT, source))) == source


_PIECES = st.sampled_from(
    ["<a href='", '<a href="', "'>", '">', "{{ x }}", "{% if x %}", "{% endif %}", "<style>",
     "</style>", "<!--", "-->", " style='", "a:", ";", "{", "}", "text", "\n", "{# c #}", "<p ",
     "{%- set y = 1 -%}", "<!--[if mso]>", "<![endif]-->", "<mj-text ", "/>", "url("]
)  # fmt: skip


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_lines_stay_where_they_are(source: str) -> None:
    """Errors of a template name the author's lines, whatever was put round its expressions."""
    placed = in_places(_ENVIRONMENT, source)
    assert placed.count("\n") == source.count("\n")
    assert re.sub(r" \((.*?)\)(?: \| _\w+)+ ", r"\1", placed) == source
