"""Macros written out where they are called, where that is exact."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError, nodes

from vero_deliver.render.environment import Sandbox
from vero_deliver.render.once.flatten import Flattener
from vero_deliver.render.once.parts import (
    Declined,
    Part,
    arguments,
    bound_in,
    end_of,
    expression,
    joined,
    names_in,
    node,
)

_SPECIAL = re.compile(r"\b(?:caller|varargs|kwargs|loop)\b")
_MOST = 2_000  # parts that calls may come to


@dataclass(frozen=True, slots=True)
class _Macro:
    name: str
    parameters: Sequence[str]
    defaults: Sequence[str]  # code, of the last parameters
    body: Sequence[Part]
    free: frozenset[str]  # names that it reads from outside


def expanded(parts: Sequence[Part], flattener: Flattener, environment: Sandbox) -> list[Part]:
    """The parts with every `{{ macro(...) }}` replaced by the macro's body and no macro left.

    Declined where a macro is used in another way, or could see other names there than at home.
    """
    if not any(part.name in ("macro", "import", "from", "call") for part in parts):
        return list(parts)
    found: dict[str, _Macro] = {}
    rest = _without(parts, found, flattener, environment)
    bound = bound_in(environment.parse(joined(rest)))
    for macro in found.values():
        bound |= {*macro.parameters, *bound_in(environment.parse(joined(macro.body)))}
    for macro in found.values():
        if macro.free & bound:
            names = ", ".join(sorted(macro.free & bound))
            raise Declined(f"the macro {macro.name} reads {names}, bound elsewhere", _place(macro))
    return list(_called(rest, found, environment))


def _without(
    parts: Sequence[Part], found: dict[str, _Macro], flattener: Flattener, environment: Sandbox
) -> list[Part]:
    """The parts without definitions and imports, whose macros go into `found`."""
    rest: list[Part] = []
    at, depth = 0, 0
    while at < len(parts):
        part = parts[at]
        depth += part.opens - part.ends
        if part.name == "macro":
            end = end_of(parts, at)
            if depth > 1:
                raise Declined(f"{part.shown()} inside another tag", part.place)
            _add(found, _macro(parts[at : end + 1], environment, imported=False), part)
            depth -= 1
            at = end
        elif part.name in ("import", "from"):
            if depth:
                raise Declined(f"{part.shown()} inside another tag", part.place)
            for macro in _imported(part, flattener, environment):
                _add(found, macro, part)
        elif part.name == "call":
            raise Declined(f"{part.shown()}: call blocks are not written out", part.place)
        else:
            rest.append(part)
        at += 1
    return rest


def _add(found: dict[str, _Macro], macro: _Macro, part: Part) -> None:
    if macro.name in found:
        raise Declined(f"the macro {macro.name} is defined twice", part.place)
    found[macro.name] = macro


def _macro(parts: Sequence[Part], environment: Sandbox, *, imported: bool) -> _Macro:
    head, body = parts[0], parts[1:-1]
    tree = node(environment, head, "{% endmacro %}")
    text = joined(body)
    if _SPECIAL.search("".join(part.code for part in body if part.kind != "data")):
        raise Declined(f"{head.shown()} looks at how it is called", head.place)
    inner = environment.parse(text)
    parameters = [argument.name for argument in tree.args]
    if any(not isinstance(default, nodes.Const) for default in tree.defaults):
        raise Declined(f"{head.shown()}: a default is no constant", head.place)
    code = head.code.partition("(")[2].rpartition(")")[0]
    defaults = [piece.partition("=")[2] for piece in arguments(environment, code) if "=" in piece]
    free = names_in(inner) - set(parameters) - bound_in(inner) - set(environment.globals)
    if imported and free:
        names = ", ".join(sorted(free))
        raise Declined(f"{head.shown()} is imported without context and reads {names}", head.place)
    if bound_in(inner) & set(parameters):
        raise Declined(f"{head.shown()} writes its own parameters", head.place)
    return _Macro(tree.name, parameters, defaults, body, frozenset(free))


def _imported(part: Part, flattener: Flattener, environment: Sandbox) -> Iterator[_Macro]:
    tree = node(environment, part)
    if not isinstance(tree.template, nodes.Const) or tree.with_context:
        raise Declined(f"{part.shown()} is more than a plain import", part.place)
    own: dict[str, _Macro] = {}
    parts = flattener.file(environment.join_path(tree.template.value, ""))
    if tree.template.value.startswith("./"):
        raise Declined(f"{part.shown()}: its place depends on the importing file", part.place)
    at = 0
    while at < len(parts):
        if parts[at].name == "macro":
            end = end_of(parts, at)
            macro = _macro(parts[at : end + 1], environment, imported=True)
            own[macro.name] = macro
            at = end
        elif parts[at].kind != "data":
            raise Declined(f"{parts[at].shown()} in an imported file", parts[at].place)
        at += 1
    if isinstance(tree, nodes.Import):
        for name, macro in own.items():
            yield _renamed(macro, f"{tree.target}.{name}")
        return
    for wanted in tree.names:
        name, alias = wanted if isinstance(wanted, tuple) else (wanted, wanted)
        if name not in own:
            raise Declined(f"{part.shown()}: there is no macro {name}", part.place)
        yield _renamed(own[name], alias)


def _renamed(macro: _Macro, name: str) -> _Macro:
    return _Macro(name, macro.parameters, macro.defaults, macro.body, macro.free)


def _called(
    parts: Sequence[Part],
    macros: dict[str, _Macro],
    environment: Sandbox,
    within: tuple[str, ...] = (),
) -> Iterator[Part]:
    heads = {name.partition(".")[0] for name in macros}
    count = 0
    for part in parts:
        call = _call(part, environment) if part.kind == "print" else None
        name = _dotted(call.node) if call else ""
        if call is None or name not in macros:
            if part.kind != "data" and heads & set(re.findall(r"\w+", part.code)):
                raise Declined(f"{part.shown()} uses a macro other than by printing it", part.place)
            yield part
            continue
        macro = macros[name]
        if name in within:
            raise Declined(f"{part.shown()} calls itself", part.place)
        for one in _body(part, call, macro, macros, environment, within):
            count += 1
            if count > _MOST:
                raise Declined("macros that come to too much", part.place)
            yield one


def _body(
    part: Part,
    call: nodes.Call,
    macro: _Macro,
    macros: dict[str, _Macro],
    environment: Sandbox,
    within: tuple[str, ...],
) -> Iterator[Part]:
    values = _values(part, call, macro, environment)
    given = ", ".join(f"{name}=({code})" for name, code in values)
    yield Part("tag", f" with {given} ", part.place, "with")
    yield from _called(macro.body, macros, environment, (*within, macro.name))
    yield Part("tag", " endwith ", part.place, "endwith")


def _values(
    part: Part, call: nodes.Call, macro: _Macro, environment: Sandbox
) -> list[tuple[str, str]]:
    if call.dyn_args or call.dyn_kwargs or len(call.args) > len(macro.parameters):
        raise Declined(f"{part.shown()}: its arguments are not written out", part.place)
    code = part.code.strip()
    pieces = list(arguments(environment, code[code.index("(") + 1 : -1]))
    positional, named = pieces[: len(call.args)], pieces[len(call.args) :]
    values = dict(zip(macro.parameters, positional, strict=False))
    for keyword, piece in zip(call.kwargs, named, strict=True):
        if keyword.key not in macro.parameters or keyword.key in values:
            raise Declined(f"{part.shown()}: there is no parameter {keyword.key}", part.place)
        values[keyword.key] = piece.partition("=")[2]
    with_default = macro.parameters[len(macro.parameters) - len(macro.defaults) :]
    for name, default in zip(with_default, macro.defaults, strict=True):
        values.setdefault(name, default)
    if set(values) != set(macro.parameters):
        raise Declined(f"{part.shown()}: an argument is missing", part.place)
    return list(values.items())


def _call(part: Part, environment: Sandbox) -> nodes.Call | None:
    try:
        tree = expression(environment, part.code)
    except (Declined, TemplateSyntaxError):
        return None
    ends = part.code.strip().endswith(")")
    return tree if isinstance(tree, nodes.Call) and ends else None


def _dotted(tree: nodes.Expr) -> str:
    if isinstance(tree, nodes.Name):
        return tree.name
    if isinstance(tree, nodes.Getattr) and isinstance(tree.node, nodes.Name):
        return f"{tree.node.name}.{tree.attr}"
    return ""


def _place(macro: _Macro) -> str:
    return macro.body[0].place if macro.body else ""
