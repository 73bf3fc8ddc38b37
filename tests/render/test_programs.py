"""Programs in C print the very pieces that the generated code prints, or leave it to that."""

from __future__ import annotations

import gc
import re
import sys
import weakref
from collections.abc import Iterator
from gettext import NullTranslations
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jinja2 import DictLoader, Template, TemplateSyntaxError
from jinja_cases import CASES, FILES
from jinja_data import data

from vero_deliver import speedups
from vero_deliver.errors import RenderError
from vero_deliver.render.code import Variables, groups
from vero_deliver.render.environment import Sandbox, make
from vero_deliver.render.filters.formats import formats_for
from vero_deliver.render.program import Program
from vero_deliver.render.program_tree import Kind
from vero_deliver.render.run import Run, running
from vero_deliver.render.templates import Templates

pytestmark = pytest.mark.skipif(speedups.compiled is None, reason="there is no C to run them")
ALL = [text for texts in CASES.values() for text in texts]
_ADDRESS = re.compile(r"0x[0-9a-f]+")
PRAGUE = ZoneInfo("Europe/Prague")
ENVIRONMENTS = {name: make(name, "strict", DictLoader(FILES)) for name in ("html", "text")}


@pytest.fixture(autouse=True)
def _run() -> Iterator[None]:
    formats = formats_for("en_US", PRAGUE)
    with running(Run("en", "en_US", PRAGUE, NullTranslations(), formats=formats)):
        yield


def template_of(text: str, environment: Sandbox = ENVIRONMENTS["html"]) -> Template:
    code = environment.compile(text, filename="case")
    return Template.from_code(environment, code, environment.globals)


def program_of(text: str, environment: Sandbox = ENVIRONMENTS["html"]) -> Program | None:
    found = groups(template_of(text, environment))
    return found.program if found else None


def ran(text: str, values: dict[str, Any], most: int = 10_000) -> list[str] | None:
    """The pieces; None where the program gave up."""
    program, pieces = program_of(text), ["before"]
    assert program is not None, text
    pieces.clear()
    done = program.run(values, pieces, most)
    assert done is not None or not pieces
    return pieces if done is not None else None


def coded(template: Template, values: dict[str, Any]) -> list[str]:
    found = groups(template)
    assert found is not None
    context = Variables(template.environment, values, None, template.blocks, template.globals)
    return list(chain.from_iterable(found.run(context)))


@pytest.mark.parametrize("escape", ENVIRONMENTS)
def test_pieces_are_those_of_the_code(escape: str, capsys: pytest.CaptureFixture[str]) -> None:
    """For the corpus of Jinja's features: the same pieces wherever the program does not give up."""
    total = written = equal = 0
    for text in ALL:
        try:
            template = template_of(text, ENVIRONMENTS[escape])
        except TemplateSyntaxError:
            continue
        total += 1
        found = groups(template)
        if not found or not found.program:
            continue
        written += 1
        pieces: list[str] = []
        if found.program.run(data(), pieces, 100_000) is not None:
            equal += 1
            plain = coded(template, data())
            assert [_ADDRESS.sub("0x", piece) for piece in pieces] == [
                _ADDRESS.sub("0x", piece) for piece in plain
            ], text
    with capsys.disabled():
        print(f"\n{escape}: {written} of {total} templates have a program, {equal} run to the end")
    assert written > total / 4
    assert equal > written / 3  # the others are about errors, and about odd values


