"""What the parser says, in words that say what to do."""

from __future__ import annotations

import pytest
from making import text

from vero_deliver.errors import MessageError, RenderError
from vero_deliver.source import Source

WRONG = [
    ("\n{% if a %}\n{% for x in y %}\n{% endfor %}", 2, "the {% if %} of line 2 is never closed"),
    ("{% if a %}{% endif %}\n{% if b %}\n\n", 2, "the {% if %} of line 2 is never closed"),
    ("{% if a %}\n{% if b %}{% endif %}", 1, "the {% if %} of line 1 is never closed"),
    ("\n{% for a in b %}\n{% if c %}\n{% endfor %}", 3, "the {% if %} of line 3 is never closed"),
    ("{% set a = 1 %}\n{% set b %}", 2, "the {% set %} of line 2 is never closed"),
    ("{% if a %}\n{% endfi %}", 2, "there is no tag 'endfi'; did you mean 'endif'?"),
    ("{% if a %}\n{% els %}{% endif %}", 2, "there is no tag 'els'; did you mean 'else'?"),
    ("{% if a %}\n{% inclde 'x' %}{% endif %}", 2, "no tag 'inclde'; did you mean 'include'?"),
    ("\n{% foor a in b %}", 2, "there is no tag 'foor'; did you mean 'for'?"),
    ("\n{% endif %}", 2, "Encountered unknown tag 'endif'"),
    ("\n{{ a | uper }}", 2, "No filter named 'uper'; did you mean 'upper'?"),
    ("\n{{ a is nubmer }}", 2, "No test named 'nubmer'; did you mean 'number'?"),
    ("\n{% trans %}{{ user.first_name }}{% endtrans %}", 2, "{% trans name=user.first_name %}"),
    ("{% trans %}{{ a | upper }}{% endtrans %}", 1, "a value inside trans is a name"),
    ("\n{% break %}", 2, "break stands in no loop"),
    ("{% for a in b %}{% else %}\n{% continue %}{% endfor %}", 2, "continue stands in no loop"),
    ("{% trans %}{{ 1 }}{% endtrans %}", 1, "a value inside trans is a name"),
]


@pytest.mark.parametrize(("template", "line", "words"), WRONG)
def test_syntax_errors_say_what_to_do(template: str, line: int, words: str) -> None:
    """The line is that of the tag which is to be mended."""
    with pytest.raises(MessageError) as caught:
        text(Source(template, "m/email.txt"))
    assert caught.value.where == f"m/email.txt:{line}"
    assert words in caught.value.detail


def test_an_unknown_filter_of_a_branch_is_named_when_it_runs() -> None:
    """Jinja looks for filters inside `if` only then."""
    with pytest.raises(
        RenderError, match=r"m\.txt:1: No filter named 'uper' found; did you mean 'upper'"
    ):
        text(Source("{% if 1 %}{{ 'a' | uper }}{% endif %}", "m.txt"))
