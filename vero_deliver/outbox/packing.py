"""What a template gets, as JSON: user, data, event and campaign, without loss.

JSON lacks dates, decimals and bytes; they are written as an object of one name that begins with $.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
from markupsafe import Markup

from vero_deliver.errors import DataError
from vero_deliver.plain import kind_of
from vero_deliver.user import User

_Pack = Callable[[Any], Any]
_MICROSECOND: Final = timedelta(microseconds=1)


def _iso(moment: Any) -> Any:
    return moment.isoformat()


def _microseconds(length: Any) -> Any:
    return length // _MICROSECOND


_TAGS: Final[tuple[tuple[type, str, _Pack, _Pack], ...]] = (
    (datetime, "$datetime", _iso, datetime.fromisoformat),
    (date, "$date", _iso, date.fromisoformat),
    (time, "$time", _iso, time.fromisoformat),
    (timedelta, "$microseconds", _microseconds, lambda number: number * _MICROSECOND),
    (Decimal, "$decimal", str, Decimal),
    (UUID, "$uuid", str, UUID),
    (bytes, "$bytes", lambda raw: b64encode(raw).decode(), b64decode),
)
_MARKUP: Final = "$markup"
_READ: Final = {_MARKUP: Markup, **{tag: read for _, tag, _, read in _TAGS}}
_OBJECT: Final = "$object"  # an object of the sender's own that looks like one of the above


def pack(value: Any, where: str) -> str:
    """The value as JSON. Raises DataError naming `where` for what would not come back."""
    try:
        return json.dumps(_packed(value, where), separators=(",", ":"))
    except RecursionError:
        raise DataError("nested too deeply", where=where) from None


def unpack(text: str) -> Any:
    """What was packed; a tuple comes back as a list."""
    value = json.loads(text)
    return _unpacked(value) if '"$' in text else value


def pack_user(user: User) -> str:
    """A user as JSON. Raises DataError for an attribute that would not come back."""
    return pack({**msgspec.structs.asdict(user), "devices": _devices(user)}, "user")


def unpack_user(text: str) -> User:
    """The user that was packed."""
    return msgspec.convert(unpack(text), User)


def _devices(user: User) -> list[Any]:
    return [msgspec.structs.asdict(device) for device in user.devices]


def _packed(value: Any, where: str) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case Markup():  # HTML that the sender vouches for
            return {_MARKUP: str(value)}
        case str():
            return str(value)
        case Mapping():
            packed = {}
            for name, member in value.items():
                if not isinstance(name, str):
                    raise DataError(f"names are strings; one is {kind_of(name)}", where=where)
                packed[name] = _packed(member, f"{where}.{name}")
            alike = len(packed) == 1 and next(iter(packed)).startswith("$")
            return {_OBJECT: packed} if alike else packed
        case list() | tuple():
            return [_packed(member, f"{where}[{n}]") for n, member in enumerate(value)]
    for kind, tag, write, _ in _TAGS:
        if isinstance(value, kind):
            return {tag: write(value)}
    raise DataError(f"{kind_of(value)} cannot be kept in the outbox", where=where)


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpacked(member) for member in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        [(name, member)] = value.items()
        if name == _OBJECT:
            return {own: _unpacked(inner) for own, inner in member.items()}
        if name in _READ:
            return _READ[name](member)
    return {name: _unpacked(member) for name, member in value.items()}
