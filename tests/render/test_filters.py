from __future__ import annotations

import hashlib
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined, Undefined, UndefinedError
from markupsafe import Markup

from vero_deliver.render.filters import FILTERS
from vero_deliver.render.filters.numbers import words

STRICT = Environment(undefined=StrictUndefined, autoescape=False)
STRICT.filters.update(FILTERS)


def rendered(template: str, **variables: Any) -> str:
    return STRICT.from_string(template).render(**variables)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ none | fallback('there') }}", "there"),
        ("{{ '' | fallback('there') }}", "there"),
        ("{{ missing | fallback('there') }}", "there"),
        ("{{ ' ' | fallback('there') }}", " "),
        ("{{ 0 | fallback('there') }}", "0"),
        ("{{ 2.0554 | precision(2) }}", "2.06"),
        ("{{ '2.675' | precision(2) }}", "2.68"),
        ("{{ 2.675 | precision(2) }}", "2.68"),
        ("{{ -0.001 | precision(2) }}", "0.00"),
        ("{{ 7 | precision(0) }}", "7"),
        ("{{ 4000 | delimiter(',') }}", "4,000"),
        ("{{ 4000 | delimiter }}", "4,000"),
        ("{{ 1234567.891 | delimiter }}", "1,234,567.891"),
        ("{{ -1234567 | delimiter }}", "-1,234,567"),
        ("{{ '4000.50' | delimiter('.', ',') }}", "4.000,50"),
        ("{{ 12345 | format('%05d') }}", "12345"),
        ("{{ 123 | format('%05d') }}", "00123"),
        ("{{ '123' | format('%05d') }}", "00123"),
        ("{{ 1 | format('%5d') }}", "    1"),
        ("{{ 1 | format('%1000d') | length }}", "1000"),
        ("{{ 2.5 | format('%.2f') }}", "2.50"),
        ("{{ '%s of %s' | format(1, 2) }}", "1 of 2"),
        ("{{ '%(n)s' | format(n=3) }}", "3"),
        ("{{ 10 | humanize }}", "ten"),
        ("{{ 1.5 | humanize }}", "1.5"),
        ("{{ 'ten' | humanize }}", "ten"),
        ("{{ 'damien+test@getvero.com' | encode }}", "damien%2Btest%40getvero.com"),
        ("{{ 'a b~c' | encode }}", "a+b~c"),
        ("{{ 'support+test@getvero.com' | md5 }}", "20e815c8877d46cd29d162754b0f2773"),
        ("{{ 'support+test@getvero.com' | sha1 }}", "1e71615687de8192e23949040adc380ade233f3c"),
        (
            "{{ 'Thu Nov 29 2001 14:33:20 UTC' | time_zone('Sydney') }}",
            "2001-11-30 01:33:20 +1100",
        ),
        (
            "{{ 'Thu Nov 29 2001 14:33:20 UTC' | time_zone(-7) | date('%d/%m/%Y %H:%M:%S') }}",
            "29/11/2001 07:33:20",
        ),
        (
            "{{ '2001-11-29T14:33:20Z' | time_zone('Sydney') | date('%d/%m/%Y %H:%M:%S %Z') }}",
            "30/11/2001 01:33:20 AEDT",
        ),
    ],
)
def test_vectors(template: str, expected: str) -> None:
    """Templates written for Vero print what Vero prints."""
    assert rendered(template) == expected


@pytest.mark.parametrize(
    ("integer", "expected"),
    [
        (0, "zero"),
        (19, "nineteen"),
        (42, "forty-two"),
        (100, "one hundred"),
        (123, "one hundred and twenty-three"),
        (1_001, "one thousand and one"),
        (1_045, "one thousand and forty-five"),
        (1_200, "one thousand, two hundred"),
        (1_000_000, "one million"),
        (
            8_675_309,
            "eight million, six hundred and seventy-five thousand, three hundred and nine",
        ),
        (-5, "minus five"),
        (10**15, "1000000000000000"),
        (-(10**15), "-1000000000000000"),
    ],
)
def test_humanize_words(integer: int, expected: str) -> None:
    """Integers below 10**15 become English words, larger ones stay digits."""
    assert rendered("{{ n | humanize }}", n=integer) == expected


UNITS = {words(n): n for n in (*range(21), *range(30, 100, 10))}
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def number_of(text: str) -> int:
    total = group = 0
    for word in text.replace(",", "").replace("-", " ").replace(" and ", " ").split():
        if word == "hundred":
            group *= 100
        elif word in SCALES:
            total, group = total + group * SCALES[word], 0
        else:
            group += UNITS[word]
    return total + group


