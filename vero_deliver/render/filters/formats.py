"""Dates, numbers and money as the user's locale writes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from decimal import localcontext
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Literal

from vero_deliver.render.filters.figures import Kind, Writer, by_babel, writer
from vero_deliver.render.filters.numbers import EXACT, NUMBERS, number, shown
from vero_deliver.render.filters.times import calendar_date, in_zone, moment

if TYPE_CHECKING:
    from babel import Locale

# what Babel raises for a pattern that it cannot read
_FAULTS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError)
_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8}){0,4}")


def format_date(value: Any, format: str = "medium", *, locale: str, timezone: tzinfo) -> str:  # noqa: A002
    """The date: "short", "medium", "long", "full" or a CLDR pattern such as "d. MMMM"."""
    day = _local("format_date", value, timezone).date()
    return _by_pattern("format_date", format, lambda: _day(day, format, locale))


def format_time(value: Any, format: str = "short", *, locale: str, timezone: tzinfo) -> str:  # noqa: A002
    """The time of day on the user's clock; `format` as for format_date."""
    from babel.dates import format_time as written

    when = _local("format_time", value, timezone)
    return _by_pattern(
        "format_time", format, lambda: written(when, format, timezone, _locale(locale))
    )


def format_datetime(value: Any, format: str = "medium", *, locale: str, timezone: tzinfo) -> str:  # noqa: A002
    """Date and time on the user's clock; `format` as for format_date."""
    from babel.dates import format_datetime as written

    when = _local("format_datetime", value, timezone)
    return _by_pattern(
        "format_datetime", format, lambda: written(when, format, timezone, _locale(locale))
    )


def format_number(value: Any, format: str | None = None, *, locale: str) -> str:  # noqa: A002
    """The number with the locale's separators, at most three decimals; or by a CLDR pattern."""
    return _exactly("format_number", "number", value, format, locale)


def format_percent(value: Any, format: str | None = None, *, locale: str) -> str:  # noqa: A002
    """The ratio as a percentage: 0.5 is "50%"."""
    return _exactly("format_percent", "percent", value, format, locale)


def money(value: Any, currency: str, format: str | None = None, *, locale: str) -> str:  # noqa: A002
    """The amount in a currency, rounded half up to what that currency has.

    currency: ISO 4217 code, "EUR". format: a CLDR pattern, "#,##0 ¤", whose decimals win.
    """
    known = _currencies()
    code = currency if type(currency) is str else str(currency)
    if code not in known and (code := code.strip().upper()) not in known:
        raise ValueError(f"money: {shown(currency)} is no ISO 4217 currency code such as EUR")
    return _exactly("money", "money", value, format, locale, code)


def formats_for(locale: str, timezone: tzinfo) -> dict[str, Callable[..., str]]:
    """The six formats bound to a user's locale and zone: Jinja's filters and globals.

    A locale that CLDR does not know formats as its language, else as English.
    """
    when: Mapping[str, Any] = {"locale": locale, "timezone": timezone}
    return {
        "format_date": partial(format_date, **when),
        "format_time": partial(format_time, **when),
        "format_datetime": partial(format_datetime, **when),
        "format_number": partial(format_number, locale=locale),
        "format_percent": partial(format_percent, locale=locale),
        "money": _money(locale),
    }


def _money(locale: str) -> Callable[..., str]:
    """As `money`; most amounts in a fifth of the time."""
    writers: dict[str, Callable[[float], str] | None] = {}

    def quick(currency: str) -> Callable[[float], str] | None:
        """What writes most amounts in it, and gives "" for the others."""
        if currency not in writers and currency in _currencies():
            found = _writer("money", locale, "", currency)
            writers[currency] = found.quick if found else None
        return writers.get(currency)

    several: dict[tuple[str, ...], tuple[Callable[[float], str] | None, ...]] = {}

    def writers_of(currencies: tuple[str, ...]) -> tuple[Callable[[float], str] | None, ...]:
        """The same of several, which are the constants of a template."""
        found = several.get(currencies)
        if found is None:
            found = several[currencies] = tuple(map(quick, currencies))
        return found

    def bound(value: Any, currency: str, format: str | None = None) -> str:  # noqa: A002
        if format is None and type(value) in NUMBERS and type(currency) is str:
            write = quick(currency)
            if write and (text := write(value)):
                return text
        return money(value, currency, format, locale=locale)

    bound.writers = writers_of  # type: ignore[attr-defined]  # for render.program
    bound.__name__ = bound.__qualname__ = "money"  # as an error of Python's names it
    return bound


