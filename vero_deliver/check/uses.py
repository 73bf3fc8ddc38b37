"""Which values a template asks for: dotted paths and lines, out of its syntax tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from jinja2 import Environment, nodes

from vero_deliver.source import Source

Path = tuple[str, ...]
EACH: Final = "[]"  # in a path: every element of a list

_FALLBACKS: Final = ("default", "d", "fallback")
_PASSING: Final = ("capitalize", "e", "escape", "lower", "safe", "string", "title", "trim", "upper")


@dataclass(frozen=True, slots=True)
class Use:
    """One value that a template asks for.

    path: ("order", "lines", "[]", "name"). line: of the template's file. required: every
    rendering asks for it, and nothing stands in where it is missing. printed: it is what an
    expression prints, as it is. guarded: the template looks first whether it is there.
    """

    path: Path
    source: Source
    line: int
    required: bool
    printed: bool = False
    guarded: bool = False

    def __str__(self) -> str:
        return ".".join(self.path).replace(f".{EACH}", EACH)


@dataclass(frozen=True, slots=True)
class Unescaped:
    """A value that `| safe` lets through as it is, or `autoescape false`. line: of the file."""

    source: Source
    line: int


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around a node. names: those bound in the template, to the path they stand for."""

    names: Mapping[str, Path | None]
    required: bool = True
    guards: frozenset[Path] = field(default_factory=frozenset)

    def sometimes(self, guards: Iterable[Path] = ()) -> _Around:
        return replace(self, required=False, guards=self.guards | {*guards})

    def bound(self, names: Mapping[str, Path | None]) -> _Around:
        return replace(self, names={**self.names, **names})


def uses(environment: Environment, source: Source) -> list[Use]:
    """What the template asks for, in order. Raises TemplateSyntaxError."""
    tree = environment.parse(str(source))
    reader = _Reader(source, dict.fromkeys(environment.globals))
    return list(reader.walk(tree, _Around(reader.given)))


def unescaped(environment: Environment, source: Source) -> Iterator[Unescaped]:
    """Where escaping is turned off for what is no constant. Raises TemplateSyntaxError."""
    tree = environment.parse(str(source))
    for found in tree.find_all(nodes.Filter):
        if found.name == "safe" and not isinstance(found.node, nodes.Const):
            yield Unescaped(source, source.line + found.lineno - 1)
    for scope in tree.find_all(nodes.ScopedEvalContextModifier):
        for option in scope.options:
            if option.key == "autoescape" and getattr(option.value, "value", True) is False:
                yield Unescaped(source, source.line + scope.lineno - 1)


