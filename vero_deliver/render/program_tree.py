"""The tree of a template's program, written from Jinja's tree of the template.

A node is (kind, number, value, *children); a function's value is its table in the environment and
its name. What a program cannot say at all is declined, and the template has only its code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import IntEnum, auto
from math import isfinite
from typing import Any, Final

from jinja2 import nodes
from jinja2.nodes import EvalContext
from jinja2.utils import _PassArg

Tree = tuple[Any, ...]
Printed = Callable[[nodes.Expr], str | None]  # what a node always prints; None where that varies


class Kind(IntEnum):
    """As program.h numbers them, which says what a node's number and value are."""

    CONSTANT = 0
    VARIABLE = auto()
    LOCAL = auto()
    ATTRIBUTE = auto()
    ITEM = auto()
    NOT = auto()
    AND = auto()
    OR = auto()
    CHOICE = auto()
    COMPARE = auto()
    CONTAINS = auto()
    COMPUTE = auto()
    NEGATE = auto()
    CALL = auto()
    DIVISIBLE = auto()
    ADDRESS = auto()
    STYLE = auto()
    QUOTE = auto()
    MONEY = auto()
    LOOP = auto()
    PRINT = auto()
    WHEN = auto()
    EACH_OF = auto()
    KEEP = auto()
    ALL = auto()


_COMPARED: Final = {"lt": 0, "lteq": 1, "eq": 2, "ne": 3, "gt": 4, "gteq": 5}  # Py_LT to Py_GE
_COMPUTED: Final = {
    nodes.Add: 0, nodes.Sub: 1, nodes.Mul: 2, nodes.Div: 3, nodes.FloorDiv: 4, nodes.Mod: 5,
}  # fmt: skip
_MEANT_OTHERWISE: Final = frozenset(("loop", "self", "super", "caller", "varargs", "kwargs"))
_FACTS: Final = ("index", "index0", "first", "last", "length", "revindex", "revindex0")
_SHORT: Final = {  # filters that C knows, and their nodes' numbers
    "_url": (Kind.ADDRESS, 0), "_css_value": (Kind.STYLE, 0), "urlencode": (Kind.QUOTE, 0),
    "encode": (Kind.QUOTE, 1),
}  # fmt: skip
_MOST_LOCALS, _MOST_LOOPS, _MOST_ARGUMENTS, _DEEPEST = 64, 16, 8, 90
_SCALARS = (str, int, float, bool, type(None))


class Declined(Exception):  # no error: the template has its code
    """What a program cannot say."""


def written(
    template: nodes.Template, environment: Any, printed: Printed
) -> tuple[Tree, tuple[str, ...]]:
    """The tree, and the currencies that it writes. Raises Declined.

    printed: of outputs, as the template's code has it.
    """
    writer = _Writer(environment, printed, template)
    tree = writer.block(template.body, may_keep=True)
    if _depth(tree) > _DEEPEST:
        raise Declined
    return tree, tuple(writer.currencies)


def source(tree: Tree) -> str:
    """Python for this very tree."""
    kind, number, value, *children = tree
    inner = "".join(f"{source(child)}, " for child in children)
    return f"({int(kind)}, {number}, {value!r}, {inner})"


def first_arguments(environment: Any, table: str, name: str) -> tuple[Any, ...] | None:
    """What a function gets before its own arguments; None where a program cannot give it."""
    if table == "join_texts":
        return ()
    function = getattr(environment, table).get(name)
    asked = _PassArg.from_obj(function) if function else _PassArg.context
    if asked is _PassArg.context:
        return (None,) if getattr(function, "ignores_context", False) else None
    if asked is _PassArg.eval_context:
        return (EvalContext(environment),)
    return (environment,) if asked is _PassArg.environment else ()