@pytest.mark.parametrize(("text", "pieces"), [
    ("a{{ x }}b", ["a", "&lt;&amp;&gt;", "b", ""]),
    ("{{ x }}{{ n }}", ["", "&lt;&amp;&gt;", "", "1.5"]),
    ("{{ nil }}{{ yes }}", ["", "", "", "True"]),
    ("{{ user.tags[-1] }}{{ user['tags'][0] }}", ["", "b", "", "a"]),
    ("{% for t in user.tags %}{{ loop.index }}/{{ loop.length }}{{ loop.last }} {% endfor %}",
     ["", "1", "/", "2", "", "False", " ", "", "", "2", "/", "2", "", "True", " ", ""]),
    ("{% for t in [] %}{% else %}none{% endfor %}", None),
    ("{% for t in empty %}{% else %}none{% endfor %}", ["none", ""]),
    ("{% for a in pair %}{% for b in pair %}{{ loop.index0 }}{{ a }}{% endfor %}{% endfor %}",
     ["", "0", "", "a", "", "1", "", "a", "", "0", "", "b", "", "1", "", "b"]),
    ("{% for a in rows %}{% for a in a %}{{ a }}{% endfor %}{{ a | length }}{% endfor %}",
     ["", "1", "", "2", "", "2", "", "3", "", "1"]),
    ("{% for a in pair %}{% endfor %}" * 70 + "{% for a in pair %}{{ a }}{% endfor %}",
     ["", "a", "", "b"]),
    ("{% for a in pair %}{% set k = a %}{% endfor %}{% set z = n %}{{ z }}", ["", "1.5"]),
    ("{% set y = n * 2 %}{% for a in pair %}{% set z = a ~ y %}{{ z }}{% endfor %}",
     ["", "a3.0", "", "b3.0"]),
    ("{% if n > 2 %}a{% elif n is divisibleby(1) %}b{% else %}c{% endif %}", ["c", ""]),
    ("{% if n > 2 %}a{% elif 4 is divisibleby(2) %}b{% else %}c{% endif %}", ["b", ""]),
    ("{{ n | money('USD') }}{{ 0 | money('USD') }}{{ '2' | money('EUR') }}",
     ["", "$1.50", "", "$0.00", "", "€2.00"]),
    ("{{ nope | default('-') }}{{ nope is defined }}", ["", "-", "", "False"]),
    ("{{ x if n in pair else 'a' in pair }}", ["", "True"]),
    ("{{ x | upper | safe }}", ["", "<&>"]),
    ("{{ -n + 2 - 7 // 2 }}", ["", "-2.5"]),
    ("{{ 'é /a' ~ x | urlencode }}{{ q | urlencode }}{{ q | encode }}{{ n | encode }}",
     ["", "é /a%3C%26%3E", "", "a%20/~b%C3%A9%00", "", "a+%2F~b%C3%A9%00", "", "1.5"]),
    ("{{ x and n }}{{ nil or n }}{{ not n }}", ["", "1.5", "", "1.5", "", "False"]),
])  # fmt: skip
def test_what_programs_print(text: str, pieces: list[str] | None) -> None:
    """None: the code has to do it, and does it the same."""
    values = {
        "x": "<&>", "n": 1.5, "nil": None, "yes": True, "empty": [], "pair": ("a", "b"),
        "rows": [[1, 2], [3]], "q": "a /~bé\0", "user": {"tags": ["a", "b"]},
    }  # fmt: skip
    program = program_of(text)
    found = ran(text, values) if program else None
    assert found == pieces
    if found is not None:
        assert found == coded(template_of(text), values)


@pytest.mark.parametrize("text", [
    "{{ f(1) }}", "{% for a, b in x %}{% endfor %}", "{% for a in x if a %}{% endfor %}",
    "{% if x %}{% set y = 1 %}{% endif %}{{ y }}", "{{ y }}{% set y = 1 %}",
    "{% for a in x %}{% set y = a %}{% endfor %}{{ y }}", "{% set y = 1 %}{% set y = 2 %}{{ y }}",
    "{% for y in x %}{{ y }}{% endfor %}{% set y = 1 %}", "{{ loop.index }}",
    "{% for a in x %}{{ loop.cycle('a', 'b') }}{% endfor %}", "{{ self }}", "{{ caller }}",
    "{% macro q() %}{% endmacro %}", "{% with y = 1 %}{% endwith %}",
    "{{ 2 ** x }}", "{{ 1 < x < 3 }}", "{{ x[y] }}", "{{ x[1:] }}", "{{ [x] }}",
    "{{ x | map('upper') | list }}",
    "{% for a in x recursive %}{% endfor %}", "{% trans %}a{% endtrans %}",
    "{{ " + "not " * 95 + "x }}",
])  # fmt: skip
def test_what_is_declined(text: str) -> None:
    """What a program cannot say, or would say otherwise, has none."""
    try:
        assert program_of(text) is None
    except TemplateSyntaxError:
        pytest.fail("the case is no template")


