"""A [data] table taken apart, for those who write it down in another language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vero_deliver.data import is_typed


@dataclass(frozen=True, slots=True)
class Declared:
    """One value that senders pass: of a named type, an object of members, or a list of an element.

    optional: whether it may be left out. default: what it is then, where its own declaration says.
    """

    type: str = ""
    members: Mapping[str, Declared] = field(default_factory=dict)
    element: Declared | None = None
    optional: bool = False
    default: Any = None


def taken_apart(declaration: Any) -> Declared:
    """One declaration that check_declaration has passed."""
    if isinstance(declaration, str):
        return Declared(type=declaration)
    if is_typed(declaration):
        default = declaration.get("default")
        return Declared(declaration["type"], optional="default" in declaration, default=default)
    if isinstance(declaration, Mapping):
        members = {str(name): taken_apart(value) for name, value in declaration.items()}
        optional = bool(members) and all(member.optional for member in members.values())
        return Declared(members=members, optional=optional)
    return Declared(element=taken_apart(declaration[0]))
