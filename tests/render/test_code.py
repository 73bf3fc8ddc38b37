"""The code made for templates does what Jinja's own does, to the letter and to the line."""

from __future__ import annotations

import quopri
import re
from contextlib import nullcontext
from gettext import NullTranslations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader, Template, TemplateSyntaxError
from jinja2.runtime import Context
from jinja_cases import CASES, FILES
from jinja_data import data

from vero_deliver.errors import RenderError
from vero_deliver.mime.chunks import Printed
from vero_deliver.render.clean import clean
from vero_deliver.render.code import Bounded, constants, groups
from vero_deliver.render.environment import Escape, Sandbox, make
from vero_deliver.render.filters.formats import formats_for
from vero_deliver.render.run import Run, running
from vero_deliver.render.templates import Templates
from vero_deliver.render.undefined import Policy, name_paths
from vero_deliver.source import Source

ALL = [(group, text) for group, texts in CASES.items() for text in texts]
KINDS: list[tuple[Escape, Policy]] = [
    ("html", "strict"), ("text", "strict"), ("json", "strict"), ("html", "blank"), ("html", "keep"),
]  # fmt: skip
PRAGUE = ZoneInfo("Europe/Prague")
TEMPLATES = Templates()
_ADDRESS = re.compile(r"0x[0-9a-f]+", re.IGNORECASE)


def environments(escape: Escape, policy: Policy) -> tuple[Sandbox, Sandbox]:
    """One as it is, and one with Jinja's own code and context."""
    loader = DictLoader(FILES)
    ours, stock = make(escape, policy, loader), make(escape, policy, loader)
    stock.code_generator_class = Bounded
    stock.context_class = Context
    return ours, stock


BOTH = {kind: environments(*kind) for kind in KINDS}


def run() -> Run:
    formats = formats_for("en_US", PRAGUE)
    return Run("en", "en_US", PRAGUE, NullTranslations(), formats=formats)


def outcome(environment: Sandbox, text: str, values: dict[str, Any], policy: Policy) -> Any:
    """What a template prints, or its error and the template lines that the error went through."""
    ours = environment.code_generator_class is not Bounded
    if policy == "keep":
        values = {name: name_paths(value, name) for name, value in values.items()}
    try:
        code = environment.compile(text, filename="case")
        template = Template.from_code(environment, code, environment.globals)
        with running(run()):
            if ours:
                return _ADDRESS.sub("0x", "".join(TEMPLATES.pieces(template, values)))
            return _ADDRESS.sub("0x", clean("".join(template.generate(values))))
    except Exception as error:  # noqa: BLE001
        lines, tb = [getattr(error, "lineno", None)], error.__traceback__
        while tb is not None:
            if "__jinja_exception__" in tb.tb_frame.f_globals:
                lines.append((tb.tb_frame.f_code.co_filename, tb.tb_lineno))
            tb = tb.tb_next
        return type(error), _ADDRESS.sub("0x", str(error)), lines


def compare(text: str, escape: Escape, policy: Policy) -> None:
    ours, stock = BOTH[escape, policy]
    expected = outcome(stock, text, data(), policy)
    assert outcome(ours, text, data(), policy) == expected


@pytest.mark.parametrize(("escape", "policy"), KINDS)
@pytest.mark.parametrize(("group", "text"), ALL)
def test_as_jinja_does(group: str, text: str, escape: Escape, policy: Policy) -> None:
    """The same output, or the same error at the same template lines, as with Jinja's own code."""
    compare(text, escape, policy)


def test_short_ways_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    """Most templates of the corpus do run other code than Jinja's, and many loops a counter."""
    ours, stock = BOTH["html", "strict"]
    short = loops = counted = total = 0
    for _, text in ALL:
        try:
            own = str(ours.compile(text, raw=True))
            plain = str(stock.compile(text, raw=True))
        except TemplateSyntaxError:
            continue
        total += 1
        short += any(word in own for word in ("(at :=", "(out :=", "in NUMBERS)"))
        loops += "LoopContext(" in plain
        counted += own.count("LoopContext(") < plain.count("LoopContext(")
    with capsys.disabled():
        print(f"\n{total} templates compiled: {short} with short ways, {total - short} left to ")
        print(f"Jinja; {counted} of {loops} with a loop variable count instead")
    assert short > total / 2
    assert counted > loops / 3


