"""Translations written out: a body is compiled for one language, so they are its markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from jinja2 import nodes

from vero_deliver.render.environment import Sandbox
from vero_deliver.render.once.parts import (
    DELIMITERS,
    Declined,
    Part,
    arguments,
    bound_in,
    end_of,
    expression,
    joined,
)
from vero_deliver.render.run import Catalog

_FIELD = re.compile(r"%\((\w+)\)s|%%|%")
_FUNCTIONS = frozenset(("gettext", "ngettext", "pgettext", "npgettext", "_"))
_COUNTED = 200  # counts that are asked for to learn all plural forms
_MARKUP = re.compile("[<>&\"']")
_LOCALE = re.compile(r"\s*message\.locale\s*")


def translated(
    parts: Sequence[Part], catalog: Catalog, language: str, environment: Sandbox
) -> list[Part]:
    """The parts with every trans block as the catalog has it, and `message.locale` as it is."""
    found = list(_blocks(parts, catalog, environment))
    rebound = "message" in bound_in(environment.parse(joined(found)))
    for at, part in enumerate(found):
        if part.kind == "print" and _LOCALE.fullmatch(part.code) and not rebound:
            found[at] = Part("data", language, part.place)
        elif part.kind != "data":
            _check_calls(part, catalog, environment)
    return found


def _blocks(parts: Sequence[Part], catalog: Catalog, environment: Sandbox) -> Iterator[Part]:
    at = 0
    while at < len(parts):
        if parts[at].name != "trans":
            yield parts[at]
            at += 1
            continue
        end = end_of(parts, at)
        yield from _block(parts[at : end + 1], catalog, environment)
        at = end + 1


def _block(parts: Sequence[Part], catalog: Catalog, environment: Sandbox) -> Iterator[Part]:
    head = parts[0]
    output = environment.parse(joined(parts)).body[0]
    if not isinstance(output, nodes.Output) or not isinstance(output.nodes[0], nodes.Call):
        raise Declined(f"{head.shown()} is not understood", head.place)
    call = output.nodes[0]
    texts = [node.value for node in call.args if isinstance(node, nodes.Const)]
    given, count = _given(head, parts, environment)
    written = ", ".join(f"{name}=({code})" for name, code in given.items() if name != code)
    if written:
        yield Part("tag", f" with {written} ", head.place, "with")
    match call.node:
        case nodes.Name(name="gettext"):
            yield from _said(catalog.gettext(texts[0]) if texts[0] else "", given, head)
        case nodes.Name(name="pgettext"):
            yield from _said(catalog.pgettext(*texts), given, head)
        case nodes.Name(name="ngettext" | "npgettext" as function):
            yield from _plural(function, texts, count, given, head, catalog)
        case _:
            raise Declined(f"{head.shown()} is not understood", head.place)
    if written:
        yield Part("tag", " endwith ", head.place, "endwith")


def _given(
    head: Part, parts: Sequence[Part], environment: Sandbox
) -> tuple[Mapping[str, str], str]:
    """The block's variables and their code, and the name of the one that is counted."""
    code = head.code.strip().removeprefix("trans").lstrip()
    code = re.sub(r"^(?:\"[^\"]*\"|'[^']*')\s*,?", "", code)  # pgettext's context
    given: dict[str, str] = {}
    for piece in arguments(environment, code):
        name, _, value = piece.partition("=")
        name = name.strip()
        if name in ("trimmed", "notrimmed") and not value:
            continue
        # {% trans trimmed name=value %} has no comma
        name = name.rpartition(" ")[2]
        given[name] = value.strip() or name
    plural = next((part for part in parts if part.name == "pluralize"), None)
    words = plural.code.split() if plural else []
    count = words[1] if len(words) > 1 else next(iter(given), "")
    for part in parts[1:]:
        if part.kind == "print":
            given.setdefault(part.code.strip(), part.code.strip())
    if plural and "num" not in given:
        given["num"] = given.get(count, count)
    return given, count


def _plural(
    function: str,
    texts: Sequence[str],
    count: str,
    given: Mapping[str, str],
    head: Part,
    catalog: Catalog,
) -> Iterator[Part]:
    """One branch per form; a count that asks for another form is left to the plain way."""
    one, many = texts[-2:]
    forms = dict.fromkeys(
        catalog.ngettext(one, many, number)
        if function == "ngettext"
        else catalog.npgettext(texts[0], one, many, number)
        for number in range(_COUNTED)
    )
    code = f"_plural({', '.join(map(repr, texts))}, {count})"
    name = "if"
    for form in forms:
        yield Part("tag", f" {name} {code} == {form!r} ", head.place, name)
        yield from _said(form, given, head)
        name = "elif"
    yield Part("tag", " else ", head.place, "else")
    yield Part("print", " _inexact() ", head.place)
    yield Part("tag", " endif ", head.place, "endif")


def _said(text: str, given: Mapping[str, str], head: Part) -> Iterator[Part]:
    """A translation with its values in place."""
    if any(mark in text for mark in DELIMITERS):
        raise Declined(f"{head.shown()}: the translation holds braces", head.place)
    at = 0
    for found in _FIELD.finditer(text):
        yield Part("data", text[at : found.start()], head.place)
        at = found.end()
        if found[0] == "%%":
            yield Part("data", "%", head.place)
        elif not found[1] or found[1] not in given:
            raise Declined(f"{head.shown()}: {found[0]} in the translation", head.place)
        else:
            yield Part("print", f" {found[1]} | _said ", head.place)
    yield Part("data", text[at:], head.place)


def _check_calls(part: Part, catalog: Catalog, environment: Sandbox) -> None:
    """A gettext call gives what is said in the catalog as it stands: it may not be markup."""
    if not _FUNCTIONS & set(re.findall(r"\w+", part.code)):
        return
    if part.kind == "tag":
        return  # its value is not printed here
    tree = expression(environment, part.code)
    for call in [*tree.find_all(nodes.Call), tree]:
        if not isinstance(call, nodes.Call) or not isinstance(call.node, nodes.Name):
            continue
        if call.node.name in _FUNCTIONS:
            _check_call(part, call, catalog)


def _check_call(part: Part, call: nodes.Call, catalog: Catalog) -> None:
    texts = [node.value for node in call.args if isinstance(node, nodes.Const)]
    texts = [text for text in texts if isinstance(text, str)]
    said = [*texts, *(catalog.gettext(text) for text in texts if text)]
    if len(texts) != len(call.args) or getattr(call.node, "name", "") not in ("gettext", "_"):
        raise Declined(f"{part.shown()}: which translation it is depends on data", part.place)
    if any(_MARKUP.search(text) for text in said):
        raise Declined(f"{part.shown()}: the translation holds markup", part.place)
