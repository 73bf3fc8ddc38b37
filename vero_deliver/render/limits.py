"""Bounds on what a template may spend. The sandbox guards attributes; it bounds no resources.

Source: Jinja documentation, "Sandbox", security considerations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sized
from decimal import Decimal
from typing import Any

from jinja2.exceptions import SecurityError

from vero_deliver.plain import MAX_DIGITS
from vero_deliver.render.run import current

MAX_TEXT = 1_000_000  # characters that one expression may make
MAX_BITS = 4_096  # of an integer
MAX_RANGE = 100_000  # items of one range()

PADDING = frozenset({"center", "ljust", "rjust", "zfill", "expandtabs"})  # methods
PADDING_FILTERS = ("center", "indent", "batch", "slice")


def bounded_range(*args: int) -> range:
    """range(), at most MAX_RANGE items, all ranges of one run sharing a budget."""
    items = range(*args)
    run = current()
    if len(items) > MAX_RANGE:
        raise SecurityError(f"range() of {len(items):,} items; the limit is {MAX_RANGE:,}")
    if len(items) > run.steps:
        raise SecurityError("all range() loops of this message together are too long")
    run.steps -= len(items)
    return items


def check_times(left: Any, right: Any) -> None:
    """`'a' * n` and `[x] * n` stay below MAX_TEXT; numbers below MAX_BITS."""
    for many, times in ((left, right), (right, left)):
        if isinstance(many, (str, bytes, list, tuple)) and isinstance(times, int):
            _text(len(many) * times)
            return
    if isinstance(left, int) and isinstance(right, int):
        _bits(left.bit_length() + right.bit_length())


def check_power(left: Any, right: Any) -> None:
    """`x ** n` stays below MAX_BITS."""
    if isinstance(left, int) and isinstance(right, int) and abs(left) > 1 and right > 0:
        _bits(math.ceil(math.log2(abs(left))) * right)


def check_plus(left: Any, right: Any) -> None:
    """`a + b` of two texts or lists stays below MAX_TEXT."""
    if isinstance(left, (str, bytes, list, tuple)) and isinstance(right, Sized):
        _text(len(left) + len(right))


def check_percent(left: Any, right: Any) -> None:
    """`"%9999999d" % 1` asks for a width; only plain directives pass."""
    if isinstance(left, str):
        check_width(left)
        values = right.values() if isinstance(right, Mapping) else right
        for value in values if isinstance(values, Iterable) else (values,):
            check_digits(value)


def check_digits(value: Any) -> None:
    """Decimal("1e999999999") is short until it becomes an integer."""
    if isinstance(value, Decimal) and value.is_finite() and value.adjusted() > MAX_DIGITS:
        raise SecurityError(f"a number of {value.adjusted() + 1:,} digits is too long")


def check_width(directives: str) -> None:
    """A printf or format text may not hold a width of more than three digits, nor `*`."""
    digits = 0
    for character in directives:
        digits = digits + 1 if character.isdigit() else 0
        if digits > 3:
            raise SecurityError(f"{directives[:40]!r} asks for too wide a field")
    if "%*" in directives or ".*" in directives:
        raise SecurityError(f"{directives[:40]!r}: a width must be written out")


def check_arguments(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Widths given to padding methods and filters stay below MAX_TEXT."""
    for value in (*args, *kwargs.values()):
        if isinstance(value, int) and value > MAX_TEXT:
            raise SecurityError(f"{name}({value}) is too wide")


def check_method(text: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """A call of a str method stays below MAX_TEXT."""
    if name in PADDING:
        check_arguments(name, args, kwargs)
    elif name == "replace" and len(args) > 1:
        check_replace(text, args[0], args[1])
    elif name == "join" and args:
        check_join(text, args[0])
    elif name == "translate":
        raise SecurityError("translate() is not for templates; use replace")


def check_join(separator: str, parts: Any) -> None:
    """The parts joined stay below MAX_TEXT; they are a sequence, so that counting is reading."""
    if not isinstance(parts, Sized) or not isinstance(parts, Iterable):
        raise SecurityError("join takes a list")
    _text(len(separator) * len(parts) + sum(len(part) for part in parts if isinstance(part, str)))


def check_replace(text: str, old: Any, new: Any) -> None:
    """`text.replace(old, new)` stays below MAX_TEXT."""
    if isinstance(old, str) and isinstance(new, str):
        _text(len(text) + (text.count(old) if old else len(text) + 1) * len(new))


def check_fields(text: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """`text.format(...)` stays below MAX_TEXT, whichever argument a field takes."""
    check_width(text)
    given = (*args, *kwargs.values())
    longest = max((len(value) for value in given if isinstance(value, Sized)), default=0)
    _text(len(text) + text.count("{") * longest)


def _text(length: int) -> None:
    if length > MAX_TEXT:
        raise SecurityError(f"an expression makes {length:,} characters; the limit is {MAX_TEXT:,}")


def _bits(bits: int) -> None:
    if bits > MAX_BITS:
        raise SecurityError(f"a number of {bits:,} bits; the limit is {MAX_BITS:,}")
