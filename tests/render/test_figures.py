"""Numbers written by a pattern read once are Babel's own, in every locale."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from babel import Locale
from babel.localedata import locale_identifiers
from hypothesis import given
from hypothesis import strategies as st

from vero_deliver.render.filters.figures import Kind, by_babel, writer
from vero_deliver.render.filters.numbers import EXACT

LOCALES = [Locale.parse(name) for name in sorted(locale_identifiers())]
VALUES = [
    Decimal(text)
    for text in (
        "0", "-0", "0.00", "0E+5", "1", "-1", "0.005", "-0.004", "0.125", "2.5", "3.5", "-2.5",
        "999.995", "1234.5", "-1234.5", "12345678.9", "1E+3", "1234567890123456789012345.678",
        "1E+40", "-7E-30", "999999.9999", "100000",
    )
]  # fmt: skip
PATTERNS = [
    "#,##0.00 ¤", "¤¤ #,##0", "#,##0.###;(#,##0.###)", "¤#,##,##0.0#", "0000.00", "000,000.0",
    "#,##0%", "#,##0.0‰", "'#'0", "¤'o''clock' 0.00", "'¤ 0", "#", "#.#", "0.##########",
    "#,####.00", "00,00.##", "#,##0.00 ¤¤¤", "@@#", "0.###E0", "x", "-0", "0;neg 0", "0.0.0",
    "''0'", "#,#,##0",
]  # fmt: skip
CURRENCIES = ["EUR", "JPY", "KWD", "USD", "CHF", "CLF"]


def check(kind: Kind, value: Decimal, pattern: str | None, locale: Locale, code: str) -> bool:
    """Whether it was written here; what was is as Babel writes it."""
    write = writer(kind, locale, pattern or "", code)
    if not write:
        return False
    with localcontext(EXACT):
        assert write.exact(value) == by_babel(kind, value, pattern, locale, code)
    return True


@pytest.mark.parametrize("kind", ["number", "percent", "money"])
def test_every_locale(kind: Kind) -> None:
    """Every locale's own pattern is written here, and as Babel writes it."""
    for locale in LOCALES:
        for at, value in enumerate(VALUES):
            code = CURRENCIES[at % len(CURRENCIES)] if kind == "money" else ""
            assert check(kind, value, None, locale, code), (locale, value)


def test_every_currency() -> None:
    """Each currency's own decimals and symbol, in a locale that has many."""
    for code in map(str, Locale("en").currencies):
        for locale in ("en", "cs", "de_CH", "hi_IN", "ar_EG"):
            assert check("money", Decimal("-1234.5678"), None, Locale.parse(locale), code)


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("kind", ["number", "percent", "money"])
def test_patterns(kind: Kind, pattern: str) -> None:
    """A pattern of the template's own is written as Babel writes it, or left to Babel."""
    for name in ("en", "cs", "de_CH", "hi", "es"):
        for value in VALUES:
            check(kind, value, pattern, Locale.parse(name), "EUR" if kind == "money" else "")


def test_most_patterns_are_written_here() -> None:
    """Only names of currencies, significant digits, exponents and mere text are left to Babel."""
    left = {text for text in PATTERNS if not writer("money", LOCALES[0], text, "EUR")}
    assert left == {"#,##0.00 ¤¤¤", "@@#", "0.###E0", "x", "'¤ 0"}


decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)


@given(
    st.sampled_from(["number", "percent", "money"]),
    decimals,
    st.one_of(st.none(), st.text("#0,.;¤%'- x", min_size=1, max_size=10)),
    st.sampled_from(LOCALES),
    st.sampled_from(CURRENCIES),
)
def test_any_number_by_any_pattern(
    kind: Kind, value: Decimal, pattern: str | None, locale: Locale, code: str
) -> None:
    """The same for any number, pattern and locale."""
    check(kind, value, pattern, locale, code if kind == "money" else "")


amounts = st.one_of(
    st.floats(min_value=-10, max_value=2e9),
    st.integers(-(10**6), 2 * 10**9),
    st.integers(1, 10**10).map(lambda mills: mills / 1_000),  # ties, and what is next to them
    st.integers(1, 10**10).map(lambda mills: mills / 1_000 + mills * 2**-50),
    st.tuples(st.integers(1, 99), st.integers(1, 10**6)).map(lambda line: line[0] * line[1] / 100),
)


@given(amounts, st.sampled_from(LOCALES), st.sampled_from(CURRENCIES))
def test_the_quick_way_is_the_exact_one(value: float, locale: Locale, code: str) -> None:
    """Where the quick way writes anything, it is what exact arithmetic gives."""
    write = writer("money", locale, "", code)
    assert write
    quick = write.quick(value)
    assert quick in {"", write.exact(Decimal(str(value)))}


@pytest.mark.parametrize("value", [0.01, 12.5, 1234.56, 3 * 0.1, 999_999.99, 7, 1_000])
def test_most_amounts_are_quick(value: float) -> None:
    """A price, a sum with a float's noise and a whole number need no exact arithmetic."""
    write = writer("money", Locale("en"), "", "USD")
    assert write
    assert write.quick(value) == f"${value:,.2f}"


@pytest.mark.parametrize("value", [0.125, 2.675, 1.005, 0.0, -0.0, -1.5, 1e9, float("nan")])
def test_what_is_not_quick(value: float) -> None:
    """Ties, zero, negative numbers and large ones are left to exact arithmetic."""
    write = writer("money", Locale("en"), "", "USD")
    assert write
    assert write.quick(value) == ""
