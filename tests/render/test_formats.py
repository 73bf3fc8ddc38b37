from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import StrictUndefined, UndefinedError

from vero_deliver.render.filters.formats import formats_for, match_locale

PRAGUE = ZoneInfo("Europe/Prague")
NEW_YORK = ZoneInfo("America/New_York")
NOON = datetime(2024, 1, 31, 23, 30, tzinfo=UTC)


def written(name: str, *arguments: Any, locale: str = "en_US", zone: ZoneInfo = PRAGUE) -> str:
    """With the spaces that CLDR changes from release to release made plain."""
    text = formats_for(locale, zone)[name](*arguments)
    return text.replace("\xa0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("name", "arguments", "locale", "expected"),
    [
        ("format_date", (NOON,), "cs", "1. 2. 2024"),
        ("format_date", (NOON, "full"), "cs", "čtvrtek 1. února 2024"),
        ("format_date", (NOON, "d. MMMM"), "cs", "1. února"),
        ("format_time", (NOON,), "en_US", "12:30 AM"),
        ("format_time", ("2024-01-31T23:30:00Z",), "de", "00:30"),
        ("format_datetime", (NOON, "short"), "de", "01.02.24, 00:30"),
        ("format_number", ("1234567.8912",), "cs", "1 234 567,891"),
        ("format_number", (1234.5, "#,##0.00"), "en", "1,234.50"),
        ("format_percent", (0.5,), "en", "50%"),
        ("format_percent", ("0.125",), "en", "13%"),
        ("money", ("812.40", "EUR"), "cs", "812,40 €"),
        ("money", (812.40, "eur"), "en_US", "€812.40"),
        ("money", (Decimal("0.125"), "USD"), "en_US", "$0.13"),
        ("money", (1000, "JPY"), "en_US", "¥1,000"),
        ("money", (1000, "EUR", "#,##0 ¤"), "de", "1.000 €"),
        ("money", (-5, "GBP"), "en_GB", "-£5.00"),
        ("money", ("1234567890123456789012345678901234567890.125", "USD"), "en_US",
         "$1,234,567,890,123,456,789,012,345,678,901,234,567,890.13"),
    ],
)  # fmt: skip
def test_written_in_the_users_locale(
    name: str, arguments: tuple[Any, ...], locale: str, expected: str
) -> None:
    """Dates are on the user's clock; numbers keep every digit and round half up."""
    assert written(name, *arguments, locale=locale) == expected


@pytest.mark.parametrize("day", [date(2024, 1, 31), "2024-01-31"])
def test_a_day_stays_that_day(day: Any) -> None:
    """A due date does not move to the day before for users in the west."""
    assert written("format_date", day, zone=NEW_YORK) == "Jan 31, 2024"


def test_a_moment_moves_with_the_zone() -> None:
    """The same moment is another date elsewhere."""
    assert written("format_date", NOON, zone=PRAGUE) == "Feb 1, 2024"
    assert written("format_date", NOON, zone=NEW_YORK) == "Jan 31, 2024"


@pytest.mark.parametrize(
    ("name", "arguments", "error"),
    [
        ("money", (5, "XQZ"), "money: 'XQZ' is no ISO 4217 currency code such as EUR"),
        ("money", ("five", "EUR"), "money: 'five' is not a number"),
        ("money", (None, "EUR"), "money: None is not a number"),
        ("format_number", ("NaN",), "format_number: 'NaN' is not a finite number"),
        ("format_date", ("soon",), "format_date: 'soon' is not a date or time"),
        ("format_date", (NOON, "qqqqqqqqqq"), "format_date: cannot write by the pattern"),
        ("format_time", ([],), "format_time: [] is not a date or time"),
    ],
)
def test_errors_name_the_format(name: str, arguments: tuple[Any, ...], error: str) -> None:
    """What cannot be written is a ValueError or TypeError that says what and where."""
    with pytest.raises((ValueError, TypeError)) as caught:
        written(name, *arguments)
    assert str(caught.value).startswith(error)


def test_strict_undefined_raises_its_own_error() -> None:
    """A missing value is reported as missing, not as no number."""
    for name in ("format_date", "format_number"):
        with pytest.raises(UndefinedError, match="gone"):
            written(name, StrictUndefined(name="gone"))


@given(st.text("GyYuQqMLdEecahKHkjmsSAzZvVxX#0,.;%¤' -", max_size=12))
def test_patterns_never_crash(pattern: str) -> None:
    """Any pattern writes something or is a ValueError."""
    for name, arguments in (("format_datetime", (NOON,)), ("format_number", (5,))):
        try:
            written(name, *arguments, pattern)
        except ValueError as error:
            if "cannot write by the pattern" not in str(error):
                raise


@pytest.mark.parametrize(
    ("wanted", "available", "expected"),
    [
        ("cs-CZ", ("en", "cs"), ("cs", "cs_CZ")),
        ("cs", ("en", "cs"), ("cs", "cs")),
        ("CS_cz", ("en", "cs"), ("cs", "cs_CZ")),
        ("cs_CZ.UTF-8", ("en", "cs"), ("cs", "cs_CZ")),
        ("en-GB", ("en",), ("en", "en_GB")),
        ("en", ("en-GB", "cs"), ("en-GB", "en_GB")),
        ("en-US", ("en-GB", "en", "en-US"), ("en-US", "en_US")),
        ("en-AU", ("en-GB", "en"), ("en", "en_AU")),
        ("en-XX", ("en",), ("en", "en")),
        ("pt-PT", ("en", "pt-BR"), ("pt-BR", "pt_PT")),
        ("zh-TW", ("en", "zh-Hans", "zh-Hant"), ("zh-Hant", "zh_Hant_TW")),
        ("zh-TW", ("en", "zh-Hans"), ("en", "en")),
        ("sr-Latn", ("en", "sr"), ("en", "en")),
        ("fr", ("en", "cs"), ("en", "en")),
        ("", ("en", "cs"), ("en", "en")),
        ("english", ("en", "cs"), ("en", "en")),
        ("fr", (), ("en", "en")),
    ],
)
def test_language_and_locale(
    wanted: str, available: tuple[str, ...], expected: tuple[str, str]
) -> None:
    """The nearest language is chosen; numbers follow the user's own territory."""
    assert match_locale(wanted, available, "en") == expected


tags = st.from_regex(r"[A-Za-z]{1,9}([-_][A-Za-z0-9]{1,9}){0,5}", fullmatch=True)


@given(st.text() | tags, st.lists(st.text() | tags))
def test_match_locale_never_raises(wanted: str, available: list[str]) -> None:
    """Whatever a user's locale says, a language is chosen, and it formats."""
    language, locale = match_locale(wanted, available, "en")
    assert language in [*available, "en"]
    assert formats_for(locale, PRAGUE)["format_number"](1)


@given(st.text() | tags)
def test_formats_take_any_locale(locale: str) -> None:
    """A locale that CLDR does not know still writes money."""
    assert "5" in formats_for(locale, PRAGUE)["money"](5, "EUR")
