"""Templates as programs that C runs: for what most templates do, with the values that most have.

A program says what the template's Python code says, and gives up where anything is out of the
ordinary; then that code runs. So nothing here is about errors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from jinja2 import nodes
from jinja2.nodes import EvalContext
from jinja2.utils import missing
from markupsafe import Markup, escape

from vero_deliver import speedups
from vero_deliver.render.escaping import unmarked
from vero_deliver.render.program_tree import (
    Declined,
    Kind,
    Printed,
    Tree,
    first_arguments,
    source,
    written,
)
from vero_deliver.render.run import current

_PLAIN = (Markup, Decimal, date, datetime, time, timedelta)
_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Program:
    """A template's program. currencies: whose writers a run gives it, in this order."""

    compiled: speedups.Program
    currencies: tuple[str, ...]

    def run(self, variables: dict[str, Any], pieces: list[str], most: int) -> bool | None:
        """As speedups.Program.run, within the rendering that is going on."""
        writers = _writers(self.currencies) if self.currencies else ()
        return self.compiled.run(variables, writers, pieces, most)

    def value(self, variables: dict[str, Any]) -> Any:
        """As speedups.Program.value, within the rendering that is going on."""
        writers = _writers(self.currencies) if self.currencies else ()
        return self.compiled.value(variables, writers)


@dataclass(frozen=True, slots=True)
class Draft:
    """A program before it knows its environment. calls: (table, name) in place of functions."""

    tree: Tree
    currencies: tuple[str, ...]

    def source(self) -> str:
        """Python for this very draft."""
        return f"Draft({source(self.tree)}, {self.currencies!r})"

    def linked(self, environment: Any, constants: Sequence[str]) -> Program | None:
        """With the functions of the environment; None without C.

        constants: the very strings that the template's code prints.
        """
        if speedups.compiled is None:
            return None
        link = _Link(environment, constants)
        compiled = speedups.compiled.Program(
            link.tree(self.tree),
            environment.getattr,
            environment.getitem,
            link.missing,
            link.text,
            (*_PLAIN, environment.undefined),
            environment.escapes_html,
        )
        return Program(compiled, self.currencies)


def ignores_context(function: _Function) -> _Function:
    """Mark a function that is given the context only so that Jinja calls it for every user."""
    function.ignores_context = True  # type: ignore[attr-defined]
    return function


def drafted(template: nodes.Template, environment: Any, printed: Printed) -> Draft | None:
    """The template's program; None where it says more than programs do.

    printed: of outputs, as the template's code has it.
    """
    if environment.autoescape != environment.escapes_html:  # JSON
        return None
    with suppress(Declined, RecursionError):
        return Draft(*written(template, environment, printed))
    return None


class _Link:
    """Puts an environment's functions into a tree."""

    def __init__(self, environment: Any, constants: Sequence[str]) -> None:
        self._environment = environment
        self._texts = {text: text for text in constants}

    def tree(self, tree: Tree) -> Tree:
        kind, number, value, *children = tree
        if Kind.CALL <= kind <= Kind.MONEY:
            table, name = value
            value = (
                self._function(table, name),
                *(first_arguments(self._environment, table, name) or ()),
            )
        elif kind == Kind.CONSTANT and type(value) is str:
            value = self._texts.get(value, value)
        return (kind, number, value, *map(self.tree, children))

    def _function(self, table: str, name: str) -> Any:
        if table == "join_texts":
            return self._joined
        return getattr(self._environment, table)[name]

    def _joined(self, *parts: Any) -> str:
        text: str = self._environment.join_texts(EvalContext(self._environment), parts)
        return text

    def missing(self, name: str) -> Any:
        """What a name means that the template is not given."""
        found = self._environment.globals.get(name, missing)
        return self._environment.undefined(name=name) if found is missing else found

    def text(self, value: Any) -> str:
        """What is printed of a value that is neither text nor a number."""
        final = self._environment.finalize(value)
        return str(unmarked(escape(final) if self._environment.autoescape else str(final)))


def _writers(currencies: tuple[str, ...]) -> tuple[Callable[[object], str] | None, ...]:
    money: Any = current().formats.get("money")
    return money.writers(currencies) if money else (None,) * len(currencies)
