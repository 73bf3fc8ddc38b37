"""What templates may do: attributes, resources, missing values."""

from __future__ import annotations

from typing import Any

import pytest
from making import ADA, NOW, email, text

from vero_deliver.errors import MessageError, RenderError
from vero_deliver.message import Email, Message
from vero_deliver.render import Renderer
from vero_deliver.rendered import Skipped


def test_keys_win_over_methods() -> None:
    """`order.items` is the order's items; without such a key `.items()` is the method."""
    assert text("{{ order.items }}", order={"items": [1, 2]}) == "[1, 2]"
    assert text("{% for k, v in d.items() %}{{ k }}={{ v }}{% endfor %}", d={"a": 1}) == "a=1"


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ user.__class__.__mro__ }}",
        "{{ ''|attr('__class__') }}",
        "{{ order.lines.append(1) }}",
        "{{ order.update({}) }}",
        "{{ '{0.__class__}'.format(1) }}",
        "{{ ('{0.__class__}'|attr('format'))(1) }}",
    ],
)
def test_no_way_out(template: str) -> None:
    """Internals cannot be read and data cannot be changed."""
    with pytest.raises(RenderError):
        text(template, order={"lines": []})


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' * 10**8 }}",
        "{{ 10**8 * 'a' }}",
        "{{ [1] * 10**8 }}",
        "{{ 9 ** (9 ** 9) }}",
        "{{ 'a'.ljust(10**9) }}",
        "{{ 'a'.zfill(10**9) }}",
        "{{ 'a'|center(10**9) }}",
        "{{ '%0999999999d' % 1 }}",
        "{{ '%*d' % (10**9, 1) }}",
        "{{ '{:999999999}'.format(1) }}",
        "{{ '%0999999999d'|format(1) }}",
        "{{ 'aaaa'.replace('a', 'b' * 900000) }}",
        "{{ 'aaaa'|replace('a', 'b' * 900000) }}",
        "{{ ('a' * 900000).translate({97: 'b' * 900000}) }}",
        "{{ ('a' * 900000).join(d) }}",
        "{{ d|join('a' * 900000) }}",
        "{{ ('{0}' * 1000).format('a' * 900000) }}",
        "{% for i in range(10**6) %}{% endfor %}",
        "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}",
        "{% set n = namespace(x='a') %}{% for i in d %}{% set n.x = n.x ~ n.x %}{% endfor %}",
        "{% set n = namespace(x='a') %}{% for i in d %}{% set n.x = n.x + n.x %}{% endfor %}",
        "{% for i in range(90000) %}{{ 'x' * 1000 }}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ big }}{{ big }}{{ big }}",
    ],
)
def test_resources_are_bounded(template: str) -> None:
    """What would take gigabytes or minutes ends in an error."""
    with pytest.raises(RenderError):
        text(template, big="x" * 999_999, d=list(range(40)))


@pytest.mark.parametrize("name", ["lipsum", "cycler", "joiner"])
def test_toys_are_gone(name: str) -> None:
    """Globals of Jinja that make text out of nothing are not there."""
    with pytest.raises(RenderError, match=f"no '{name}'"):
        text(f"{{{{ {name}() }}}}")


def test_nothing_is_random() -> None:
    """The same message, data and clock give the same bytes, so there is no such filter."""
    with pytest.raises(MessageError, match="No filter named 'random'"):
        text("{{ [1, 2] | random }}")


def test_strict_names_the_nearest() -> None:
    """A missing value is an error that names place, name, the nearest right one, and the user."""
    with pytest.raises(RenderError) as caught:
        text("one\ntwo {{ user.frist_name }}")
    error = str(caught.value)
    assert error == (
        "Hello email.text:2: there is no 'frist_name' here; did you mean 'first_name'? (for 1)"
    )


def test_strict_knows_the_top_level() -> None:
    """The same for names that the sender passes."""
    with pytest.raises(RenderError, match=r"no 'ordr'; did you mean 'order'\?"):
        text("{{ ordr.id }}", order={"id": 1})


@pytest.mark.parametrize(
    ("template", "printed"),
    [
        ("{{ nope | default('x') }}", "x"),
        ("{{ user.nope | fallback('x') }}", "x"),
        ("{{ nope is defined }}", "False"),
        ("{{ nothing }}|", "|"),
        ("{{ nothing | fallback('x') }}", "x"),
    ],
)
def test_missing_by_intent(template: str, printed: str) -> None:
    """Strictness leaves the ways of asking; null prints nothing."""
    assert text(template, nothing=None) == printed


@pytest.mark.parametrize(
    ("policy", "printed"), [("blank", "[]"), ("keep", "[{{ a }}{{ user.b.c }}{{ order.x }}]")]
)
def test_lenient_policies(policy: Any, printed: str) -> None:
    """blank prints nothing, keep prints the expression with its whole path."""
    renderer = Renderer(undefined=policy)
    template = "[{{ a }}{{ user.b.c }}{{ order.x }}]"
    assert text(template, renderer=renderer, order={"id": 1}) == printed


def test_abort_is_a_result() -> None:
    """abort("reason") sends nothing and says why; it is no error."""
    body = "{% if user.first_name == 'Ada' %}{{ abort('not for Ada') }}{% endif %}Hi"
    message = Message(title="x", email=Email(from_="a@example.com", subject="s", text=body))
    assert Renderer().render(message, ADA, "email", now=NOW) == Skipped("not for Ada")


def test_data_is_no_template() -> None:
    """Braces in data are text."""
    assert text("{{ x }}", x="{{ 7*7 }}{% raw %}") == "{{ 7*7 }}{% raw %}"
    assert email(subject="{{ x }}", data={"x": "{{ 7*7 }}"}).subject == "{{ 7*7 }}"
