"""What names a message and its parts: derived from key and clock, never random."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from vero_deliver.mime.address import domain_of

if TYPE_CHECKING:
    from vero_deliver.rendered import RenderedEmail

# strftime would speak the process's locale
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def message_id(email: RenderedEmail, key: str) -> str:
    """`<32 hex digits@sender's domain>`: the same for a key whenever it is rendered.

    ValueError where the sender's address is none.
    """
    return f"<{key_digest(key)}@{domain_of(email.from_.email)}>"


def key_digest(key: str) -> str:
    """32 hex digits that stand for a key: left of the @ in its Message-ID."""
    return _hex(key)[:32]


def boundary(key: str, at: datetime, multipart: str) -> str:
    """The delimiter of one multipart; "=_" occurs neither in quoted-printable nor in base64."""
    return f"=_vd_{_hex(key, at.isoformat(), multipart)[:24]}"


def date(at: datetime) -> str:
    """RFC 5322 date-time in the datetime's own zone. ValueError where it has none."""
    return _date(at, at.utcoffset())


# equal datetimes of different zones are one key to a cache; with their offsets they are not
@lru_cache(maxsize=64)
def _date(at: datetime, offset: timedelta | None) -> str:
    if offset is None:
        raise ValueError(f"{at!r} has no timezone: give a datetime with tzinfo, such as UTC")
    minutes, rest = divmod(offset, timedelta(minutes=1))
    if rest:  # local mean time; the header has no place for seconds
        return date(at.astimezone(UTC))
    sign, (hours, minutes) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    return (
        f"{_DAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month - 1]} {at.year:04} "
        f"{at:%H:%M:%S} {sign}{hours:02}{minutes:02}"
    )


def _hex(*names: str) -> str:
    # surrogatepass: a key is any str, and two keys are never one
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()