class _Reader:
    def __init__(self, source: Source, given: Mapping[str, Path | None]) -> None:
        self.source, self.given = source, given

    def walk(self, node: nodes.Node, around: _Around) -> Iterator[Use]:
        visit: Callable[[Any, _Around], Iterator[Use]] | None = _VISITS.get(type(node))
        path = self.path(node, around)
        if path is not None:
            yield from self.use(node, path, around)
        elif visit:
            yield from visit(self, node, around)  # type: ignore[call-arg, arg-type]
        else:
            yield from self.all(node.iter_child_nodes(), around)

    def all(self, children: Iterable[nodes.Node], around: _Around) -> Iterator[Use]:
        """Children one after the other; what `set` and imports bind holds for those behind."""
        for child in children:
            yield from self.walk(child, around)
            bound = self.binds(child, around)
            if bound:
                around = around.bound(bound)

    def use(
        self, node: nodes.Node, path: Path, around: _Around, *, printed: bool = False
    ) -> Iterator[Use]:
        if path:
            line = self.source.line + node.lineno - 1
            guarded = path in around.guards
            yield Use(path, self.source, line, around.required, printed, guarded)
        if isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Const):
            yield from self.walk(node.arg, around)

    def path(self, node: nodes.Node, around: _Around) -> Path | None:
        """The path that a node names; empty for one that starts at a name of the template's own."""
        match node:
            case nodes.Name(ctx="load", name=name):
                if name in around.names:
                    return around.names[name] or ()
                return (name,)
            case nodes.Getattr(node=holder, attr=name):
                above = self.path(holder, around)
                return (*above, name) if above else above
            case nodes.Getitem(node=holder, arg=nodes.Const(value=key)):
                above = self.path(holder, around)
                return (*above, EACH if isinstance(key, int) else str(key)) if above else above
        return None

    def binds(self, node: nodes.Node, around: _Around) -> dict[str, Path | None]:
        match node:
            case nodes.Assign(target=nodes.Name(name=name), node=value):
                return {name: self.path(value, around)}
            case nodes.Assign(target=target) | nodes.AssignBlock(target=target):
                return dict.fromkeys(_names(target))
            case nodes.Macro(name=name) | nodes.Import(target=name):
                return {name: None}
            case nodes.FromImport(names=names):
                return {name if isinstance(name, str) else name[1]: None for name in names}
        return {}

    def output(self, node: nodes.Output, around: _Around) -> Iterator[Use]:
        for printed in node.nodes:
            inner: nodes.Node = printed
            while isinstance(inner, nodes.Filter) and inner.name in _PASSING and inner.node:
                inner = inner.node
            path = self.path(inner, around)
            if path is not None:
                yield from self.use(inner, path, around, printed=True)
            else:
                yield from self.walk(printed, around)

    def condition(self, node: nodes.If | nodes.CondExpr, around: _Around) -> Iterator[Use]:
        yield from self.walk(node.test, around)
        guards = {use.path for use in self.walk(node.test, around)}
        inner = around.sometimes(guards)
        for child in node.iter_child_nodes(exclude=("test",)):
            yield from self.walk(child, inner)

    def loop(self, node: nodes.For, around: _Around) -> Iterator[Use]:
        yield from self.walk(node.iter, around)
        over = self.path(node.iter, around)
        names: dict[str, Path | None] = {"loop": None, **dict.fromkeys(_names(node.target))}
        if over and isinstance(node.target, nodes.Name):
            names[node.target.name] = (*over, EACH)
        inner = around.bound(names).sometimes()
        if node.test:
            yield from self.walk(node.test, inner)
        yield from self.all(node.body, inner)
        yield from self.all(node.else_, around.sometimes())

    def either(self, node: nodes.And | nodes.Or, around: _Around) -> Iterator[Use]:
        yield from self.walk(node.left, around)
        guards = {use.path for use in self.walk(node.left, around)}
        yield from self.walk(node.right, around.sometimes(guards))

    def filtered(self, node: nodes.Filter, around: _Around) -> Iterator[Use]:
        if node.name in _FALLBACKS and node.node:
            inner = self.path(node.node, around)
            yield from self.walk(node.node, around.sometimes([inner] if inner else []))
            yield from self.all([*node.args, *node.kwargs], around)
        else:
            yield from self.all(node.iter_child_nodes(), around)

    def tested(self, node: nodes.Test, around: _Around) -> Iterator[Use]:
        inner = around.sometimes() if node.name in ("defined", "undefined") else around
        yield from self.all(node.iter_child_nodes(), inner)

    def macro(self, node: nodes.Macro | nodes.CallBlock, around: _Around) -> Iterator[Use]:
        if isinstance(node, nodes.CallBlock):
            yield from self.walk(node.call, around)
        names = {
            **dict.fromkeys(_names(*node.args)),
            **dict.fromkeys(("caller", "varargs", "kwargs")),
        }
        yield from self.all(node.defaults, around)
        yield from self.all(node.body, around.bound(names).sometimes())

    def scope(self, node: nodes.With, around: _Around) -> Iterator[Use]:
        yield from self.all(node.values, around)
        pairs = zip(node.targets, node.values, strict=True)
        names = {name: self.path(value, around) for to, value in pairs for name in _names(to)}
        yield from self.all(node.body, around.bound(names))


def _names(*targets: nodes.Node) -> list[str]:
    """The names that targets bind."""
    found = (target for target in targets if isinstance(target, nodes.Name))
    inner = (name for target in targets for name in target.find_all(nodes.Name))
    return [name.name for name in (*found, *inner)]


_VISITS: Final[Mapping[type[nodes.Node], Callable[..., Iterator[Use]]]] = {
    nodes.Output: _Reader.output,
    nodes.If: _Reader.condition,
    nodes.CondExpr: _Reader.condition,
    nodes.For: _Reader.loop,
    nodes.And: _Reader.either,
    nodes.Or: _Reader.either,
    nodes.Filter: _Reader.filtered,
    nodes.Test: _Reader.tested,
    nodes.Macro: _Reader.macro,
    nodes.CallBlock: _Reader.macro,
    nodes.With: _Reader.scope,
}


def values(path: Path, among: Any) -> Iterator[tuple[bool, Any]]:
    """Whether there is a value at that path, and which: one for each element of its lists.

    Where a holder is no mapping and no list, nobody can say: nothing comes.
    """
    if not path:
        yield True, among
        return
    name, *rest = path
    if name == EACH:
        for item in among if isinstance(among, (list, tuple)) else ():
            yield from values(tuple(rest), item)
    elif isinstance(among, Mapping):
        if name in among:
            yield from values(tuple(rest), among[name])
        elif not hasattr(among, name):  # order.items() of a mapping without items
            yield False, None