class _Writer:
    """Writes the tree of one template."""

    def __init__(self, environment: Any, printed: Printed, template: nodes.Template) -> None:
        self._environment, self._printed = environment, printed
        names = template.find_all(nodes.Name)
        self._stored = Counter(name.name for name in names if name.ctx != "load")
        kept = (assign.target for assign in template.find_all(nodes.Assign))
        self._kept = {target.name for target in kept if isinstance(target, nodes.Name)}
        self._scope: dict[str, int] = {}  # names that have a value of the template's, and its place
        self._loops = 0  # that stand around
        self.currencies: dict[str, None] = {}

    def block(self, body: Sequence[nodes.Node], *, may_keep: bool = False) -> Tree:
        """Statements, one after the other. may_keep: whether all of them are always done."""
        return (Kind.ALL, 0, None, *[self._statement(node, may_keep) for node in body])

    def _statement(self, node: nodes.Node, may_keep: bool) -> Tree:
        if isinstance(node, nodes.Output):
            return self._output(node)
        if isinstance(node, nodes.If):
            return self._if([node, *node.elif_], node.else_)
        if isinstance(node, nodes.For):
            return self._for(node)
        if isinstance(node, nodes.Assign) and may_keep:
            return self._assign(node)
        raise Declined

    def _output(self, node: nodes.Output) -> Tree:
        children: list[Tree] = []
        texts: list[str] = []
        for child in node.nodes:
            text = self._printed(child)
            if text is not None:
                texts.append(text)
                continue
            children += [_constant("".join(texts)), self._varying(child)]
            texts = []
        if texts:
            children += [_constant("".join(texts)), _constant("")]
        return (Kind.PRINT, 0, None, *children)

    def _varying(self, node: nodes.Expr) -> Tree:
        tree = self._expression(node)
        if tree[0] is Kind.CONSTANT:  # one that may not be printed beforehand
            raise Declined
        return tree

    def _if(self, cases: Sequence[nodes.If], otherwise: Sequence[nodes.Node]) -> Tree:
        if not cases:
            return self.block(otherwise)
        test, body = self._expression(cases[0].test), self.block(cases[0].body)
        return (Kind.WHEN, 0, None, test, body, self._if(cases[1:], otherwise))

    def _for(self, node: nodes.For) -> Tree:
        if node.recursive or node.test or not isinstance(node.target, nodes.Name):
            raise Declined
        items = self._expression(node.iter)
        without = self.block(node.else_)
        outside, loop = dict(self._scope), self._loops
        if loop == _MOST_LOOPS:
            raise Declined
        self._loops += 1
        place = self._bind(node.target.name)
        body = self.block(node.body, may_keep=True)
        self._loops, self._scope = loop, outside
        return (Kind.EACH_OF, place, loop, items, body, without)

    def _assign(self, node: nodes.Assign) -> Tree:
        name = node.target.name if isinstance(node.target, nodes.Name) else ""
        if not name or self._stored[name] != 1:
            raise Declined
        value = self._expression(node.node)
        return (Kind.KEEP, self._bind(name), None, value)

    def _bind(self, name: str) -> int:
        # those of a loop that is over are free again; a name that is bound anew gets a new one
        place = 1 + max(self._scope.values(), default=-1)
        if place == _MOST_LOCALS:
            raise Declined
        self._scope[name] = place
        return place

    def _expression(self, node: nodes.Node) -> Tree:
        write = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if write is not None:
            tree: Tree = write(node)
            return tree
        if type(node) in _COMPUTED and isinstance(node, nodes.BinExpr):
            both = self._expression(node.left), self._expression(node.right)
            return (Kind.COMPUTE, _COMPUTED[type(node)], None, *both)
        raise Declined

    def _of_const(self, node: nodes.Const) -> Tree:
        if type(node.value) not in _SCALARS:
            raise Declined
        if type(node.value) is float and not isfinite(node.value):  # Python has no word for it
            raise Declined
        return _constant(node.value)

    def _of_name(self, node: nodes.Name) -> Tree:
        if node.name in self._scope:
            return (Kind.LOCAL, self._scope[node.name], None)
        if node.name in _MEANT_OTHERWISE or node.name in self._kept:  # kept elsewhere, or later
            raise Declined
        return (Kind.VARIABLE, 0, node.name)

    def _of_getattr(self, node: nodes.Getattr) -> Tree:
        if isinstance(node.node, nodes.Name) and node.node.name == "loop":
            if not self._loops or node.attr not in _FACTS or self._stored["loop"]:
                raise Declined
            return (Kind.LOOP, (self._loops - 1) * len(_FACTS) + _FACTS.index(node.attr), None)
        return (Kind.ATTRIBUTE, 0, node.attr, self._expression(node.node))

    def _of_getitem(self, node: nodes.Getitem) -> Tree:
        key: object = None
        with suppress(nodes.Impossible):
            key = node.arg.as_const(EvalContext(self._environment))
        if type(key) not in (str, int):
            raise Declined
        return (Kind.ITEM, 0, key, self._expression(node.node))

    def _of_not(self, node: nodes.Not) -> Tree:
        return (Kind.NOT, 0, None, self._expression(node.node))

    def _of_and(self, node: nodes.And) -> Tree:
        return (Kind.AND, 0, None, self._expression(node.left), self._expression(node.right))

    def _of_or(self, node: nodes.Or) -> Tree:
        return (Kind.OR, 0, None, self._expression(node.left), self._expression(node.right))

    def _of_neg(self, node: nodes.Neg) -> Tree:
        return (Kind.NEGATE, 0, None, self._expression(node.node))

    def _of_condexpr(self, node: nodes.CondExpr) -> Tree:
        if node.expr2 is None:
            raise Declined
        parts = [self._expression(part) for part in (node.test, node.expr1, node.expr2)]
        return (Kind.CHOICE, 0, None, *parts)

    def _of_compare(self, node: nodes.Compare) -> Tree:
        if len(node.ops) != 1:
            raise Declined
        [operand] = node.ops
        both = self._expression(node.expr), self._expression(operand.expr)
        if operand.op in _COMPARED:
            return (Kind.COMPARE, _COMPARED[operand.op], None, *both)
        return (Kind.CONTAINS, int(operand.op == "notin"), None, *both)

    def _of_concat(self, node: nodes.Concat) -> Tree:
        return self._call(Kind.CALL, 0, "join_texts", "", node.nodes)

    def _of_filter(self, node: nodes.Filter) -> Tree:
        if node.node is None:
            raise Declined
        arguments = self._arguments(node)
        if node.name == "money" and len(arguments) == 2 and isinstance(arguments[1], nodes.Const):
            code = arguments[1].value
            if type(code) is str:
                self.currencies.setdefault(code)
                number = list(self.currencies).index(code)
                return self._call(Kind.MONEY, number, "filters", node.name, arguments)
        kind, number = _SHORT.get(node.name, (Kind.CALL, 0))
        return self._call(kind, number, "filters", node.name, arguments)

    def _of_test(self, node: nodes.Test) -> Tree:
        kind = Kind.DIVISIBLE if node.name == "divisibleby" else Kind.CALL
        return self._call(kind, 0, "tests", node.name, self._arguments(node))

    def _arguments(self, node: nodes.Filter | nodes.Test) -> list[nodes.Expr]:
        if node.kwargs or node.dyn_args or node.dyn_kwargs or node.node is None:
            raise Declined
        return [node.node, *node.args]

    def _call(
        self, kind: Kind, number: int, table: str, name: str, arguments: Sequence[nodes.Expr]
    ) -> Tree:
        if (
            len(arguments) > _MOST_ARGUMENTS
            or first_arguments(self._environment, table, name) is None
        ):
            raise Declined
        return (kind, number, (table, name), *[self._expression(each) for each in arguments])


def _constant(value: Any) -> Tree:
    return (Kind.CONSTANT, 0, value)


def _depth(tree: Tree) -> int:
    return 1 + max(map(_depth, tree[3:]), default=0)