names = st.sampled_from(
    ["x", "f", "s", "m", "none", "yes", "user.name", "user['name']", "user.address.city", "xs[0]",
     "xs[-1]", "items[1].qty", "items[1].price", "item.name", "item", "loop.index", "loop.first",
     "loop.last", "loop", "nope", "user.nope", "html", "dec", "letters", "count", "word", "'<c>'",
     "2", "1.5", "neg", "keyed[1]", "thing.name", "spelled.z", "control", "high", "low"]
)  # fmt: skip


def combined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operator = st.sampled_from(["+", "*", "%", "-", "~", "and", "or", "==", "<"])
    filters = st.sampled_from(["upper", "e", "default('-')", "string", "safe", "length", "int"])
    return st.one_of(
        st.builds("({} {} {})".format, parts, operator, parts),
        st.builds("{} | {}".format, parts, filters).map("({})".format),
        st.builds("({} if {} else {})".format, parts, parts, parts),
        st.builds("call({}, k={})".format, parts, parts),
    )


def statements(bodies: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    loops = st.sampled_from(["item in items", "item in xs if item > 1", "item in gen", "x in ys"])
    return st.one_of(
        st.builds("{{% for {} %}}{}{{% else %}}{}{{% endfor %}}".format, loops, bodies, bodies),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, expressions, bodies, bodies),
        st.builds("{{% set x = {} %}}{}".format, expressions, bodies),
        st.builds("{{% with f = {} %}}{}{{% endwith %}}".format, expressions, bodies),
        st.builds("{{% set s %}}{}{{% endset %}}{{{{ s }}}}".format, bodies),
        st.builds("{{% filter upper %}}{}{{% endfilter %}}".format, bodies),
        st.builds("{{% macro q(x) %}}{}{{% endmacro %}}{{{{ q({}) }}}}".format, bodies, names),
        st.builds("{}{}".format, bodies, bodies),
    )


expressions = st.recursive(names, combined, max_leaves=4)
printed = st.builds("{{{{ {} }}}}".format, expressions) | st.sampled_from(["<a&b>\n", "\n", "t "])
templates = st.recursive(printed, statements, max_leaves=8)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(templates, st.sampled_from(KINDS))
def test_any_template_as_jinja_does(text: str, kind: tuple[Escape, Policy]) -> None:
    """The same for templates put together at random."""
    compare(text, *kind)


def prepared(text: str, escape: Escape = "html") -> Template:
    return TEMPLATES.compiled(text, escape=escape, name="case")


def test_constants_are_what_is_printed() -> None:
    """What a template prints as it stands, blocks too, is listed; the pieces are those texts."""
    template = prepared("a{{ x }}b{% if x %}c{{ x }}{% endif %}{% block t %}d{{ x }}{% endblock %}")
    assert sorted(constants(template)) == ["a", "b", "c", "d"]
    pieces = TEMPLATES.pieces(template, {"x": "<"})
    assert pieces == ["a", "&lt;", "b", "c", "&lt;", "d", "&lt;"]
    for piece in set(pieces) - {"&lt;"}:
        assert any(piece is constant for constant in constants(template))


@pytest.mark.parametrize("text", [
    "{{ m }}", "{% macro q() %}{{ m }}{% endmacro %}{{ q() }}",
    "{% filter upper %}{{ m }}{% endfilter %}",
    "{% macro q() %}{{ caller() }}{% endmacro %}{% call q() %}{{ m }}{% endcall %}",
    "{% autoescape yes %}{{ m }}{% endautoescape %}", "{{ html }}{{ dec }}{{ none }}",
    "{% for t in tree recursive %}{{ t.name }}{{ loop(t.children) }}{% endfor %}",
])  # fmt: skip
def test_pieces_are_plain(text: str) -> None:
    """No piece is Markup, whose methods escape what they are given."""
    with running(run()):
        assert {type(piece) for piece in TEMPLATES.pieces(prepared(text), data())} == {str}


