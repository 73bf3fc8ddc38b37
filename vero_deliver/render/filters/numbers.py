"""Numbers as templates give them: exact decimals in, text out."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, localcontext
from typing import Any

from jinja2 import Undefined

from vero_deliver.plain import MAX_DIGITS

# Rounds as invoices do; the default context rounds half to even and stops at 28 digits.
EXACT = Context(prec=2 * MAX_DIGITS + 400, rounding=ROUND_HALF_UP)

NUMBERS = frozenset({int, float})  # exact types, so no booleans

_PLAIN = 1e15  # a float below it is finite and prints few digits

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ("", " thousand", " million", " billion", " trillion")


def shown(value: object) -> str:
    """The value's repr cut to 40 characters, for an error text."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # an int of more digits than Python prints, a deep list
        text = type(value).__name__
    return text if len(text) <= 40 else f"{text[:39]}…"


def text(value: Any, who: str) -> str:
    """The value as plain str; None, bytes and containers are a TypeError that names `who`."""
    if value is None or isinstance(value, (bytes, list, tuple, dict, set)):
        raise TypeError(f"{who}: needs text, not {shown(value)}")
    return str(value)


def number(value: Any, who: str) -> Decimal:
    """The value as an exact, finite Decimal; a float counts as what it prints.

    Raises ValueError or TypeError that name `who` (the filter) and the value.
    """
    if type(value) is float and -_PLAIN < value < _PLAIN:
        return Decimal(str(value))
    if isinstance(value, Undefined):
        value = str(value)  # a strict one raises its own error
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise TypeError(f"{who}: {shown(value)} is not a number")
    size = value.bit_length() / 4 if isinstance(value, int) else len(str(value))
    if size > MAX_DIGITS:
        raise ValueError(f"{who}: the number has more than {MAX_DIGITS} digits")
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{who}: {shown(value)} is not a number") from None
    if not exact.is_finite():
        raise ValueError(f"{who}: {shown(value)} is not a finite number")
    if abs(exact.adjusted()) > MAX_DIGITS:
        raise ValueError(f"{who}: {shown(value)} has more than {MAX_DIGITS} digits")
    return exact


def rounded(exact: Decimal, places: int) -> Decimal:
    """Rounded half up to decimal places; never minus zero."""
    with localcontext(EXACT):
        return exact.quantize(Decimal(1).scaleb(-places)) + 0


def words(integer: int) -> str:
    """The integer in English words; beyond 10**15, its digits."""
    if integer < 0:
        return f"minus {words(-integer)}" if integer > -(10**15) else str(integer)
    if integer < 1_000:
        return _below_thousand(integer)
    if integer >= 10**15:
        return str(integer)
    groups = []
    rest = integer
    for scale in _SCALES:
        rest, group = divmod(rest, 1_000)
        if group:
            groups.append(_below_thousand(group) + scale)
    small = 0 < integer % 1_000 < 100  # "one thousand and one", but "one thousand, two hundred"
    last = f" and {groups.pop(0)}" if small else ""
    return ", ".join(reversed(groups)) + last


def _below_thousand(integer: int) -> str:
    hundreds, rest = divmod(integer, 100)
    if hundreds:
        return f"{_ONES[hundreds]} hundred" + (f" and {_below_thousand(rest)}" if rest else "")
    if rest < 20:
        return _ONES[rest]
    tens, ones = divmod(rest, 10)
    return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")
