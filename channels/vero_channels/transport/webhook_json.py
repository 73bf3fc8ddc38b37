"""Values out of a webhook's JSON, which may be anything: never an error but NotUnderstood."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from vero_channels.transport.keys import VERO_KEY, named
from vero_channels.transport.webhooks import Post
from vero_deliver.errors import NotUnderstood
from vero_deliver.feedback.machines import machine_by_agent as machine_by_agent
from vero_deliver.mime import Named

_YEARS = 100 * 366 * 24 * 3600.0  # seconds after which a moment is none


def decoded(body: bytes | str, channel: str) -> Any:
    """The JSON value of a body."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise NotUnderstood(f"it is not JSON: {type(error).__name__}", channel=channel) from None


def objects(value: Any, channel: str) -> list[dict[str, Any]]:
    """The objects of a list, or the one object that stands for a list of one."""
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in found):
        raise NotUnderstood("it holds something besides JSON objects", channel=channel)
    return found


def inner(value: Any, *path: str) -> dict[str, Any]:
    """The object at a path of names; empty where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def listed(value: Any, name: str) -> Iterator[Any]:
    """The elements of a list field; a single value stands for a list of one."""
    found = value.get(name) if isinstance(value, dict) else None
    if found is not None:
        yield from found if isinstance(found, list) else [found]


def text(value: Any, *names: str) -> str:
    """The first of the fields that has a text or a number, as text."""
    for name in names:
        found = value.get(name) if isinstance(value, dict) else None
        if isinstance(found, (str, int, float)) and not isinstance(found, bool) and found != "":
            return str(found)
    return ""


def number(value: Any, *names: str) -> int | None:
    """The first of the fields that holds a whole number."""
    found = text(value, *names)
    return int(found) if found.isascii() and found.isdigit() and len(found) < 10 else None


def flag(value: Any, name: str) -> bool | None:
    """A field that is true or false; None where it is neither."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, bool) else None


def texts(value: Any, *names: str) -> tuple[str, ...]:
    """The texts of the first field that has any."""
    for name in names:
        found = tuple(one for one in listed(value, name) if isinstance(one, str) and one)
        if found:
            return found
    return ()


def named_values(value: Any, name: str) -> dict[str, str]:
    """A list of {"name": ..., "value": ...}: names in lower case to values, the first of each."""
    found: dict[str, str] = {}
    for one in listed(value, name):
        found.setdefault(text(one, "name").lower(), text(one, "value"))
    return found


def arguments(value: Mapping[str, Any], key: str = "") -> tuple[Named, dict[str, str]]:
    """The delivery that custom arguments name, else `key` does, and the others as text."""
    others = {name: _as_text(one) for name, one in value.items() if one is not None}
    return named(others.pop(VERO_KEY, "") or key), others


def within(written: Any, channel: str) -> dict[str, Any]:
    """The object that a text holds as JSON; empty where it holds something else."""
    try:
        return inner(decoded(written, channel)) if isinstance(written, str) else {}
    except NotUnderstood:
        return {}


def moment(value: Any, name: str, post: Post, *, unit: float = 1.0) -> datetime:
    """The moment in a field: ISO 8601, or a count of `unit` seconds; else the post's own."""
    found = value.get(name) if isinstance(value, dict) else None
    try:
        if isinstance(found, str) and not _is_number(found):
            at = datetime.fromisoformat(found)
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        seconds = float(found) * unit  # type: ignore[arg-type]
        if 0 < seconds < _YEARS:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except (TypeError, ValueError, OverflowError):
        pass
    return post.at.astimezone(UTC)


def own_id(raw: Mapping[str, Any]) -> str:
    """An id for what the provider gave none: the same for the same content."""
    return hashlib.sha256(msgspec.json.encode(raw, order="deterministic")).hexdigest()[:32]


def _is_number(value: str) -> bool:
    return value.replace(".", "", 1).isdecimal()


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