class Strange(dict[str, Any]):
    """A dict that is not exactly one."""


class Loud:
    def __str__(self) -> str:
        raise ValueError("no text")


@pytest.mark.parametrize(("text", "values"), [
    ("{{ user.nope }}", {"user": {}}), ("{{ nope }}", {}), ("{{ user }}", {"user": Loud()}),
    ("{% for a in user %}{% endfor %}", {"user": {"a": 1}}),
    ("{% for a in user %}{% endfor %}", {"user": iter("ab")}),
    ("{% if user %}{% endif %}", {"user": Strange()}), ("{{ user < 1 }}", {"user": "a"}),
    ("{{ user * 2 }}", {"user": "a"}), ("{{ user * 2 }}", {"user": 2**70}),
    ("{{ 1 / user }}", {"user": 0}), ("{{ user | round(1, 'x') }}", {"user": 1}),
    ("{{ user }}", {"user": 10**5_000}), ("{{ user | format(1) }}", {"user": "%s%s"}),
    ("{{ 'a' in user }}", {"user": 1}), ("{{ -user }}", {"user": "a"}),
])  # fmt: skip
def test_what_makes_it_give_up(text: str, values: dict[str, Any]) -> None:
    """Nothing is printed then, and nothing raised: the code does both."""
    assert ran("before {{ one }} " + text, {"one": 1, **values}) is None


def test_too_much_is_left_to_the_code() -> None:
    text = "{% for a in x %}{{ a }}b{% endfor %}"
    assert ran(text, {"x": ["a"] * 5}, most=10) is not None
    assert ran(text, {"x": ["a"] * 5}, most=9) is None


@pytest.mark.parametrize("text", [
    "{{ it | join('-') }}{{ end.x.y }}", "{{ (it | list)[0] }}{{ end.x.y }}",
    "{{ it }}{{ end.x.y }}", "{{ it.name }}{{ end.x.y }}", "{{ it['name'] }}{{ end.x.y }}",
    "{{ it | first }}{{ end.x.y }}",
    "{{ 1 | default(it) }}{{ end.x.y }}", "{% if it is iterable %}{% endif %}{{ end.x.y }}",
])  # fmt: skip
def test_what_reading_may_change_is_not_read(text: str) -> None:
    """Else it would be read a second time, after the program gave up at `end`."""

    class Once:
        reads = 0

        def __getattr__(self, name: str) -> Any:
            self.reads += 1
            return name

        def __str__(self) -> str:
            self.reads += 1
            return "once"

        def __iter__(self) -> Any:
            self.reads += 1
            return iter("ab")

    once, drained = Once(), iter("ab")
    assert ran(text, {"it": once, "end": {}}) is None
    assert once.reads == 0
    assert ran(text, {"it": drained, "end": {}}) is None
    assert list(drained) == ["a", "b"]


def test_other_objects_are_left_to_the_sandbox() -> None:
    class Person:
        name, _secret = "Ann", "s"

    assert ran("{{ p.name }}", {"p": Person()}) is None
    assert ran("{{ p._secret }}", {"p": Person()}) is None
    assert ran("{{ p.__class__ }}", {"p": Person()}) is None
    assert ran("{{ p.a }}", {"p": Strange(a=1)}) is None
    assert ran("{{ p | length }}", {"p": [Person()]}) == ["", "1"]


