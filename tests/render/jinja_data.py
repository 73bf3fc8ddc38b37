"""What the templates of jinja_cases.py see: plain values, and all that is nearly plain."""

from __future__ import annotations

from collections import OrderedDict, UserDict, defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from markupsafe import Markup


class Thing:
    """An object with what templates meet: properties, methods, secrets, errors."""

    name, items, _secret = "thing & co", "own items", "hidden"

    @property
    def broken(self) -> str:
        raise ValueError("broken property")

    @property
    def gone(self) -> str:
        raise AttributeError("gone")

    def greet(self, who: str = "you") -> str:
        return f"<hi {who}>"

    def __getitem__(self, key: str) -> str:
        return f"item {key}"

    def __repr__(self) -> str:
        return "<Thing>"


class Html:
    """An object that is HTML."""

    def __repr__(self) -> str:
        return "<Html>"

    def __html__(self) -> str:
        return "<b>html</b>"


class Word(str):
    """A str that is not exactly one."""

    def __str__(self) -> str:
        return "word!"


class Count(int):
    def __str__(self) -> str:
        return "counted"

    def __mul__(self, other: Any) -> str:  # type: ignore[override]
        return f"times {other}"


class Pair(NamedTuple):
    left: int
    right: str


class Spelled(dict[str, Any]):
    """A dict that answers for what it does not hold."""

    def __missing__(self, key: str) -> str:
        return f"missing {key}"


def asks(values: list[Any]) -> Iterator[Any]:
    """An iterator that ends with an AttributeError."""
    yield from values
    raise AttributeError("no more")


def data() -> dict[str, Any]:
    """Fresh each time: iterators are used up."""
    tree = [
        {"name": "a", "children": [{"name": "b", "children": []}, {"name": "c", "children": []}]},
        {"name": "d<", "children": []},
    ]
    return {
        "user": {
            "name": "Ada <b> & 'co'", "vip": True, "items": [1, 2], "address": {"city": "Brno"},
        },
        "items": [
            {"name": f"n{n}&", "qty": n, "price": n * 1.5, "tags": ["x", "y"][:n]} for n in range(4)
        ],
        "xs": [3, 1, 2], "ys": ["b", "a", "<c>"], "empty": [], "pairs": [(1, "a"), (2, "b")],
        "x": 7, "f": 2.5, "neg": -3, "zero": 0, "big": 2**3000, "huge": 10**5000, "yes": True,
        "inf": float("inf"), "nan": float("nan"), "tiny": 1e-9, "dec": Decimal("3.10"),
        "s": "a <b> & \"c\" 'd'", "line": "one\ntwo",
        "control": "a\x00b\x85c", "space": "1\xa0234\u202f5",
        "high": "\ud83d", "low": "\ude00", "m": Markup("<i>safe</i>"), "none": None, "html": Html(),
        "thing": Thing(), "word": Word("plain"), "count": Count(4), "pair": Pair(1, "r"),
        "day": date(2024, 2, 29), "spelled": Spelled(a=1), "dd": defaultdict(list, a=[1]),
        "proxy": MappingProxyType({"a": 1, "items": 2}), "udict": UserDict({"a": "u", "keys": "k"}),
        "odict": OrderedDict(b=1, a=2),
        "keyed": {1: "one", "1": "text one", None: "nothing", "": "empty"},
        "tree": tree, "letters": "abc", "gen": iter([1, 2, 3]), "asks": asks([1, 2]), "set1": {5},
        "nested": [[1, 2], [3]], "call": lambda *a, **k: f"{a}{sorted(k.items())}",
        "raw": b"bytes <",
        "cond": "x > 1", "name_of": "name", "template": "shown.txt", "long": "é" * 60,
    }  # fmt: skip
