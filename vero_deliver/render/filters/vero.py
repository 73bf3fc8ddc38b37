"""Vero's own template filters, with its names and results."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote_plus

from jinja2 import Undefined

from vero_deliver.render.filters import times
from vero_deliver.render.filters.numbers import number, rounded, shown, text, words
from vero_deliver.render.filters.strftime import strftime

P = ParamSpec("P")
T = TypeVar("T")

MAX_WIDTH = 1_000  # of a printf width or precision: '%999999999d' would fill the memory
MAX_PLACES = 100

_PRINTF = re.compile(
    r"%%|%(?P<name>\([^)]*\))?(?P<flags>[-+ #0]*)(?P<width>\*|\d+)?(?:\.(?P<places>\*|\d*))?"
    r"[hlL]?(?P<type>[diouxXeEfFgGcrsa])"
)
_INTEGER_TYPES = frozenset("diouxXc")
_FLOAT_TYPES = frozenset("eEfFgG")


def fallback(value: Any, default: Any = "") -> Any:
    """The default where the value is missing, null or empty text."""
    missing = isinstance(value, Undefined) or value is None or value == ""
    return default if missing else value


def precision(value: Any, places: int) -> str:
    """The number with that many decimal places, rounded half up: 2.0554 to 2 is "2.06"."""
    if isinstance(places, bool) or not isinstance(places, int) or not 0 <= places <= MAX_PLACES:
        raise ValueError(f"precision: needs 0 to {MAX_PLACES} places, not {shown(places)}")
    return f"{rounded(number(value, 'precision'), places):f}"


def delimiter(value: Any, separator: str = ",", decimal: str = ".") -> str:
    """The number with its thousands set apart: 4000 is "4,000". Decimals stay as they are."""
    whole, point, places = f"{number(value, 'delimiter'):,f}".partition(".")
    return whole.replace(",", str(separator)) + (str(decimal) if point else "") + places


def printf(value: Any, *args: Any, **kwargs: Any) -> str:
    """Vero's `123 | format('%05d')`, and Jinja's `'%s of %s' | format(1, 2)`.

    Text with a directive is the pattern, as in Jinja; anything else is the value. Widths and
    precisions above 1,000, and `*` for one, are a ValueError.
    """
    if isinstance(value, str) and (kwargs or not args or _directives(value)):
        return _filled(value, kwargs or args)
    pattern, *rest = args or ("",)
    directives = _directives(pattern) if isinstance(pattern, str) else []
    if rest or len(directives) != 1:
        raise ValueError(
            f"format: {shown(pattern)} is not one printf directive such as '%05d' for "
            f"{shown(value)}"
        )
    return _filled(pattern, (_fit(value, directives[0]["type"]),))


def _directives(pattern: str) -> list[re.Match[str]]:
    return [found for found in _PRINTF.finditer(pattern) if found["type"]]


def _filled(pattern: str, values: Any) -> str:
    for found in _directives(pattern):
        for size in (found["width"] or "", found["places"] or ""):
            if size == "*" or len(size) > 4 or int(size or 0) > MAX_WIDTH:
                raise ValueError(f"format: {shown(found[0])} needs a width of digits, at most 1000")
    try:
        filled: str = pattern % values  # Markup stays Markup
    except (TypeError, ValueError, KeyError, OverflowError) as error:
        raise ValueError(f"format: {shown(pattern)} does not fit its values: {error}") from None
    return filled


def _fit(value: Any, letter: str) -> Any:
    """Numeric text as the number that the directive needs."""
    if letter in _INTEGER_TYPES and not (letter == "c" and isinstance(value, str)):
        return int(number(value, "format"))
    if letter in _FLOAT_TYPES:
        return number(value, "format")
    return "" if value is None else value


def humanize(value: Any) -> str:
    """An integer in English words: 10 is "ten". Anything else, and beyond 10**15, is as it was."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15:
        return words(value)
    return "" if value is None else str(value)


def encode(value: Any) -> str:
    """The text as part of a URL's query: "damien+test@getvero.com" is
    "damien%2Btest%40getvero.com", a space "+"."""
    return quote_plus(text(value, "encode").encode("utf-8", "replace"))


def md5(value: Any) -> str:
    """The MD5 of the UTF-8 text, 32 hex digits: what Gravatar and the like ask for."""
    data = text(value, "md5").encode("utf-8", "replace")
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def sha1(value: Any) -> str:
    """The SHA-1 of the UTF-8 text, 40 hex digits."""
    data = text(value, "sha1").encode("utf-8", "replace")
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def time_zone(value: Any, zone: Any) -> times.LocalTime:
    """The moment on that zone's clock; prints "2001-11-30 01:33:20 +1100".

    zone: IANA name, Rails name, the last part of an IANA name, or an offset (-7, "+10:00").
    """
    return _named("time_zone", lambda: times.in_zone(times.moment(value), times.zone(zone)))


def date(value: Any, form: str = "%Y-%m-%d") -> str:
    """The moment written by Ruby's strftime directives, in its own zone, else UTC."""
    return strftime(_named("date", lambda: times.moment(value)), str(form))


def _named(who: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except (TypeError, ValueError) as error:
        raise type(error)(f"{who}: {error}") from None


def _plain(function: Callable[P, Any]) -> Callable[P, Any]:
    """The filter as templates call it: a missing value prints as the undefined policy says."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Any:
        if args and isinstance(args[0], Undefined):
            return str(args[0])  # strict raises here, blank is empty, keep shows the expression
        return function(*args, **kwargs)

    return call


FILTERS: dict[str, Callable[..., Any]] = {
    "fallback": fallback,
    "precision": _plain(precision),
    "delimiter": _plain(delimiter),
    "format": _plain(printf),
    "humanize": _plain(humanize),
    "encode": _plain(encode),
    "md5": _plain(md5),
    "sha1": _plain(sha1),
    "time_zone": _plain(time_zone),
    "date": _plain(date),
}
