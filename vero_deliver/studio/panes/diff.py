"""What one recipient gets beside what another gets, as unified diffs of each content."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from vero_deliver.errors import RenderError
from vero_deliver.rendered import Rendered, RenderedEmail, Skipped, document
from vero_deliver.studio.look import Look
from vero_deliver.studio.made import Made
from vero_deliver.studio.panes.source import fields
from vero_deliver.studio.people import chosen

_MOST: Final = 400  # lines of one part
_BETWEEN: Final = re.compile(r">\s*<")
_ITS_OWN: Final = ("html", "text", "attachments", "at")  # shown elsewhere, or not at all


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff. sign: "+", "-", "@" or " "."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a content and where it differs; no lines where it is the same."""

    title: str
    lines: tuple[Line, ...]
    longer: bool


def diff(look: Look, made: Made) -> Mapping[str, Any]:
    """This person's message against that of another one; of the next, where nobody was chosen."""
    others = [person for person in look.everybody if person.id != made.person.id]
    if not others:
        return {"others": []}
    other = chosen(others, look.state.other) or others[0]
    theirs = look.reading.made(look.message, other, made.at, look.state.source)
    return {"others": others, "other": other, "sections": list(sections(made, theirs))}


def sections(ours: Made, theirs: Made) -> Iterator[Section]:
    """Every part that one of the two has."""
    left, right = dict(_parts(ours)), dict(_parts(theirs))
    for title in dict.fromkeys((*left, *right)):
        a, b = left.get(title, []), right.get(title, [])
        found = list(islice(_lines(a, b), _MOST + 1))
        yield Section(title, tuple(found[:_MOST]), len(found) > _MOST)


def _lines(a: list[str], b: list[str]) -> Iterator[Line]:
    for line in islice(difflib.unified_diff(a, b, n=2, lineterm=""), 2, None):
        sign = line[:1] if line[:1] in "+-@" else " "
        yield Line(sign, line if sign == "@" else line[1:])


def _parts(made: Made) -> Iterator[tuple[str, list[str]]]:
    count: dict[str, int] = {}
    for item in made.items:
        count[item.content] = count.get(item.content, 0) + 1
        name = {"sms": "SMS", "http": "HTTP"}.get(item.content, item.content.capitalize())
        name = name if count[item.content] == 1 else f"{name} {count[item.content]}"
        match item.outcome:
            case Skipped(reason=reason):
                yield name, [f"skipped: {reason}"]
            case RenderError() as error:
                yield name, str(error).splitlines()
            case RenderedEmail() as email:
                yield f"{name}: header fields", [f"{n}: {v}" for n, v, _ in fields(item.raw)]
                yield f"{name}: text", email.text.splitlines()
                yield f"{name}: HTML", _BETWEEN.sub(">\n<", email.html).splitlines()
            case rendered:
                yield name, _written(rendered)


def _written(rendered: Rendered) -> list[str]:
    shown = {name: value for name, value in document(rendered).items() if name not in _ITS_OWN}
    return json.dumps(shown, ensure_ascii=False, indent=2, default=str).splitlines()
