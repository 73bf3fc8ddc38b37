"""What mail clients support, as caniemail.com has tested it.

Source: caniemail.json beside this, of the date that it names; scripts/caniemail renews it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from vero_deliver.errors import ConfigError
from vero_deliver.plain import nearest

# named by its family only where it is named itself: webmail in a phone's browser, which few use
_RARE: Final = frozenset(("gmail.mobile-webmail",))


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature. slug: as in its address at caniemail.com. support: client -> y, a, n or u."""

    slug: str
    title: str
    support: Mapping[str, str]

    @property
    def url(self) -> str:
        """Its page, with the tests and what partial support means."""
        return f"{_data()['source']}/features/{self.slug}/"


@cache
def _data() -> Mapping[str, Any]:
    text = files("vero_deliver.check.clients").joinpath("caniemail.json").read_text("utf-8")
    data: Mapping[str, Any] = json.loads(text)
    return data


@cache
def features() -> Mapping[str, Sequence[Feature]]:
    """By what is used: "property gap", "element video", "unit vh", "function var"."""
    found: dict[str, list[Feature]] = {}
    for slug, (title, keys, letters) in _data()["features"].items():
        support = dict(zip(_data()["clients"], letters, strict=True))
        for key in keys:
            found.setdefault(key, []).append(Feature(slug, title, support))
    return found


def tested() -> str:
    """Whose data it is, and of which day: "caniemail.com, 2026-05-13"."""
    return f"{_data()['source'].partition('www.')[2]}, {_data()['date']}"


def chosen(names: Sequence[str]) -> list[str]:
    """The clients of families and of single ones: "gmail", "outlook.windows".

    Raises ConfigError for a name that is neither.
    """
    clients: Sequence[str] = _data()["clients"]
    families: Mapping[str, str] = _data()["families"]
    for name in names:
        if name not in clients and name not in families:
            near = nearest(name, [*families, *clients]) or f"; there are {', '.join(families)}"
            raise ConfigError(f"there is no mail client {name!r}{near}")
    return [
        client
        for client in clients
        if client in names or (client.partition(".")[0] in names and client not in _RARE)
    ]


def spoken(clients: Sequence[str]) -> str:
    """Clients in words: a family's name alone where all of its clients are meant."""
    return _joined(list(_families(clients)))


def _families(clients: Sequence[str]) -> Iterator[str]:
    for family, name in _data()["families"].items():
        found = [client for client in clients if client.startswith(f"{family}.")]
        platforms = [_data()["platforms"][client.partition(".")[2]] for client in found]
        if found:
            is_whole = {*found} >= {*chosen([family])}
            yield name if is_whole else f"{name} ({', '.join(platforms)})"


def _joined(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