def match_locale(wanted: str, available: Sequence[str], default: str) -> tuple[str, str]:
    """The message's language for a user, and the locale that numbers and dates follow.

    "cs-CZ" finds "cs" and formats as cs_CZ; "pt-PT" finds "pt-BR" where that is the nearest.
    Another script is no match (zh-TW never gets zh-Hans). Nothing near, or no locale at all in
    `wanted`: the default twice.
    """
    return _match(wanted, tuple(available), default)


@lru_cache(maxsize=1024)
def direction(tag: str) -> Literal["ltr", "rtl"]:
    """Which way a language is written; left to right where CLDR does not know it."""
    return "rtl" if _locale(tag).character_order == "right-to-left" else "ltr"


def is_language(tag: str) -> bool:
    """Whether CLDR knows the language of a tag: "en", "pt-BR"."""
    return bool(_known(tag) or _known(_tidy(tag).partition("_")[0]))


@lru_cache(maxsize=1024)
def _match(wanted: str, available: tuple[str, ...], default: str) -> tuple[str, str]:
    asked = _subtags(wanted)
    best, chosen = 0, default
    for tag in available:
        closeness = _closeness(asked, _subtags(tag))
        if closeness > best:
            best, chosen = closeness, tag
    if not best:
        return default, default
    known = _known(wanted) if asked[2] else None  # a bare "en" formats as the message's en-GB
    return chosen, str(known or _locale(chosen))


def _closeness(asked: tuple[str, str, str], offered: tuple[str, str, str]) -> int:
    """0 for another language or script; more for the same territory, less for another one."""
    if not asked[0] or asked[:2] != offered[:2]:
        return 0
    if asked[2] == offered[2]:
        return 3
    return 1 if offered[2] else 2


@lru_cache(maxsize=1024)
def _subtags(tag: str) -> tuple[str, str, str]:
    """Language, likely script and territory; all empty where the tag is malformed."""
    from babel.core import get_global, parse_locale

    try:
        language, territory, script = parse_locale(_tidy(tag))[:3]
    except ValueError:
        return "", "", ""
    alias = str(get_global("language_aliases").get(language, language))
    language = language if "_" in alias else alias
    likely = get_global("likely_subtags")
    maximal = likely.get(f"{language}_{territory}") or likely.get(language) or ""
    guessed = maximal.split("_")[1] if maximal.count("_") == 2 else ""
    return language, script or guessed, territory or ""


def _tidy(tag: str) -> str:
    """The tag with underscores, without a POSIX ".UTF-8" or "@euro"; "" where it is none."""
    bare = tag.strip().partition(".")[0].partition("@")[0]
    return bare.replace("-", "_") if _TAG.fullmatch(bare) else ""


def _known(tag: str) -> Locale | None:
    from babel import Locale, UnknownLocaleError

    try:
        return Locale.parse(_tidy(tag))
    except (ValueError, TypeError, UnknownLocaleError):
        return None


@lru_cache(maxsize=1024)
def _locale(tag: str) -> Locale:
    from babel import Locale

    return _known(tag) or _known(_tidy(tag).partition("_")[0]) or Locale("en")


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    from babel.numbers import list_currencies

    return frozenset(list_currencies())


def _local(who: str, value: Any, timezone: tzinfo) -> datetime:
    """The value on the user's clock; a day without a time is that day everywhere."""
    try:
        if day := calendar_date(value):
            return datetime.combine(day, time(), timezone)
        return in_zone(moment(value), timezone)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{who}: {error}") from None


@lru_cache(maxsize=1024)
def _day(day: date, pattern: str, tag: str) -> str:
    from babel.dates import format_date as written

    return written(day, pattern, _locale(tag))


def _exactly(
    who: str, kind: Kind, value: Any, pattern: str | None, locale: str, currency: str = ""
) -> str:
    exact = number(value, who)
    try:
        # Babel takes an empty pattern now for none, now for one
        if pattern is None or (type(pattern) is str and pattern):
            write = _writer(kind, locale, pattern or "", currency)
            if write:
                return write.exact(exact)
        with localcontext(EXACT):
            return by_babel(kind, exact, pattern, _locale(locale), currency)
    except _FAULTS:
        raise _no_pattern(who, pattern) from None


@lru_cache(maxsize=1024)
def _writer(kind: Kind, tag: str, pattern: str, currency: str) -> Writer | None:
    return writer(kind, _locale(tag), pattern, currency)


def _by_pattern(who: str, pattern: object, write: Callable[[], str]) -> str:
    try:
        return write()
    except _FAULTS:
        raise _no_pattern(who, pattern) from None


def _no_pattern(who: str, pattern: object) -> ValueError:
    return ValueError(f"{who}: cannot write by the pattern {shown(pattern)}")
