"""Moments and time zones as senders write them: ISO 8601, RFC 2822, Unix time, Rails names."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from jinja2 import Undefined

from vero_deliver.render.filters.numbers import shown
from vero_deliver.render.filters.strftime import DAYS, MONTHS, strftime

# Rails zone names (ActiveSupport::TimeZone) that are not the last part of one IANA name.
RAILS_ZONES = {
    "International Date Line West": "Pacific/Midway",
    "Midway Island": "Pacific/Midway",
    "American Samoa": "Pacific/Pago_Pago",
    "Samoa": "Pacific/Apia",
    "Pacific Time (US & Canada)": "America/Los_Angeles",
    "Mountain Time (US & Canada)": "America/Denver",
    "Central Time (US & Canada)": "America/Chicago",
    "Eastern Time (US & Canada)": "America/New_York",
    "Indiana (East)": "America/Indiana/Indianapolis",
    "Atlantic Time (Canada)": "America/Halifax",
    "Central America": "America/Guatemala",
    "Guadalajara": "America/Mexico_City",
    "Quito": "America/Lima",
    "Brasilia": "America/Sao_Paulo",
    "Buenos Aires": "America/Argentina/Buenos_Aires",
    "Georgetown": "America/Guyana",
    "Greenland": "America/Nuuk",
    "Mid-Atlantic": "Atlantic/South_Georgia",
    "Cape Verde Is.": "Atlantic/Cape_Verde",
    "Edinburgh": "Europe/London",
    "Bern": "Europe/Zurich",
    "Istanbul": "Europe/Istanbul",
    "St. Petersburg": "Europe/Moscow",
    "West Central Africa": "Africa/Algiers",
    "Pretoria": "Africa/Johannesburg",
    "Abu Dhabi": "Asia/Muscat",
    "Ekaterinburg": "Asia/Yekaterinburg",
    "Islamabad": "Asia/Karachi",
    "Chennai": "Asia/Kolkata",
    "Mumbai": "Asia/Kolkata",
    "New Delhi": "Asia/Kolkata",
    "Astana": "Asia/Almaty",  # older Rails said Asia/Dhaka, an hour off since 2024
    "Sri Jayawardenepura": "Asia/Colombo",
    "Hanoi": "Asia/Bangkok",
    "Beijing": "Asia/Shanghai",
    "Osaka": "Asia/Tokyo",
    "Sapporo": "Asia/Tokyo",
    "Solomon Is.": "Pacific/Guadalcanal",
    "New Caledonia": "Pacific/Noumea",
    "Marshall Is.": "Pacific/Majuro",
    "Wellington": "Pacific/Auckland",
    "Nuku'alofa": "Pacific/Tongatapu",
    "Tokelau Is.": "Pacific/Fakaofo",
    "Chatham Is.": "Pacific/Chatham",
}
# RFC 5322 section 4.3, obsolete but still written; hours from UTC.
_ABBREVIATIONS = {
    "z": 0, "ut": 0, "utc": 0, "gmt": 0,
    "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8,
}  # fmt: skip
_OFFSET = re.compile(r"(?:UTC|GMT)?([+-]?)(\d{1,2})(?::?([0-5]\d))?", re.ASCII)
_UNIX = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_CALENDAR_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_ISO_SPACED = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d\S*)\s+(UTC|GMT|Z|[+-]\d\d:?\d\d)", re.ASCII
)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_MONTH_NUMBERS = {
    name: number
    for number, month in enumerate(MONTHS, 1)
    for name in (month.lower(), month[:3].lower())
} | {"sept": 9}
_DAY_NAMES = {name for day in DAYS for name in (day.lower(), day[:3].lower())}


class LocalTime(datetime):
    """An aware moment that prints as Ruby does: 2001-11-30 01:33:20 +1100."""

    def __str__(self) -> str:
        return strftime(self, "%Y-%m-%d %H:%M:%S %z")


def moment(value: Any) -> datetime:
    """The aware moment a value stands for; what has no zone is UTC.

    value: datetime, date, Unix seconds (number or digits), or text in ISO 8601, RFC 2822 or the
    shape "Thu Nov 29 2001 14:33:20 UTC". Raises ValueError or TypeError with the value.
    """
    if isinstance(value, datetime):
        return value if value.utcoffset() is not None else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return _from_unix(value)
    if isinstance(value, (str, Undefined)):
        return _parsed(str(value).strip())
    raise TypeError(f"{shown(value)} is not a date or time")


def calendar_date(value: Any) -> date | None:
    """The date a value is, where it names a day and no time: such a day has no zone to change."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _CALENDAR_DATE.fullmatch(value.strip()):
        return moment(value).date()
    return None


def in_zone(when: datetime, where: tzinfo) -> LocalTime:
    """The same moment on that zone's clock; ValueError at the ends of the calendar."""
    try:
        local = when.astimezone(where)
    except OverflowError:
        raise ValueError(f"{when.isoformat()} is outside the calendar in {where}") from None
    return LocalTime.combine(local.date(), local.timetz()).replace(fold=local.fold)


