"""What templates ask for, read off their syntax."""

from __future__ import annotations

import pytest

from vero_deliver.check.uses import unescaped, uses, values
from vero_deliver.render.templates import Templates
from vero_deliver.source import Source

ENVIRONMENT = Templates().environment("html")


def asked(text: str) -> dict[str, str]:
    """Path to r(equired), p(rinted), g(uarded)."""
    return {
        str(use): "r" * use.required + "p" * use.printed + "g" * use.guarded
        for use in uses(ENVIRONMENT, Source(text, "messages/m/email.html", 10))
    }


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("{{ a.b }}", {"a.b": "rp"}),
        ("{{ a['b'] }}", {"a.b": "rp"}),
        ("{{ a | upper }}", {"a": "rp"}),
        ("{{ a | money('EUR') }}", {"a": "r"}),
        ("{{ a | fallback(b) }}", {"a": "g", "b": "r"}),
        ("{{ a | default('x') | upper }}", {"a": "g"}),
        ("{% if a is defined %}{{ a }}{% endif %}", {"a": "pg"}),
        ("{% if a %}{{ a }}{% else %}{{ b }}{% endif %}", {"a": "pg", "b": "p"}),
        ("{{ a if b else c }}", {"b": "r", "a": "", "c": ""}),
        ("{{ a and a.b }}", {"a": "r", "a.b": ""}),
        ("{% for x in a.b %}{{ x.c }}{{ loop.index }}{% endfor %}", {"a.b": "r", "a.b[].c": "p"}),
        ("{% for k, v in a.items() %}{{ k }}{{ v }}{% endfor %}", {"a.items": "r"}),
        ("{{ a[0].b }}", {"a[].b": "rp"}),
        ("{{ a[b] }}", {"a": "r", "b": "r"}),
        ("{% set x = a.b %}{{ x.c }}", {"a.b": "r", "a.b.c": "rp"}),
        ("{% set x %}{{ a }}{% endset %}{{ x }}", {"a": "rp"}),
        ("{% with x = a %}{{ x.b }}{% endwith %}", {"a": "r", "a.b": "rp"}),
        ("{% macro m(x) %}{{ x }}{{ a }}{% endmacro %}{{ m(b) }}", {"a": "p", "b": "r"}),
        ("{% trans n=a.b %}Hi {{ n }}{% endtrans %}", {"a.b": "r"}),
        ("{% trans %}Hi {{ a }}{% endtrans %}", {"a": "r"}),
        ("{{ _('x') }}{{ range(3) }}{{ abort('x') }}", {}),
        ("{% block content %}{{ a }}{% endblock %}", {"a": "rp"}),
    ],
)
def test_paths(template: str, found: dict[str, str]) -> None:
    """Names of the template's own are none; what stands behind a condition is not required."""
    assert asked(template) == found


def test_lines_are_the_files() -> None:
    """Counted from where the text begins in its file."""
    [use] = uses(ENVIRONMENT, Source("\n\n{{ a }}", "messages/m/email.html", 10))
    assert use.line == 12


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (("a", "b"), [(True, 1)]),
        (("a", "x"), [(False, None)]),
        (("x", "y"), [(False, None)]),
        (("list", "[]", "n"), [(True, 1), (False, None)]),
        (("text", "n"), []),
        (("a", "items"), []),
    ],
)
def test_values(path: tuple[str, ...], found: list[object]) -> None:
    """One for each element; nothing where nobody can say."""
    among = {"a": {"b": 1}, "list": [{"n": 1}, {}], "text": "x"}
    assert list(values(path, among)) == found


@pytest.mark.parametrize(
    ("template", "count"),
    [
        ("{{ a | safe }}", 1),
        ("{{ a | trim | safe }}", 1),
        ("{{ '<b>' | safe }}", 0),
        ("{% autoescape false %}{{ a }}{% endautoescape %}", 1),
        ("{% autoescape true %}{{ a }}{% endautoescape %}", 0),
        ("{{ a }}", 0),
    ],
)
def test_what_is_not_escaped(template: str, count: int) -> None:
    """A constant may be."""
    assert len(list(unescaped(ENVIRONMENT, Source(template, "x")))) == count
