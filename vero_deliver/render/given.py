"""What a rendering is given, checked before a template sees it: a wrong type is no crash."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vero_deliver.errors import DataError, RenderError
from vero_deliver.message import Message
from vero_deliver.plain import kind_of, refuse_unknown
from vero_deliver.render.clean import one_line
from vero_deliver.user import Device, User

ABOUT = ("data", "event", "campaign", "key", "now", "who")  # the names of About
_ABOUT = frozenset(ABOUT)
_TEXT = frozenset({str})
_SHOWN = 80  # characters of a user's name in an error


def check_call(message: Any, user: Any, about: Mapping[str, Any]) -> None:
    """Raise TypeError where the call itself is wrong: the caller's mistake, for every user."""
    if not isinstance(message, Message):
        raise TypeError(f"message: expected a Message, got {kind_of(message)}")
    if not isinstance(user, User):
        raise TypeError(f"user: expected a User, got {kind_of(user)}; User.from_dict() makes one")
    check_about(about)


def check_about(about: Mapping[str, Any]) -> None:
    """Raise TypeError for a name that About has not, and for a clock without a timezone."""
    if not about.keys() <= _ABOUT:
        refuse_unknown(about, ABOUT, "this call")
    now = about.get("now")
    if now is not None and not (isinstance(now, datetime) and now.tzinfo):
        raise TypeError("now: expected a datetime with a timezone: datetime.now(UTC)")


def check_user(user: User) -> None:
    """Raise RenderError where a field is not what User says; its constructor does not look."""
    fields = (user.id, user.email, user.phone, user.locale, user.timezone)
    if not _TEXT.issuperset(map(type, fields)):
        for name, value in zip(User.__struct_fields__, fields, strict=False):
            _expect(str, value, "a string", f"user.{name}")
    _expect((list, tuple), user.devices, "a list of devices", "user.devices")
    for index, device in enumerate(user.devices):
        _expect(Device, device, "a device", f"user.devices[{index}]")
        _expect(str, device.token, "a string", f"user.devices[{index}].token")
    names(user.attributes, "user.attributes")


def names(values: Any, where: str) -> Mapping[str, Any]:
    """The mapping, its keys strings. Raises DataError where it is none."""
    if type(values) is dict and _TEXT.issuperset(map(type, values)):
        return values
    if not isinstance(values, Mapping):
        raise DataError(f"expected an object, got {kind_of(values)}", where=where)
    for name in values:
        if not isinstance(name, str):
            raise DataError(f"names are strings; one is {kind_of(name)}", where=where)
    return values


def shown(who: Any) -> str:
    """A user's name or id for an error: one line, not too long, nothing that moves a cursor."""
    text = one_line(who[: 2 * _SHOWN]) if isinstance(who, str) else ""
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _expect(kind: type | tuple[type, ...], value: object, words: str, where: str) -> None:
    if not isinstance(value, kind):
        raise RenderError(f"expected {words}, got {kind_of(value)}", where=where)