def test_values() -> None:
    """What a text that is one expression gives: the very value, or nothing to be had here."""
    templates, given = Templates(), {"user": {"tags": ["a"], "nil": None}}
    assert templates.value("{{ user.tags }}", given, field="to") is given["user"]["tags"]
    assert templates.value("{{ user.nil }}", given, field="to") is None
    assert templates.value("{{ user.tags | length }}", given, field="to") == 1
    with pytest.raises(RenderError, match="nope"):
        templates.value("{{ user.nope }}", given, field="to")
    program = program_of("{% set result = user.tags %}")
    assert program is not None
    assert program.value(given) is given["user"]["tags"]
    assert program.value({}) is NotImplemented
    assert program_of("a").value({}) is NotImplemented  # type: ignore[union-attr]


def test_ctrl_c_gets_through() -> None:
    """A function that a program calls may be interrupted; other errors are the code's to raise."""
    environment = make("html", "strict", DictLoader({}))
    raised: BaseException = KeyboardInterrupt()

    def stop(_: Any) -> str:
        raise raised

    environment.filters["stop"] = stop
    program = program_of("a{{ x | stop }}", environment)
    assert program is not None
    with pytest.raises(KeyboardInterrupt):
        program.run({"x": 1}, [], 99)
    raised = ValueError()
    assert program.run({"x": 1}, [], 99) is None


def test_nothing_leaks() -> None:
    """Values are let go of, whether the program comes to its end or not."""
    value, end = "\u017dlu\u0165 <a>" * 3, {"nope": 1}
    text = "{% set k = v %}{% for a in xs %}{{ a }}{{ k | upper }}{{ end.nope }}{% endfor %}"
    program = program_of(text)
    assert program is not None
    before = sys.getrefcount(value)
    for values in ({"v": value, "xs": [value], "end": end}, {"v": value, "xs": [value], "end": {}}):
        for _ in range(100):
            program.run(values, [], 999)
    del values
    assert sys.getrefcount(value) == before


def test_environments_end() -> None:
    """A program holds its environment, which holds the program: the collector sees through it."""
    environment = make("html", "strict", DictLoader({"a": "{{ x | truncate(2) ~ y }}"}))
    assert groups(environment.get_template("a")) is not None
    gone = weakref.ref(environment)
    del environment
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("tree", [
    (), (99, 0, None), (Kind.VARIABLE, 0, "x"), (Kind.ALL, 0, None, (Kind.VARIABLE, 0, "x")),
    (Kind.PRINT, 0, None, (Kind.VARIABLE, 0, "x"), (Kind.VARIABLE, 0, "x")),
    (Kind.PRINT, 0, None, (Kind.CONSTANT, 0, "x")), (Kind.KEEP, 64, None, (Kind.CONSTANT, 0, 1)),
    (Kind.KEEP, 0, None, (Kind.LOCAL, -1, None)), (Kind.KEEP, 0, None, (Kind.LOOP, 112, None)),
    (Kind.KEEP, 0, None, (Kind.CALL, 0, (), (Kind.CONSTANT, 0, 1))),
    (Kind.KEEP, 0, None, (Kind.CALL, 0, (len,))), (Kind.KEEP, 0, None, (Kind.VARIABLE, 0, 1)),
    (Kind.EACH_OF, 0, 16, (Kind.CONSTANT, 0, 1), (Kind.ALL, 0, None), (Kind.ALL, 0, None)),
    (Kind.WHEN, 0, None, (Kind.CONSTANT, 0, 1), (Kind.ALL, 0, None)),
])  # fmt: skip
def test_unsound_trees_are_refused(tree: tuple[Any, ...]) -> None:
    """Whatever a tree holds, running it never steps beside what it has."""
    assert speedups.compiled is not None
    with pytest.raises(ValueError, match="program: "):
        speedups.compiled.Program(tree, getattr, getattr, str, str, (), False)
