"""One recipient, and the user in it checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from vero_deliver.decode import check
from vero_deliver.errors import ConfigError
from vero_deliver.plain import KeyPath, Problem, Where, kind_of, listed
from vero_deliver.user import User


@dataclass(frozen=True, slots=True)
class Recipient:
    """A user and what a message needs to know besides.

    label: a sample's file name without ending, else the user's email or id, else "#3".
    row: its place in the file or stream, from 1; 0 for one that comes from neither.
    """

    user: User
    data: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    event: Mapping[str, Any] = field(default_factory=dict)
    row: int = field(default=0, compare=False)


def user_of(flat: Any, at: KeyPath, where: Where) -> User:
    """The user of a flat mapping. Raises ConfigError naming every wrong field."""
    if not isinstance(flat, Mapping):
        fail([Problem(at, f"expected an object, got {kind_of(flat)}")], where)
    fields = {name: flat[name] for name in User.__struct_fields__ if flat.get(name) is not None}
    if type(fields.get("id")) is int:
        fields["id"] = str(fields["id"])
    problems = check(User, fields, at)
    if problems:
        fail(problems, where)
    return User.from_dict(flat)


def fail(problems: list[Problem], where: Where) -> NoReturn:
    """Raise one ConfigError for all of them."""
    detail, place = listed(problems, where)
    raise ConfigError(f"{place}: {detail}")
