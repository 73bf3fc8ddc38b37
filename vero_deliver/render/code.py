"""The Python that templates become: Jinja's own code, with a short way for plain values.

Source: jinja2.compiler 3.1 (CodeGenerator). Each short way tests for an exact type at run time
and leaves everything else to the code that Jinja writes, so output and errors stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from jinja2 import Template, nodes
from jinja2.compiler import CodeGenerator, Frame, optimizeconst
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.utils import missing
from jinja2.visitor import NodeTransformer

from vero_deliver.render.escaping import escaped as escaped
from vero_deliver.render.escaping import in_json as in_json
from vero_deliver.render.escaping import unmarked as unmarked
from vero_deliver.render.filters.numbers import NUMBERS as NUMBERS
from vero_deliver.render.program import Draft, Program, drafted

LARGEST = 2**1_000  # two integers below it multiply within limits.MAX_BITS

_IMPORTS = "LARGEST, NUMBERS, Draft, Groups, escaped, in_json, unmarked"
_COUNTED = {"index": "{}", "index0": "({} - 1)", "first": "({} == 1)"}
_SEES_LOOP = (
    nodes.Block, nodes.CallBlock, nodes.ContextReference, nodes.DerivedContextReference,
    nodes.FromImport, nodes.Import, nodes.Include, nodes.Macro, nodes.OverlayScope,
)  # fmt: skip
_RUNS_OTHERS = (nodes.Block, nodes.Extends, nodes.Include)  # whose pieces come one by one


class Variables(Context):
    """Jinja's context; what few templates ask of it is made when it is asked for."""

    def __init__(
        self,
        environment: Any,
        given: Mapping[str, Any],
        name: str | None,
        blocks: dict[str, Callable[[Context], Iterator[str]]],
        globals: Any = None,  # noqa: A002  # Jinja's name
    ) -> None:
        """given: what the template was given; the globals below it where Jinja calls, not we."""
        self._given, self._globals = given, globals or {}
        self.vars = {}
        self.environment = environment
        self.exported_vars = set()
        self.name = name
        self.blocks = {block: [function] for block, function in blocks.items()} if blocks else {}

    @cached_property
    def parent(self) -> dict[str, Any]:  # type: ignore[override]
        return {**self._globals, **self._given}

    @cached_property
    def eval_ctx(self) -> EvalContext:  # type: ignore[override]
        return EvalContext(self.environment, self.name)

    @cached_property
    def globals_keys(self) -> Any:  # type: ignore[override]
        return self._globals.keys()

    def resolve_or_missing(self, key: str) -> Any:
        own, given = self.vars, self._given
        if own and key in own:
            return own[key]
        return given[key] if key in given else self._globals.get(key, missing)


def constants(template: Any) -> tuple[str, ...]:
    """The texts that a template prints as they stand: the very strings that its run yields."""
    found: tuple[str, ...] = template.root_render_func.__globals__.get("constants", ())
    return found


class _Flat(chain[str]):
    """Pieces out of groups; closed as Jinja closes the run of an included template."""

    def close(self) -> None:
        """Nothing: the run ends with the last reference to it."""


@dataclass(frozen=True, slots=True)
class Groups:
    """A template's run with a tuple per run of outputs: constant, value, constant, value, ...

    An empty text stands where two of a kind meet, so constants have the even places.
    longest: characters of the longest constant. clean: whether all constants are.
    program: does the same in C, for what is not out of the ordinary; None where it cannot.
    """

    run: Callable[[Context], Iterator[tuple[str, ...]]]
    longest: int
    clean: bool
    program: Program | None

    @classmethod
    def of(
        cls,
        run: Callable[[Context], Iterator[tuple[str, ...]]],
        texts: tuple[str, ...],
        environment: Any,
        draft: Draft | None,
    ) -> Groups:
        """After the environment has learned the texts."""
        clean = all(text in environment.known for text in texts)
        program = draft.linked(environment, texts) if draft else None
        return cls(run, max(map(len, texts), default=0), clean, program)

    def pieces(self, context: Context) -> Iterator[str]:
        """The run as Jinja's own code gives it."""
        return _Flat.from_iterable(self.run(context))


def groups(template: Template) -> Groups | None:
    """The grouped run of a template; None where other templates' pieces come in between."""
    found: Groups | None = template.root_render_func.__globals__.get("groups")
    return found


def stray_jump(node: nodes.Node, *, inside: bool = False) -> nodes.Break | nodes.Continue | None:
    """The first break or continue that stands in no loop, which Python would refuse."""
    if isinstance(node, (nodes.Break, nodes.Continue)):
        return None if inside else node
    if isinstance(node, (nodes.Macro, nodes.CallBlock, nodes.Block)):
        inside = False
    for child in node.iter_child_nodes():
        here = inside or (isinstance(node, nodes.For) and child in node.body)
        if stray := stray_jump(child, inside=here):
            return stray
    return None


