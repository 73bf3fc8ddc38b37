"""Ruby's strftime, the same on every platform and in every process locale.

Python's own asks the C library: `%-d` fails on Windows, `%B` follows setlocale, and Vero's
templates use Ruby's directives (`%e`, `%-d`, `%P`, `%L`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_COMBINED = {
    "c": "%a %b %e %H:%M:%S %Y",
    "D": "%m/%d/%y",
    "F": "%Y-%m-%d",
    "h": "%b",
    "R": "%H:%M",
    "r": "%I:%M:%S %p",
    "T": "%H:%M:%S",
    "v": "%e-%^b-%Y",
    "X": "%H:%M:%S",
    "x": "%m/%d/%y",
    "+": "%a %b %e %H:%M:%S %Z %Y",
}
# Directive: value, and how it is padded when no flag says otherwise.
_NUMBERS: dict[str, tuple[Callable[[datetime], int], str]] = {
    "C": (lambda t: t.year // 100, "02"),
    "d": (lambda t: t.day, "02"),
    "e": (lambda t: t.day, " 2"),
    "G": (lambda t: t.isocalendar().year, "04"),
    "g": (lambda t: t.isocalendar().year % 100, "02"),
    "H": (lambda t: t.hour, "02"),
    "I": (lambda t: t.hour % 12 or 12, "02"),
    "j": (lambda t: t.timetuple().tm_yday, "03"),
    "k": (lambda t: t.hour, " 2"),
    "L": (lambda t: t.microsecond // 1000, "03"),
    "l": (lambda t: t.hour % 12 or 12, " 2"),
    "M": (lambda t: t.minute, "02"),
    "m": (lambda t: t.month, "02"),
    "N": (lambda t: t.microsecond * 1000, "09"),
    "S": (lambda t: t.second, "02"),
    "s": (lambda t: int(t.timestamp()), "01"),
    "U": (lambda t: (t.timetuple().tm_yday + 6 - t.isoweekday() % 7) // 7, "02"),
    "u": (lambda t: t.isoweekday(), "01"),
    "V": (lambda t: t.isocalendar().week, "02"),
    "W": (lambda t: (t.timetuple().tm_yday + 6 - t.weekday()) // 7, "02"),
    "w": (lambda t: t.isoweekday() % 7, "01"),
    "Y": (lambda t: t.year, "04"),
    "y": (lambda t: t.year % 100, "02"),
}


def offset(moment: datetime, colon: str = "") -> str:
    """The offset from UTC: "+1100", with a colon "+11:00"."""
    away = moment.utcoffset() or timedelta()
    hours, minutes = divmod(abs(away) // timedelta(minutes=1), 60)
    return f"{'-' if away < timedelta() else '+'}{hours:02}{colon}{minutes:02}"


_TEXTS: dict[str, Callable[[datetime], str]] = {
    "A": lambda t: DAYS[t.weekday()],
    "a": lambda t: DAYS[t.weekday()][:3],
    "B": lambda t: MONTHS[t.month - 1],
    "b": lambda t: MONTHS[t.month - 1][:3],
    "n": lambda _: "\n",
    "P": lambda t: "am" if t.hour < 12 else "pm",
    "p": lambda t: "AM" if t.hour < 12 else "PM",
    "t": lambda _: "\t",
    "Z": lambda t: t.tzname() or "",
    "z": offset,
    "%": lambda _: "%",
}
_DIRECTIVE = re.compile(r"%([-_0^#]*)(:?)(.?)", re.DOTALL)


def strftime(moment: datetime, form: str) -> str:
    """The aware moment written by Ruby's directives; an unknown one is a ValueError."""
    return _DIRECTIVE.sub(lambda found: _written(moment, *found.groups()), form)


def _written(moment: datetime, flags: str, colon: str, letter: str) -> str:
    if colon and letter == "z":
        return offset(moment, ":")
    if colon or not (letter in _NUMBERS or letter in _TEXTS or letter in _COMBINED):
        raise ValueError(f"date: %{flags}{colon}{letter} is no directive; %% writes a percent sign")
    if letter in _NUMBERS:
        return _padded(*_NUMBERS[letter], moment, flags)
    combined = _COMBINED.get(letter)
    written = strftime(moment, combined) if combined else _TEXTS[letter](moment)
    if "#" in flags and letter == "p":
        return written.lower()
    return written.upper() if "^" in flags or "#" in flags else written


def _padded(value: Callable[[datetime], int], pad: str, moment: datetime, flags: str) -> str:
    if "-" in flags:
        return str(value(moment))
    fill = " " if "_" in flags else "0" if "0" in flags else pad[0]
    return str(value(moment)).rjust(int(pad[1:]), fill)
