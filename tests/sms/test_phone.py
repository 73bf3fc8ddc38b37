"""Phone numbers as E.164 has them."""

from __future__ import annotations

import pytest

from vero_deliver.phone import country, e164


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("+44 7700 900-123", "", "+447700900123"),
        ("+44 (0)7700 900123", "", "+447700900123"),
        ("07700 900123", "GB", "+447700900123"),
        ("0044 7700 900123", "GB", "+447700900123"),
        ("601 000 001", "CZ", "+420601000001"),
        ("601 000 001", "cz", "+420601000001"),
        ("20 12 34 56", "DK", "+4520123456"),
        ("(201) 555-0123", "US", "+12015550123"),
        ("12345", "GB", "12345"),
        ("72 000", "", "72000"),
    ],
)  # fmt: skip
def test_numbers(written: str, region: str, number: str) -> None:
    """In full, in national form, and short codes."""
    assert e164(written, region) == number


@pytest.mark.parametrize(
    ("written", "region"),
    [("601000001", ""), ("+0123456789", ""), ("ada", "GB"), ("1", "GB"), ("+1234", ""),
     ("601000001", "XX"), ("+447700900123\u0661", ""), ("1-800-FLOWERS", "US"), ("٠٧٧٠٠", "GB")],
)  # fmt: skip
def test_no_number(written: str, region: str) -> None:
    """What cannot be dialled is an error that shows it."""
    with pytest.raises(ValueError, match=r"E\.164"):
        e164(written, region)


@pytest.mark.parametrize(
    ("number", "region"),
    [("+420601000001", "CZ"), ("+12045551234", "CA"), ("+15550001111", "US"),
     ("+447700900123", "GB"), ("+88216000001", ""), ("12345", ""), ("", "")],
)  # fmt: skip
def test_country(number: str, region: str) -> None:
    """Countries that share a code are told apart; a satellite has none."""
    assert country(number) == region
