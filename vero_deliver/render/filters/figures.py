"""Numbers by CLDR pattern, read once per locale and pattern; Babel reads it for every number.

Source: CLDR number patterns (UTS 35, part 3) as babel.numbers.NumberPattern.apply writes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from vero_deliver import speedups
from vero_deliver.render.filters.numbers import EXACT

if TYPE_CHECKING:
    from babel import Locale
    from babel.numbers import NumberPattern

Kind = Literal["number", "percent", "money"]

_MOST_DECIMALS = 100
_QUICK_DECIMALS = 3
_QUICK = 1e9  # a float below it, times ten thousand, is off by less than a hundredth
_QUOTED = re.compile(r"'([^']*)'")
_PLACE = "\x00"  # of the number, between prefix and suffix


@dataclass(frozen=True, slots=True)
class Writer:
    """What writes numbers as Babel does, rounding half up.

    exact: any finite decimal. quick: a float or an int in a third of the time, or "" where only
    exact arithmetic tells.
    """

    exact: Callable[[Decimal], str]
    quick: Callable[[float], str]


def writer(kind: Kind, locale: Locale, pattern: str, currency: str = "") -> Writer | None:
    """The writer for a pattern; None leaves its numbers to Babel.

    pattern: a CLDR pattern, "" for the locale's own. currency: an ISO 4217 code, for money, whose
    decimals count where the pattern is the locale's. Raises what Babel raises for a bad pattern.
    """
    from babel.numbers import get_currency_precision, parse_pattern

    parsed = parse_pattern(pattern) if pattern else _own(kind, locale)
    least, most = parsed.frac_prec
    if currency and not pattern:
        least = most = get_currency_precision(currency)
    if (
        parsed.exp_prec
        or "@" in parsed.pattern
        or not parsed.number_pattern
        or "¤¤¤" in "".join(parsed.prefix + parsed.suffix)  # a name, which the number inflects
        or most > _MOST_DECIMALS
    ):
        return None
    return _writer(parsed, locale, currency, least, most)


def by_babel(kind: Kind, value: Decimal, pattern: str | None, locale: Locale, code: str) -> str:
    """The number as Babel writes it in the context of the caller."""
    from babel.numbers import format_currency, format_decimal, format_percent

    if kind == "money":
        own = pattern is None
        return format_currency(value, code, format=pattern, locale=locale, currency_digits=own)
    written = format_percent if kind == "percent" else format_decimal
    return written(value, format=pattern, locale=locale)


def _own(kind: Kind, locale: Locale) -> NumberPattern:
    own: NumberPattern
    if kind == "money":
        own = locale.currency_formats["standard"]
    else:
        own = (locale.percent_formats if kind == "percent" else locale.decimal_formats)[None]
    return own


def _writer(
    parsed: NumberPattern, locale: Locale, currency: str, least: int, most: int
) -> Writer | None:
    from babel.numbers import get_decimal_symbol, get_group_symbol

    group, point = get_group_symbol(locale), get_decimal_symbol(locale)
    around = [_around(parsed, sign, locale, currency) for sign in (0, 1)]
    if any(len(parts) != 2 for parts in around) or set("'¤") & set(group + point):
        return None
    (prefix, suffix), (negative_prefix, negative_suffix) = around
    quantum, scale, widths = Decimal(1).scaleb(-most), parsed.scale, parsed.grouping
    by_thousands = widths == (3, 3) and parsed.int_prec[0] <= 1

    def write(value: Decimal) -> str:
        if scale:
            value = EXACT.scaleb(value, scale)
        digits = f"{EXACT.quantize(value, quantum):,f}"
        negative = value.is_signed()
        whole, _, fraction = digits.lstrip("-").partition(".")
        if by_thousands:
            whole = whole.replace(",", group)
        else:
            whole = _grouped(whole.replace(",", "").zfill(parsed.int_prec[0]), widths, group)
        if least < most:
            fraction = fraction[:least] + fraction[least:].rstrip("0")
        if fraction:
            whole = f"{whole}{point}{fraction}"
        if negative:
            return f"{negative_prefix}{whole}{negative_suffix}"
        return f"{prefix}{whole}{suffix}"

    quick = scale == 0 and by_thousands and least == most <= _QUICK_DECIMALS
    return Writer(write, _quick(most, group, point, prefix, suffix) if quick else lambda _: "")


def _quick(
    decimals: int, group: str, point: str, prefix: str, suffix: str
) -> Callable[[float], str]:
    """Numbers with fixed decimals by Python's own formatting, which rounds the float's exact value.

    A float counts as what it prints. That rounds the other way only where it prints a tie, such
    as 0.125 for two decimals: with a tie between them, the float would have printed as the tie.
    """
    if speedups.compiled:
        compiled = speedups.compiled.figures(decimals, group, point, prefix, suffix)
        if compiled:
            return compiled
    spec, beyond = f",.{decimals}f", 10.0 ** (decimals + 1)
    symbols = {ord(","): group, ord("."): point}
    as_it_is = (group, point) == (",", ".")

    def write(value: float) -> str:
        if not 0 < value < _QUICK or 4.9 < value * beyond % 10 < 5.1:
            return ""
        digits = format(value, spec)
        return f"{prefix}{digits if as_it_is else digits.translate(symbols)}{suffix}"

    return write


def _around(parsed: NumberPattern, sign: int, locale: Locale, currency: str) -> list[str]:
    """Prefix and suffix, the currency put in and quotes taken off; other than two where unclear."""
    from babel.numbers import get_currency_symbol

    text = f"{parsed.prefix[sign]}{_PLACE}{parsed.suffix[sign]}"
    if currency:
        text = text.replace("¤¤", currency).replace("¤", get_currency_symbol(currency, locale))
    return _QUOTED.sub(lambda quoted: quoted[1] or "'", text).split(_PLACE)


def _grouped(digits: str, widths: tuple[int, int], symbol: str) -> str:
    """The digits in groups: the last of the first width, those before of the second."""
    width, grouped = widths[0], ""
    while len(digits) > width:
        grouped = symbol + digits[-width:] + grouped
        digits, width = digits[:-width], widths[1]
    return digits + grouped
