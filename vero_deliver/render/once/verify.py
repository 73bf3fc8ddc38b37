"""Made-up contexts rendered both ways: whatever the detectors missed shows here.

Conditions, loops and values are replaced by a plan: each branch both ways, loops of 0, 1 and 2,
values with `<&"'`. What a real expression would do does not matter to the markup.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from jinja2 import Environment, Template

from vero_deliver.render.once.canonical import Item, canonical
from vero_deliver.render.once.parts import PREHEADER, Declined, Part, Pieces, aborts, written

_ENVIRONMENT = Environment(autoescape=True, extensions=["jinja2.ext.loopcontrols"])
_WORD = "word"
_TEXT = "a<b> & \"c\" 'd' é"
_URL = "https://example.com/p?a=1&b=2%20c#d"
_CSS = ("red", "#0a7f3f", "rgb(1, 2, 3)")
_PLANS = 6


@dataclass(frozen=True, slots=True)
class _Plan:
    """What conditions and loops do in one made-up context."""

    truth: Callable[[int], bool]
    length: Callable[[int], int]
    seed: int


def _plans() -> Iterator[_Plan]:
    yield _Plan(lambda _: True, lambda _: 1, 0)
    yield _Plan(lambda _: False, lambda _: 0, 1)
    yield _Plan(lambda _: True, lambda _: 2, 2)
    for seed in range(3, _PLANS):
        yield _Plan(
            lambda n, s=seed: random.Random(f"{s}b{n}").random() < 0.5,  # type: ignore[misc]  # noqa: S311
            lambda n, s=seed: random.Random(f"{s}l{n}").randrange(3),  # type: ignore[misc]  # noqa: S311
            seed,
        )


def check(
    source: Pieces, compiled: Pieces, naive: Callable[[str, str], str], *, preheader: bool
) -> None:
    """Raise Declined where the two ways differ for one of the plans.

    naive: the markup of one recipient and the preheader, to its HTML, the plain way.
    """
    codes: dict[str, int] = {}
    before, after = (_template(pieces, codes) for pieces in (source, compiled))
    filters = {part.code: part.filters for part in _prints(compiled)}
    for plan in _plans():
        values = [_value(code, filters.get(code, ()), plan) for code in codes]
        context = {
            "V": values.__getitem__,
            "B": plan.truth,
            "L": lambda number, plan=plan: range(plan.length(number)),
        }
        # a document without <body> has no place for it
        hidden = values[codes[PREHEADER]] if preheader and PREHEADER in codes else ""
        try:
            wanted = naive(before.render(context), hidden)
        except ValueError as error:
            words = f"for some recipients the markup is refused: {error}"
            raise Declined(words, _suspect(source)) from None
        found = _difference(canonical(wanted), canonical(after.render(context)))
        if found:
            raise Declined(f"compiled once it would differ: {found}", _suspect(source))


def _suspect(source: Pieces) -> str:
    """Where the first control tag, else the first expression, was written."""
    numbers = [piece for piece in source.order if isinstance(piece, int)]
    parts = [part for number in numbers for part in source.at(number) if part.kind != "data"]
    tags = [part for part in parts if part.kind == "tag"]
    return next((part.place for part in tags or parts), "")


def _template(pieces: Pieces, codes: dict[str, int]) -> Template:
    source = written(
        (part.kind == "data", _stand_in(part, codes))
        for piece in pieces.order
        for part in ((Part("data", piece),) if isinstance(piece, str) else pieces.at(piece))
    )
    return _ENVIRONMENT.from_string(source)


def _stand_in(part: Part, codes: dict[str, int]) -> str:
    if part.kind == "data":
        return part.code
    code = part.code if part.kind == "print" else part.code.strip().removeprefix("el")
    number = codes.setdefault(code, len(codes))
    if part.kind == "print":
        if aborts(part):
            return ""
        return f"{{{{ V({number}) }}}}"
    match part.name:
        case "if" | "elif":
            return f"{{% {part.name} B({number}) %}}"
        case "for":
            return f"{{% for _ in L({number}) %}}"
        case "else" | "endif" | "endfor" | "break" | "continue":
            return f"{{% {part.name} %}}"
        case _:
            return ""


def _prints(pieces: Pieces) -> Iterator[Part]:
    for piece in pieces.order:
        if isinstance(piece, int):
            yield from (part for part in pieces.at(piece) if part.kind == "print")


def _value(code: str, filters: Sequence[str], plan: _Plan) -> str:
    if code.endswith("| _direction"):
        return "ltr"
    if "_url" in filters or "_css_url" in filters:
        return _URL
    if any(name.startswith("_css") for name in filters):
        return _CSS[plan.seed % len(_CSS)]
    return f"{_TEXT} {len(code)}" if plan.seed % 2 == 0 else _WORD


def _difference(wanted: Sequence[Item], got: Sequence[Item]) -> str:
    """The first item that is not the same, in words; "" for none."""
    for before, after in zip_longest(wanted, got, fillvalue=("nothing",)):
        if before != after:
            return f"{' '.join(before)[:80]!r} became {' '.join(after)[:80]!r}"
    return ""