texts = st.lists(
    st.text(st.sampled_from("ab\x00\x85\xa0\ud83d\ude00\n\uffff\u202fé日")), max_size=6
)


@given(texts)
def test_pieces_are_clean(values: list[str]) -> None:
    """Together the pieces are what clean() makes of the whole, split pairs of surrogates too."""
    text = "\x01{% for v in values %}{{ v }}{{ v }}|{% endfor %}{{ '\\x02' }}"
    whole = "\x01" + "".join(f"{value}{value}|" for value in values) + "\x02"
    pieces = TEMPLATES.pieces(prepared(text, "text"), {"values": values})
    assert "".join(pieces) == clean(whole)


@given(texts, st.sampled_from(["", "\x01", "a\n", "{% block b %}{% endblock %}"]))
def test_printed_is_clean(values: list[str], start: str) -> None:
    """What is read and what is encoded are the clean text, whatever data and constants hold."""
    text = start + "{% for v in values %}{{ v }}{{ v }}|{% endfor %}"
    whole = clean(start.split("{")[0] + "".join(f"{value}{value}|" for value in values))
    printed = TEMPLATES.printed(text, {"values": values}, escape="text", field="case")
    assert isinstance(printed, Printed)
    assert str(printed) == whole
    read = quopri.decodestring(printed.quoted_printable()).decode().replace("\r\n", "\n")
    assert read == (whole if whole.endswith("\n") else f"{whole}\n")


@pytest.mark.parametrize(("text", "grouped"), [
    ("a{{ x }}{{ x }}b", True), ("{% macro q() %}{{ x }}{% endmacro %}{{ q() }}", True),
    ("{% block t %}{{ x }}{% endblock %}", False), ("{% include 'a' %}", False),
    ("{% extends 'a' %}", False),
])  # fmt: skip
def test_groups_alternate(text: str, grouped: bool) -> None:
    """Constants are at even places, in every template that runs no other one's outputs."""
    template = prepared(text)
    assert (groups(template) is not None) == grouped
    if grouped:
        with running(run()):
            pieces = TEMPLATES.pieces(template, {"x": "<"})
        assert set(pieces[::2]) <= {"", *constants(template)}


@pytest.mark.parametrize("size", [9, 10])
def test_bound_counts_constants(size: int) -> None:
    """The limit holds to the character, though constants are counted only near it."""
    templates = Templates(max_output=9 * 1_000)
    text = "{% for i in range(1000) %}" + "c" * (size - 1) + "{{ x }}{% endfor %}"
    template = templates.compiled(text, escape="html", name="case")
    fits = nullcontext() if size == 9 else pytest.raises(RenderError, match="more than 9,000")
    with running(run()), fits:
        assert len("".join(templates.pieces(template, {"x": "1"}))) == 9_000


def test_output_is_bounded_while_it_runs() -> None:
    """A template that prints without end is stopped near its limit, not when memory is full."""
    seen = 0

    def more() -> str:
        nonlocal seen
        seen += 1
        return "x" * 1_000

    template = prepared("{% for i in range(90000) %}{{ more() }}{% endfor %}")
    with running(run()), pytest.raises(RenderError, match="here: prints more than 2,000,000"):
        TEMPLATES.pieces(template, {"more": more}, place="here")
    assert seen < 2_200


@pytest.mark.parametrize("text", ["{{ 1 / zero }}", " {{ 1 / zero }} ", "\n{{ user.call() }}"])
def test_expressions_name_their_line(text: str) -> None:
    """An error in a text that is one expression is at its own line, not one of generated code."""
    line = 1 + text.count("\n")
    with pytest.raises(RenderError, match=f"^messages/a.toml:{4 + line}: "):
        TEMPLATES.value(Source(text, "messages/a.toml", 5), data(), field="to")
