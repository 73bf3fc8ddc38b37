"""How a rule is declared, and which there are.

A rule is a generator of hits over what was seen; its docstring is the why that `--explain` prints:

    @rule("links/https", "warning")
    def https(seen: Seen) -> Iterator[Hit]:
        \"\"\"A link is http.

        Whoever sits on the way can read and change what it opens; ...
        \"\"\"
        for mail in seen.emails:
            for link in mail.page.find("a"):
                if link.get("href").startswith("http:"):
                    yield Hit("the link is http", on=mail, at=link, hint="write https")
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final, Literal

from vero_deliver.check.finding import Hit, Severity

if TYPE_CHECKING:
    from vero_deliver.check.seen import Seen

Needs = Literal["", "online", "spam"]

# family -> the modules that declare its rules; a module is imported when its family is chosen
FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "render": ("render",),
    "vars": ("variables",),
    "html": ("html",),
    "links": ("links",),
    "email": ("inbox", "email"),
    "i18n": ("i18n",),
    "client": ("client",),
    "a11y": ("a11y",),
    "images": ("images",),
    "push": ("push",),
    "sms": ("sms",),
    "spam": ("spam",),
    "deliver": ("deliver",),
    "check": ("own",),  # last: it tells which rules broke
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One lint.

    needs: the option without which it does not run. parts: its hits name parts, each of which
    can be ignored as `<id>-<part>`.
    """

    id: str
    severity: Severity
    run: Callable[[Seen], Iterable[Hit]]
    needs: Needs = ""
    parts: bool = False

    @property
    def family(self) -> str:
        """What stands before the slash."""
        return self.id.partition("/")[0]

    @property
    def title(self) -> str:
        """What is found, in one line."""
        return self._words[0].rstrip(".")

    @property
    def why(self) -> str:
        """One paragraph: what it does to whom."""
        return " ".join(self._words[2].split())

    @property
    def _words(self) -> tuple[str, str, str]:
        return (inspect.getdoc(self.run) or self.id).partition("\n\n")


_RULES: dict[str, Rule] = {}


def rule(
    id: str,  # noqa: A002  # the rule's own word
    severity: Severity,
    *,
    needs: Needs = "",
    parts: bool = False,
) -> Callable[[Callable[[Seen], Iterable[Hit]]], Callable[[Seen], Iterable[Hit]]]:
    """Declare a rule; see the module."""

    def declare(run: Callable[[Seen], Iterable[Hit]]) -> Callable[[Seen], Iterable[Hit]]:
        _RULES[id] = Rule(id, severity, run, needs, parts)
        return run

    return declare


def rules(families: Iterable[str] = ()) -> list[Rule]:
    """The rules of those families, all where none is named, in the order they are declared."""
    chosen = list(families) or list(FAMILIES)
    for family in chosen:
        for module in FAMILIES[family]:
            import_module(f"vero_deliver.check.{module}")
    return [found for family in chosen for found in _RULES.values() if found.family == family]


def known_names() -> list[str]:
    """Every family and rule."""
    return [*FAMILIES, *(found.id for found in rules())]


def matches(name: str, found: Rule) -> bool:
    """Whether a family, a rule or a part of a rule is that rule, or is in it."""
    whole = name in (found.id, found.family)
    return whole or (found.parts and name.startswith(f"{found.id}-"))