@given(st.integers(0, 10**15 - 1))
def test_humanize_reads_back(integer: int) -> None:
    """The words say the number, by a reader of English numerals."""
    assert number_of(words(integer)) == integer


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12),
    st.integers(0, 8),
)
def test_precision_is_ordinary_rounding(value: Decimal, places: int) -> None:
    """The result is the decimal rounded half away from zero, as many places as asked."""
    exact = value.quantize(Decimal(10) ** -places, ROUND_HALF_UP)
    result = rendered("{{ value | precision(places) }}", value=value, places=places)
    assert Decimal(result) == exact
    assert len(result.partition(".")[2]) == places


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3))
def test_delimiter_changes_no_digit(value: Decimal) -> None:
    """Without its separators, the number is what it was."""
    assert Decimal(rendered("{{ value | delimiter }}", value=value).replace(",", "")) == value


@given(st.text(st.characters(codec="utf-8")))
def test_encode_reads_back(text: str) -> None:
    """What a form decodes is the text, and only unreserved characters, % and + remain."""
    encoded = rendered("{{ text | encode }}", text=text)
    assert unquote_plus(encoded) == text
    assert encoded.isascii()


@given(st.text())
def test_digests_take_any_text(text: str) -> None:
    """Text that UTF-8 cannot hold is digested too, with a replacement for what it lacks."""
    expected = hashlib.md5(text.encode("utf-8", "replace")).hexdigest()
    assert rendered("{{ text | md5 }}", text=text) == expected


@pytest.mark.parametrize("name", sorted(set(FILTERS) - {"fallback"}))
def test_missing_value_is_the_policys_matter(name: str) -> None:
    """Strict: Jinja's own error. Otherwise what the undefined prints."""
    argument = {"precision": 2, "format": "%d", "time_zone": "UTC"}.get(name)
    arguments = () if argument is None else (argument,)
    with pytest.raises(UndefinedError, match="gone"):
        FILTERS[name](StrictUndefined(name="gone"), *arguments)
    assert FILTERS[name](Undefined(name="gone"), *arguments) == ""


@pytest.mark.parametrize(
    ("name", "value", "arguments"),
    [
        ("precision", "abc", (2,)),
        ("precision", None, (2,)),
        ("precision", True, (2,)),
        ("precision", float("nan"), (2,)),
        ("precision", "1e99999999", (2,)),
        pytest.param("precision", 10**5000, (2,), id="huge"),
        pytest.param("date", 10**5000, ("%Y",), id="huge date"),
        ("precision", "9" * 5000, (2,)),
        ("precision", 1, (-1,)),
        ("precision", 1, ("2",)),
        ("precision", 1, (10**9,)),
        ("delimiter", [1], ()),
        ("delimiter", "1e999999", ()),
        ("format", 1, ("%999999999d",)),
        ("format", 1, ("%1001d",)),
        ("format", 1, ("%.999999999f",)),
        ("format", "%999999999s", ("x",)),
        ("format", "%*d", (9999999, 1)),
        ("format", "%s %s", ("x",)),
        ("format", "%(a)s", ("x",)),
        ("format", 1, ("no directive",)),
        ("format", 1, ("%d %d",)),
        ("format", 1, ()),
        ("format", None, ("%d",)),
        ("format", "x", ("%d",)),
        ("format", 1, (5,)),
        ("format", 10**9, ("%c",)),
        ("encode", None, ()),
        ("md5", {}, ()),
        ("sha1", b"x", ()),
        ("date", None, ("%Y",)),
        ("date", "yesterday", ("%Y",)),
        ("date", "now", ("%Y",)),
        ("date", 0, ("%Q",)),
        ("time_zone", "x", ("UTC",)),
        ("time_zone", 0, ("Atlantis",)),
    ],
)
def test_unfit_values_are_named(name: str, value: Any, arguments: tuple[Any, ...]) -> None:
    """An unfit value is a ValueError or TypeError that begins with the filter's name."""
    with pytest.raises((ValueError, TypeError)) as caught:
        FILTERS[name](value, *arguments)
    assert str(caught.value).startswith(f"{name}: ")
    assert len(str(caught.value)) < 250


def test_error_names_filter_and_value() -> None:
    """The text names the filter and the value, cut to 40 characters."""
    with pytest.raises(ValueError, match=r"^precision: 'abc' is not a number$"):
        FILTERS["precision"]("abc", 2)
    with pytest.raises(ValueError, match=r"^precision: 'x{38}… is not a number$"):
        FILTERS["precision"]("x" * 100, 2)


def test_format_keeps_markup() -> None:
    """Jinja's own meaning stays: a safe pattern escapes what goes into it."""
    result = FILTERS["format"](Markup("<b>%s</b>"), "<i>")
    assert result == Markup("<b>&lt;i&gt;</b>")
    assert isinstance(result, Markup)
