"""Options that are tables: every mistake is a ValueError or TypeError that begins with the key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any, Final

from vero_channels.transport.egress.destination import Host
from vero_channels.transport.egress.sources import Pool, Source
from vero_deliver.plain import kind_of, nearest, quoted

DEFAULT_POOL: Final = "default"
_POOLS: Final = (DEFAULT_POOL, "transactional", "marketing")
_SMTP: Final = 25
_KEYS: Final = {one.name: str for one in fields(Source) if one.name != "name"} | {"warm_up": date}


def sources_of(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Source]:
    """The sources by name."""
    if not tables:
        raise ValueError("sources: none; write one as { a = {} }, or with its address and ehlo")
    found = {}
    for name, table in _mapping(tables, "sources").items():
        at = f"sources.{name}"
        for key, value in _mapping(table, at).items():
            if key not in _KEYS:
                raise ValueError(f"{at}: unknown key {key!r}{nearest(key, _KEYS)}")
            if not isinstance(value, _KEYS[key]) or isinstance(value, datetime):
                wanted = "a date" if _KEYS[key] is date else "a string"
                raise TypeError(f"{at}.{key}: expected {wanted}, got {kind_of(value)}")
        try:
            found[name] = Source(name, **table)
        except ValueError as error:
            raise ValueError(f"{at}: {error}") from None
    return found


def pools_of(
    tables: Mapping[str, Mapping[str, float]],
    sources: Mapping[str, Source],
    random: Callable[[], float],
) -> dict[str, Pool]:
    """The pools by kind of message; the default one has all sources where it is not given."""
    pools = {DEFAULT_POOL: Pool(dict.fromkeys(sources, 1.0), random)}
    for name, table in _mapping(tables, "pools").items():
        if name not in _POOLS:
            raise ValueError(f"pools: {quoted(name)} is none of {', '.join(_POOLS)}")
        at = f"pools.{name}"
        for source in _weights(table, at):
            if source not in sources:
                raise ValueError(f"{at}: there is no source {source!r}{nearest(source, sources)}")
        pools[name] = Pool(table, random)
    return pools


def relays_of(relays: Sequence[str] | Mapping[str, float]) -> list[Host]:
    """The relays: a list is an order of preference, a table has weights."""
    if isinstance(relays, str):
        raise TypeError("relays: expected a list of hosts, or a table of weights, got a string")
    if isinstance(relays, Mapping):
        table = _weights(relays, "relays") if relays else {}
        return [_relay(text, weight=weight) for text, weight in table.items()]
    return [_relay(text, preference=place) for place, text in enumerate(relays)]


def schedule_of(schedule: Sequence[int]) -> tuple[int, ...]:
    """Messages a day."""
    for number in schedule:
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise ValueError(f"warm_up_schedule: {number!r} is no number of messages")
    return tuple(schedule)


def _relay(text: Any, *, preference: int = 0, weight: float = 1.0) -> Host:
    if not isinstance(text, str) or not (found := re.fullmatch(r"([^:\s]+)(?::(\d{1,5}))?", text)):
        raise ValueError(f"relays: {text!r} is no host; write 'mta.example.com' or with its :port")
    return Host(found[1], int(found[2] or _SMTP), preference, weight)


def _weights(table: Any, at: str) -> Mapping[str, float]:
    for name, weight in _mapping(table, at).items():
        number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not number or not 0 < weight < float("inf"):
            raise ValueError(f"{at}.{name}: {weight!r} is no weight; write a number over 0")
    if not table:
        raise ValueError(f"{at}: no names with weights")
    return table  # type: ignore[no-any-return]


def _mapping(value: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"{at}: expected a table, got {kind_of(value)}")
    return value
