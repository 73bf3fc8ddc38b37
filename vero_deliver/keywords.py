"""Values of vero-deliver.toml against the types of a constructor's keywords."""

from __future__ import annotations

import collections.abc
import types
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

from vero_deliver.plain import kind_of, nearest, quoted
from vero_deliver.secret import Secret

_WORDS: Final[dict[Any, str]] = {
    str: "a string",
    Path: "a path in a string",
    Secret: "a secret",
    int: "an integer",
    float: "a number",
    bool: "true or false",
}
_VALUES: Final[dict[Any, tuple[type, ...]]] = {
    str: (str,), Path: (str,), Secret: (str,), int: (int,), float: (int, float), bool: (bool,),
}  # fmt: skip


def accepts(hint: Any, kind: type) -> bool:
    """True where the annotation is that type, a subtype of it, or a union with one."""
    classes = [get_origin(member) or member for member in _members(hint)]
    return any(isinstance(member, type) and issubclass(member, kind) for member in classes)


def elements(hint: Any) -> Any:
    """The annotation of a sequence's elements, the first in a union; None where there is none."""
    for member in _members(hint):
        if accepts(member, collections.abc.Sequence) and get_args(member):
            return get_args(member)[0]
    return None


def mismatch(value: Any, hint: Any, *, shown: bool = True) -> str:
    """What is wrong with a value for that annotation; empty where it may be right.

    shown: False keeps the value itself out of the text. An annotation beyond strings, numbers,
    booleans and choices is left to the constructor.
    """
    members = [member for member in _members(hint) if member is not type(None)]
    if members and all(get_origin(member) is collections.abc.Callable for member in members):
        return "is a function: it can only be given in Python"
    if any(member not in _WORDS and get_origin(member) is not Literal for member in members):
        return ""
    choices = [str(c) for m in members if get_origin(m) is Literal for c in get_args(m)]
    kinds = [member for member in members if member in _WORDS]
    if value in choices or any(_fits(value, kind) for kind in kinds):
        return ""
    expected = " or ".join([*map(quoted, choices), *dict.fromkeys(_WORDS[kind] for kind in kinds)])
    known = choices and isinstance(value, str) and shown
    got = f"{quoted(value)}{nearest(value, choices)}" if known else kind_of(value)
    return f"expected {expected}, got {got}"


def _fits(value: Any, kind: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, _VALUES[kind])


def _members(hint: Any) -> tuple[Any, ...]:
    """The types of a union, Literals and None among them; any other annotation is its own."""
    if get_origin(hint) in (Union, types.UnionType):
        return tuple(inner for member in get_args(hint) for inner in _members(member))
    return (hint,)
