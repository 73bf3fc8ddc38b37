from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from email.utils import format_datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vero_deliver.render.filters.strftime import strftime
from vero_deliver.render.filters.times import RAILS_ZONES, calendar_date, in_zone, moment, zone

T = TypeVar("T")

VERO = datetime(2001, 11, 29, 14, 33, 20, tzinfo=UTC)

aware = st.datetimes(
    min_value=datetime(1000, 1, 2),
    max_value=datetime(9999, 12, 30),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-7)), timezone(timedelta(hours=10))]),
)


def answered(read: Callable[[Any], T], value: Any) -> T | ValueError:
    try:
        return read(value)
    except UnicodeError:
        raise
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    "written",
    [
        VERO,
        VERO.replace(tzinfo=None),
        "Thu Nov 29 2001 14:33:20 UTC",
        "Thu Nov 29 2001 15:33:20 GMT+0100 (Central European Standard Time)",
        "Thu Nov 29 14:33:20 2001",
        "Thu Nov 29 14:33:20 UTC 2001",
        "Thu, 29 Nov 2001 14:33:20 +0000",
        "29 Nov 2001 09:33:20 EST",
        "November 29, 2001 14:33:20",
        "2001-11-29T14:33:20Z",
        "2001-11-29T14:33:20.000Z",
        "2001-11-29T14:33:20+0000",
        "2001-11-29 14:33:20",
        "2001-11-30 01:33:20 +1100",
        "2001-11-29 14:33:20 UTC",
        " 2001-11-29T14:33:20 ",
        1007044400,
        1007044400.0,
        Decimal(1007044400),
        "1007044400",
        "1007044400.0",
    ],
)
def test_ways_to_write_a_moment(written: Any) -> None:
    """Every supported way of writing one moment means that moment, and is aware."""
    assert moment(written) == VERO
    assert moment(written).tzinfo is not None


@given(aware)
def test_iso_and_rfc2822_read_back(when: datetime) -> None:
    """What datetime and email.utils write is read to the same moment."""
    assert moment(when.isoformat()) == when
    assert moment(format_datetime(when)) == when.replace(microsecond=0)


@given(aware)
def test_own_printing_reads_back(when: datetime) -> None:
    """A zoned time printed in one template is a moment in the next."""
    local = in_zone(when, UTC).replace(microsecond=0)
    assert moment(str(local)) == local


@given(
    st.text() | st.text("0123456789:-+TZ JanFebUTC,.", max_size=40) | st.floats() | st.integers()
)
def test_bad_moments_are_value_errors(value: Any) -> None:
    """No value brings anything but a moment or a ValueError."""
    answer = answered(moment, value)
    if isinstance(answer, ValueError):
        assert len(str(answer)) < 200
    else:
        assert answer.tzinfo is not None


def test_milliseconds_are_called_so() -> None:
    """JavaScript's milliseconds are refused with the reason, not dated to the year 33881."""
    with pytest.raises(ValueError, match="not milliseconds"):
        moment(1007044400000)


def test_a_day_has_no_zone() -> None:
    """A date, or text that is only a date, is a day; anything else is not."""
    assert calendar_date(date(2001, 11, 29)) == date(2001, 11, 29)
    assert calendar_date("2001-11-29") == date(2001, 11, 29)
    assert calendar_date("2001-11-29T00:00:00Z") is None
    assert calendar_date(VERO) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Europe/Prague", ZoneInfo("Europe/Prague")),
        ("europe/prague", ZoneInfo("Europe/Prague")),
        ("Sydney", ZoneInfo("Australia/Sydney")),
        ("Hong Kong", ZoneInfo("Asia/Hong_Kong")),
        ("Eastern Time (US & Canada)", ZoneInfo("America/New_York")),
        ("Pacific Time (US & Canada)", ZoneInfo("America/Los_Angeles")),
        ("Samoa", ZoneInfo("Pacific/Apia")),
        ("UTC", UTC),
        ("Z", UTC),
        (-7, timezone(timedelta(hours=-7))),
        (5.5, timezone(timedelta(hours=5.5))),
        (36000, timezone(timedelta(hours=10))),
        ("-7", timezone(timedelta(hours=-7))),
        ("+10:00", timezone(timedelta(hours=10))),
        ("-0330", timezone(timedelta(hours=-3.5))),
        ("UTC+2", timezone(timedelta(hours=2))),
    ],
)
def test_zone_names(name: Any, expected: tzinfo) -> None:
    """IANA names, Rails names, last parts and offsets all name a zone."""
    assert zone(name) == expected


