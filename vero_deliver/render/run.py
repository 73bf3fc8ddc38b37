"""What one rendering run knows besides its variables: language, formats and what is left to spend.

Filters and translations read it from a context variable, so that compiled templates can be
shared by all users whatever their locale.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Protocol


class Catalog(Protocol):
    """A gettext catalog: gettext.NullTranslations and its children."""

    def gettext(self, message: str, /) -> str: ...
    def ngettext(self, singular: str, plural: str, n: int, /) -> str: ...
    def pgettext(self, context: str, message: str, /) -> str: ...
    def npgettext(self, context: str, singular: str, plural: str, n: int, /) -> str: ...


@dataclass(slots=True)
class Run:
    """One message, one user.

    language: the message's language that was chosen. locale: what numbers and dates follow.
    formats: format_date, money and so on, bound to locale and timezone.
    steps: how many more range() items templates may ask for.
    preheader: what compiled bodies print as the preheader.
    shows_file: whether a value was an address of an attachment, `cid:`.
    refused: markup that no value may bring in, since a body that was compiled once has no engine
    left that would read it.
    """

    language: str
    locale: str
    timezone: tzinfo
    catalog: Catalog
    formats: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    steps: int = 1_000_000
    preheader: str = ""
    shows_file: bool = False
    refused: re.Pattern[str] | None = None


class Inexact(Exception):  # no error: the plain way is taken
    """What a compiled body was asked to print needs the engines."""


_current: ContextVar[Run] = ContextVar("vero_deliver_run")


def current() -> Run:
    """The run that is going on. Raises LookupError outside of one."""
    return _current.get()


class running:  # noqa: N801  # reads as a verb where it is used
    """Make `run` the current one for the length of the block."""

    __slots__ = ("_run", "_token")

    def __init__(self, run: Run) -> None:
        self._run = run

    def __enter__(self) -> Run:
        self._token = _current.set(self._run)
        return self._run

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
