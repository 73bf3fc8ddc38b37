"""Which of a message's contents are sent to a user, and in which order they are tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, get_args

from vero_deliver.errors import DataError
from vero_deliver.plain import kind_of
from vero_deliver.rendered import ContentName
from vero_deliver.user import User

Choose = Literal["all", "first", "preferred"]
"""all: every content. first: the first that reaches the user. preferred: the same, but those that
the user prefers are tried before the others."""

PREFERRED: Final = "preferred"  # the user's attribute


def check_choice(choose: str) -> None:
    """Raise TypeError where it is none of Choose."""
    if choose not in get_args(Choose):
        named = ", ".join(map(repr, get_args(Choose)))
        raise TypeError(f"choose: expected one of {named}, got {choose!r}")


def in_order(
    contents: Sequence[ContentName], user: User, choose: Choose
) -> tuple[ContentName, ...]:
    """The contents in the order in which they are tried.

    The user's attribute `preferred` is a list of contents, or names apart by commas; what the
    message does not have is passed over. Raises DataError for anything else.
    """
    if choose != "preferred":
        return tuple(contents)
    preferred = user.attributes.get(PREFERRED) or ()
    names = preferred.split(",") if isinstance(preferred, str) else preferred
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        detail = f'expected names of contents, ["push", "email"], not {kind_of(preferred)}'
        raise DataError(detail, where=f"user.{PREFERRED}", who=user.id)
    wanted = [name.strip() for name in names]
    known: dict[str, int] = {name: place for place, name in reversed(list(enumerate(wanted)))}
    return tuple(sorted(contents, key=lambda name: known.get(name, len(wanted))))