class Bounded(CodeGenerator):
    """Jinja's own code, but `a ~ b` asks the environment, which bounds it."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802  # Jinja's name
        self.write("environment.join_texts(context.eval_ctx, (")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


def _numeric(operator: str, stock: Any) -> Any:
    """A visitor for an intercepted operator: two plain numbers need not ask the environment."""

    @optimizeconst
    def visit(self: Fast, node: nodes.BinExpr, frame: Frame) -> None:
        if operator not in getattr(self.environment, "intercepted_binops", ()):
            stock(self, node, frame)
            return
        left, right = self.temporary_identifier(), self.temporary_identifier()
        # both sides are computed, in order, before either is looked at
        self.write(f"({left} {operator} {right} if (type({left} := ")
        self.visit(node.left, frame)
        self.write(f") in NUMBERS) & (type({right} := ")
        self.visit(node.right, frame)
        self.write(") in NUMBERS)")
        if operator == "*":
            self.write(f" and (type({left}) is float or type({right}) is float or")
            self.write(f" -LARGEST < {left} < LARGEST and -LARGEST < {right} < LARGEST)")
        self.write(f" else environment.call_binop(context, {operator!r}, {left}, {right}))")

    return visit


class Fast(Bounded):
    """Code with short ways for dicts, text, numbers and loop counters; see the module."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._constants: dict[str, None] = {}
        self._direct = True
        self._grouped = False
        self._json = getattr(self.environment, "prints_json", False)

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        self.writeline(f"from vero_deliver.render.code import {_IMPORTS}")
        self._grouped = next(node.find_all(_RUNS_OTHERS), None) is None
        draft = self._drafted(node) if self._grouped else None
        super().visit_Template(node, frame)
        texts = "".join(f"{text!r}, " for text in self._constants)
        self.writeline(f"constants = ({texts})")
        self.writeline("environment.learn(constants)")
        if self._grouped:
            source = draft.source() if draft else None
            self.writeline(f"groups = Groups.of(root, constants, environment, {source})")
            # no generator of its own: that would be a frame more in tracebacks
            self.writeline("def root(context): return groups.pieces(context)")

    def _drafted(self, node: nodes.Template) -> Draft | None:
        frame, finalize = Frame(EvalContext(self.environment, self.name)), self._make_finalize()
        return drafted(node, self.environment, lambda child: self._printed(child, frame, finalize))

    visit_Add = _numeric("+", CodeGenerator.visit_Add)  # noqa: N815
    visit_Mul = _numeric("*", CodeGenerator.visit_Mul)  # noqa: N815
    visit_Mod = _numeric("%", CodeGenerator.visit_Mod)  # noqa: N815

    @optimizeconst
    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802
        self._found(node, node.attr, f"dict and {node.attr!r} in at", "getattr", frame)

    @optimizeconst
    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802
        key = node.arg.value if isinstance(node.arg, nodes.Const) else None
        if type(key) is str:
            self._found(node, key, f"dict and {key!r} in at", "getitem", frame)
        elif type(key) is int:
            long_enough = f"len(at) > {key}" if key >= 0 else f"len(at) >= {-key}"
            self._found(node, key, f"list and {long_enough}", "getitem", frame)
        else:
            super().visit_Getitem(node, frame)

    def _found(
        self, node: nodes.Getattr | nodes.Getitem, key: str | int, test: str, ask: str, frame: Frame
    ) -> None:
        # `at` serves nested look-ups too: the inner one is done before the outer one sets it
        self.write(f"(at[{key!r}] if type(at := ")
        self.visit(node.node, frame)
        self.write(f") is {test} else environment.{ask}(at, {key!r}))")

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802
        self._direct = frame.buffer is None
        if self._direct and self._grouped:
            self._group(node, frame)
        else:
            super().visit_Output(node, frame)

    def _group(self, node: nodes.Output, frame: Frame) -> None:
        """visit_Output, but with one yield."""
        finalize = self._make_finalize()
        texts: list[str] = []
        self.writeline("yield (")
        self.indent()
        for child in node.nodes:
            text = self._printed(child, frame, finalize)
            if text is not None:
                texts.append(text)
                continue
            self.writeline(f"{self._output_const_repr(texts)}, ")
            texts = []
            self.newline(child)
            self._output_child_pre(child, frame, finalize)
            self.visit(child, frame)
            self._output_child_post(child, frame, finalize)
            self.write(", ")
        if texts:
            self.writeline(f"{self._output_const_repr(texts)}, '', ")
        self.outdent()
        self.writeline(")")

    def _printed(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str | None:
        """What a node always prints; None where that is known only when it runs."""
        if not (finalize.const or isinstance(node, nodes.TemplateData)):
            return None
        try:
            return str(self._output_child_to_const(node, frame, finalize))
        except Exception:  # noqa: BLE001  # as Jinja: it is raised again when it runs
            return None

    def _output_const_repr(self, group: Any) -> str:
        text = "".join(group)
        if self._direct and text:
            self._constants[text] = None
        return repr(text)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile:
            self._unmark(frame)
            super()._output_child_pre(node, frame, finalize)
            return
        text = "escaped(out)" if frame.eval_ctx.autoescape else "out"
        self.write(f"({'in_json(out)' if self._json else text} if type(out := ")

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile:
            super()._output_child_post(node, frame, finalize)
            self._unmarked(frame)
            return
        numbers = "" if self._json else "str(out) if type(out) in NUMBERS else "
        self.write(f") is str else {numbers}")
        self._unmark(frame)
        super()._output_child_pre(node, frame, finalize)
        self.write("out")
        super()._output_child_post(node, frame, finalize)
        self._unmarked(frame)
        self.write(")")

    def _unmark(self, frame: Frame) -> None:
        """Open what makes str of Markup where a piece is yielded; a buffer is joined anyway."""
        self.write("" if frame.buffer else "unmarked(")

    def _unmarked(self, frame: Frame) -> None:
        self.write("" if frame.buffer else ")")

    def start_write(self, frame: Frame, node: nodes.Node | None = None) -> None:
        super().start_write(frame, node)
        self.write("('', " if self._grouped and frame.buffer is None else "")
        self._unmark(frame)

    def end_write(self, frame: Frame) -> None:
        self._unmarked(frame)
        self.write(")" if self._grouped and frame.buffer is None else "")
        super().end_write(frame)

    def simple_write(self, s: str, frame: Frame, node: nodes.Node | None = None) -> None:
        super().start_write(frame, node)  # a piece of another template, which is plain
        self.write(s)
        super().end_write(frame)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802
        counter = self.temporary_identifier()
        if _counted(node, counter):
            self.writeline(f"{counter} = 0", node)
        super().visit_For(node, frame)


def _counted(loop: nodes.For, counter: str) -> bool:
    """Replace `loop` by a counter, where the body asks for nothing else; whether that was so."""
    if loop.recursive or any(True for body in loop.body for _ in _sees_loop(body)):
        return False
    uses = [use for statement in loop.body for use in _uses(statement)]
    asked = [use for use in uses if isinstance(use, nodes.Getattr)]
    if not asked or 2 * len(asked) != len(uses) or any(use.attr not in _COUNTED for use in asked):
        return False
    replace = _Counter(counter)
    loop.body = [replace.visit(statement) for statement in loop.body]
    step = nodes.ExprStmt(_internal(f"{counter} += 1", loop.lineno), lineno=loop.lineno)
    loop.body.insert(0, step)
    return True


def _sees_loop(node: nodes.Node) -> Iterator[nodes.Node]:
    """What could read or set `loop` other than by an attribute of that name."""
    if isinstance(node, _SEES_LOOP):
        yield node
    yield from node.find_all(_SEES_LOOP)
    yield from (found for found in node.find_all(nodes.NSRef) if found.name == "loop")


def _is_loop(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "loop"


def _outside(loop: nodes.For) -> Iterator[nodes.Node]:
    """The parts of an inner loop where `loop` is still the outer one."""
    return loop.iter_child_nodes(exclude=("body",))


def _uses(node: nodes.Node) -> Iterator[nodes.Node]:
    """Every name `loop` of one loop, and every attribute that is asked of it."""
    if _is_loop(node) or (isinstance(node, nodes.Getattr) and _is_loop(node.node)):
        yield node
    inner = _outside(node) if isinstance(node, nodes.For) else node.iter_child_nodes()
    for child in inner:
        yield from _uses(child)


class _Counter(NodeTransformer):
    """Puts a counter in the place of `loop.index` and its kind."""

    def __init__(self, counter: str) -> None:
        self._counter = counter

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802
        if _is_loop(node.node):
            return _internal(_COUNTED[node.attr].format(self._counter), node.lineno)
        return self.generic_visit(node)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        body, node.body = node.body, []
        self.generic_visit(node)
        node.body = body
        return node


def _internal(code: str, line: int) -> nodes.InternalName:
    """A node that is written as it stands; made as jinja2.parser makes them."""
    node: nodes.InternalName = object.__new__(nodes.InternalName)
    nodes.Node.__init__(node, code, lineno=line)
    return node