@pytest.mark.parametrize("name", sorted(RAILS_ZONES))
def test_rails_names_exist(name: str) -> None:
    """Every Rails name leads to a zone of the tz database."""
    assert zone(name) == ZoneInfo(RAILS_ZONES[name])


@pytest.mark.parametrize(
    "name", ["", "Atlantis", "../../etc/passwd", "America", "\0", "+99:00", 86400, float("nan")]
)
def test_unknown_zones_are_value_errors(name: Any) -> None:
    """A name that is no zone, a path or an impossible offset is a ValueError."""
    with pytest.raises(ValueError, match=r"zone|offset"):
        zone(name)


def test_ambiguous_last_part_lists_the_choice() -> None:
    """A last part that several zones share is refused, with their names."""
    with pytest.raises(ValueError, match="America/Kentucky/Louisville or America/Louisville"):
        zone("Louisville")


@given(st.text())
def test_any_zone_text_is_answered(name: str) -> None:
    """No text crashes the zone lookup."""
    assert isinstance(answered(zone, name), (tzinfo, ValueError))


def test_calendar_end_is_a_value_error() -> None:
    """A moment that another zone's clock cannot show is refused, not an OverflowError."""
    with pytest.raises(ValueError, match="outside the calendar"):
        in_zone(datetime.max.replace(tzinfo=UTC), ZoneInfo("Australia/Sydney"))


def test_local_time_prints_in_daylight_saving_folds() -> None:
    """Both passes of the repeated hour print their own offset."""
    prague = ZoneInfo("Europe/Prague")
    first = datetime(2024, 10, 27, 0, 30, tzinfo=UTC)
    assert str(in_zone(first, prague)) == "2024-10-27 02:30:00 +0200"
    assert str(in_zone(first + timedelta(hours=1), prague)) == "2024-10-27 02:30:00 +0100"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("%d/%m/%Y %H:%M:%S %Z", "09/02/2003 04:05:06 UTC"),
        ("%-d. %-m. %y", "9. 2. 03"),
        ("%e|%k|%l|%_m", " 9| 4| 4| 2"),
        ("%A %a %B %b %h", "Sunday Sun February Feb Feb"),
        ("%I:%M %p %P", "04:05 AM am"),
        ("%j %U %W %V %G %u %w", "040 06 05 06 2003 7 0"),
        ("%F %T %R %D", "2003-02-09 04:05:06 04:05 02/09/03"),
        ("%c", "Sun Feb  9 04:05:06 2003"),
        ("%s %L %N", "1044763506 007 007000000"),
        ("%z %:z", "+0000 +00:00"),
        ("%^a %^B %#p %v", "SUN FEBRUARY am  9-FEB-2003"),
        ("100%% %n%t", "100% \n\t"),
        ("", ""),
    ],
)
def test_ruby_directives(form: str, expected: str) -> None:
    """Dates print as Ruby's strftime prints them."""
    assert strftime(datetime(2003, 2, 9, 4, 5, 6, 7000, tzinfo=UTC), form) == expected


@given(aware, st.sampled_from("aAbBcdfFHIjmMpSTuUVwWyYzG"))
def test_agrees_with_python(when: datetime, letter: str) -> None:
    """Directives that Ruby and Python share print alike."""
    if letter == "f":
        assert strftime(when, "%N") == when.strftime("%f") + "000"
    else:
        assert strftime(when, f"%{letter}") == when.strftime(f"%{letter}")


@pytest.mark.parametrize("form", ["%", "%Q", "%-", "%:d", "%\n", "%10d"])
def test_unknown_directives_are_value_errors(form: str) -> None:
    """A directive that does not exist is an error, never text in a customer's mail."""
    with pytest.raises(ValueError, match="is no directive"):
        strftime(VERO, form)
