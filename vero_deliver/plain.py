"""Plain values (dicts, lists, text, numbers, dates) and how errors speak of them."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Literal

KeyPath = tuple[str | int, ...]
Where = Callable[[KeyPath], str]

MAX_DIGITS = 1_000  # of a number: Decimal("1e999999999") is short until it is written out
DEEPEST = 100  # levels of a document; well below Python's limit of recursion
_SHOWN = 20  # problems in one error; the rest are counted
_BARE = re.compile(r"[A-Za-z0-9_$-]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORDS: tuple[tuple[type, str], ...] = (
    (bool, "a boolean"),
    (int, "an integer"),
    (float, "a number"),
    (str, "a string"),
    (bytes, "bytes"),
    (datetime, "a date and time"),
    (date, "a date"),
    (time, "a time"),
    (Mapping, "an object"),
    (list, "a list"),
    (tuple, "a list"),
    (type(None), "null"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and the key it is wrong at."""

    path: KeyPath
    text: str

    def __str__(self) -> str:
        return f"{dotted(self.path)}: {self.text}" if self.path else self.text


def nowhere(_path: KeyPath) -> str:
    """The place of every key of a document made in Python."""
    return ""


def dotted(path: KeyPath) -> str:
    """`email.to[1]`; names that need quotes get them."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else quoted(part))
    return text


def quoted(text: str) -> str:
    """The text in quotes on one line, printable and not too long."""
    text = str(text)
    return ascii_safe(repr(text if len(text) <= 60 else text[:59] + "…"))


def ascii_safe(text: str) -> str:
    """The text with what UTF-8 cannot encode escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def kind_of(value: object) -> str:
    """What a value is, in plain words: `an integer`."""
    for kind, words in _WORDS:
        if isinstance(value, kind):
            return words
    return f"a {type(value).__name__}"


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'subject'?`, or empty where no known name is near."""
    near = difflib.get_close_matches(word[:60], list(known), n=1, cutoff=0.6)
    return f"; did you mean {quoted(near[0])}?" if near else ""


def refuse_unknown(given: Iterable[str], known: Iterable[str], what: str) -> None:
    """TypeError for a keyword argument that nobody knows: type checkers are not always run."""
    names = list(known)
    for name in given:
        if name not in names:
            hint = nearest(name, names) or f"; known are {', '.join(names)}"
            raise TypeError(f"{what} has no argument {name!r}{hint}")


def listed(problems: Iterable[Problem], where: Where = nowhere) -> tuple[str, str]:
    """(detail, where) of one error for all of them, a line each; where is the first one's."""
    first, *others = problems
    rows = [str(first)]
    for problem in others[: _SHOWN - 1]:
        place = where(problem.path)
        rows.append(f"{place}: {problem}" if place else str(problem))
    if len(others) >= _SHOWN:
        rows.append(f"and {len(others) - _SHOWN + 1} more")
    return "\n".join(rows), where(first.path)


def unwritable(
    value: object, language: Literal["JSON", "TOML"], path: KeyPath = ()
) -> Iterator[Problem]:
    """What the language has no way to write: null and bytes in TOML, dates and NaN in JSON."""
    if len(path) > DEEPEST:
        yield Problem(path[:3], "nested too deeply")
        return
    match value:
        case str():
            if _SURROGATE.search(value):
                yield Problem(path, "holds half a surrogate pair, which is no Unicode text")
        case Mapping():
            for key, member in value.items():
                if isinstance(key, str):
                    yield from unwritable(key, language, (*path, key))
                    yield from unwritable(member, language, (*path, key))
                else:
                    yield Problem(path, f"a key is {kind_of(key)}, not a string")
        case list() | tuple():
            for index, member in enumerate(value):
                yield from unwritable(member, language, (*path, index))
        case _ if not _is_scalar(value, language):
            hint = "; write it as a string" if value is not None else ""
            yield Problem(path, f"{language} has no {_bare_kind(value)}{hint}")


def _is_scalar(value: object, language: str) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return value.bit_length() < 14_000  # Python writes and reads at most 4300 digits
    extra = (date, time) if language == "TOML" else (type(None),)
    return isinstance(value, extra)


def _bare_kind(value: object) -> str:
    if isinstance(value, float):
        return str(value)
    return re.sub(r"^an? ", "", kind_of(value))