def zone(name_or_offset: Any) -> tzinfo:
    """The zone of an IANA name, Rails name or last part of an IANA name, or an offset.

    name_or_offset: "Europe/Prague", "Eastern Time (US & Canada)", "Sydney", -7, "+10:00"; a
    number up to 14 is hours, a larger one seconds. Raises ValueError or TypeError.
    """
    if isinstance(name_or_offset, tzinfo):
        return name_or_offset
    if isinstance(name_or_offset, (int, float)) and not isinstance(name_or_offset, bool):
        return _fixed(name_or_offset, name_or_offset)
    if isinstance(name_or_offset, (str, Undefined)):
        return _named(str(name_or_offset).strip())
    raise TypeError(f"{shown(name_or_offset)} is no time zone")


def _fixed(number: float, given: object) -> tzinfo:
    seconds = number * 3600 if abs(number) <= 14 else number
    if not abs(seconds) < 86_400:  # also NaN
        raise ValueError(f"{shown(given)} is no offset from UTC")
    return timezone(timedelta(minutes=round(seconds / 60)))


@lru_cache(maxsize=1024)
def _named(name: str) -> tzinfo:
    if offset := _OFFSET.fullmatch(name):
        hours = int(offset[2]) + int(offset[3] or 0) / 60
        if hours <= 14:
            return _fixed(-hours if offset[1] == "-" else hours, name)
    if name in ("Z", "UTC", "GMT"):
        return UTC
    found = _zones().get(_plain(name), ())
    if len(found) == 1:
        return ZoneInfo(found[0])
    if found:
        raise ValueError(f"time zone {name!r} could be {' or '.join(found)}: write which")
    raise ValueError(f"no time zone {shown(name)}: write an IANA name such as Europe/Prague")


@lru_cache(maxsize=1)
def _zones() -> dict[str, tuple[str, ...]]:
    """Every name a zone may be called by, to the IANA names that it may mean."""
    by_last_part: dict[str, tuple[str, ...]] = {}
    names = sorted(available_timezones())
    for name in names:
        last = _plain(name.rpartition("/")[2])
        by_last_part[last] = (*by_last_part.get(last, ()), name)
    rails = {_plain(rails): (name,) for rails, name in RAILS_ZONES.items()}
    return by_last_part | rails | {_plain(name): (name,) for name in names}


def _plain(name: str) -> str:
    return name.lower().replace("_", " ")


def _from_unix(seconds: float | Decimal) -> datetime:
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(seconds * 1_000_000))
    except (OverflowError, ValueError, ArithmeticError):
        raise ValueError(
            f"{shown(seconds)} is no Unix time: it counts seconds since 1970, not milliseconds"
        ) from None


def _parsed(text: str) -> datetime:
    if len(text) > 100:
        raise ValueError(f"{shown(text)} is not a date or time")
    if text.lower() in ("now", "today"):
        raise ValueError(f"{text!r} is not a date: write the variable now, without quotes")
    if _UNIX.fullmatch(text):
        return _from_unix(Decimal(text))
    if spaced := _ISO_SPACED.fullmatch(text):
        day, clock, away = spaced.groups()
        text = f"{day}T{clock}{away if away[0] in '+-' else 'Z'}"
    try:
        return moment(datetime.fromisoformat(text))
    except ValueError:
        return _from_words(text)


def _from_words(text: str) -> datetime:
    """A date in English words and digits, each part told by its shape, in any order."""
    parts: dict[str, int] = {}
    away: tzinfo | None = None
    clock: re.Match[str] | None = None
    for word in re.sub(r"\(.*\)", "", text).replace(",", " ").lower().split():
        if word in _DAY_NAMES:
            continue
        if word in _MONTH_NUMBERS and "month" not in parts:
            parts["month"] = _MONTH_NUMBERS[word]
        elif re.fullmatch(r"[0-9]{4}", word) and "year" not in parts:
            parts["year"] = int(word)
        elif re.fullmatch(r"[0-9]{1,2}", word) and "day" not in parts:
            parts["day"] = int(word)
        elif clock is None and (clock := _CLOCK.fullmatch(word)):
            parts |= {"hour": int(clock[1]), "minute": int(clock[2]), "second": int(clock[3] or 0)}
        elif away is None and (away := _away(word)):
            continue
        else:
            raise ValueError(f"{shown(text)} is not a date or time")
    if not {"year", "month", "day"} <= parts.keys():
        raise ValueError(f"{shown(text)} is not a date or time: write 2001-11-29T14:33:20Z")
    try:
        return datetime(**parts, tzinfo=away or UTC)
    except ValueError:
        raise ValueError(f"{shown(text)} is not a day of the calendar") from None


def _away(word: str) -> tzinfo | None:
    if word in _ABBREVIATIONS:
        return timezone(timedelta(hours=_ABBREVIATIONS[word])) if _ABBREVIATIONS[word] else UTC
    signed = _OFFSET.fullmatch(word.upper())
    return _named(word.upper()) if signed and signed[1] else None
