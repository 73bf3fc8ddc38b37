"""A value that never shows: not in a repr, not in an error, not in a log line."""

from __future__ import annotations

from typing import Final


class Secret:
    """Wraps a credential. Only `reveal()` gives it; everything else prints `***`."""

    __slots__ = ("_value", "origin")

    def __init__(self, value: str, origin: str = "") -> None:
        """origin: where it came from, safe to show: "env SMTP_PASSWORD"."""
        self._value: Final = value
        self.origin: Final = origin

    def reveal(self) -> str:
        """The value itself, for the one line that hands it to the provider."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not pickled: it would end up in a file")


def reveal(value: str | Secret) -> str:
    """The text of a credential, however it was given."""
    return value.reveal() if isinstance(value, Secret) else value
