"""What one recipient gets beside another, or beside what a revision of git would send them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from vero_deliver.deliver import Deliverer
from vero_deliver.diff import Difference, Outcome, at_revision, compare
from vero_deliver.errors import VeroDeliverError
from vero_deliver.mime import Domains
from vero_deliver.rendered import ContentName
from vero_deliver.studio.look import Look
from vero_deliver.studio.made import Made, make
from vero_deliver.studio.people import chosen

_MOST: Final = 400  # lines of one field


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a diff. sign: "+", "-", "@" or " "."""

    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """One field that differs; longer: there are more lines than these."""

    title: str
    lines: tuple[Line, ...]
    longer: bool


def diff(look: Look, made: Made) -> Mapping[str, Any]:
    """Against a revision where one was written, else another person, else the next one."""
    others = [person for person in look.everybody if person.id != made.person.id]
    facts: dict[str, Any] = {"others": others, "other": None, "sections": [], "wrong": ""}
    if look.state.rev:
        try:
            before = _at(look, made)
        except VeroDeliverError as error:
            return {**facts, "wrong": str(error)}
        return {**facts, "sections": sections(before, _outcomes(made))}
    if not others:
        return facts
    other = chosen(others, look.state.other) or others[0]
    theirs = look.reading.made(look.message, other, made.at, look.state.source)
    return {**facts, "other": other, "sections": sections(_outcomes(made), _outcomes(theirs))}


def _at(look: Look, made: Made) -> dict[ContentName, Outcome]:
    """What the revision's message makes for the same person, data and moment."""

    def render() -> dict[ContentName, Outcome]:
        with at_revision(look.reading.project, look.state.rev) as earlier:
            if look.message.id not in earlier.message_ids():
                return {}
            message = earlier.message(look.message.id)
            deliverer = Deliverer(earlier.renderer())
            return _outcomes(make(deliverer, message, made.person, made.at, Domains()))

    name = ("revision", look.state.rev, look.message.id, look.state.source, made.person.id, made.at)
    return look.reading.once(name, render)


def sections(
    before: Mapping[ContentName, Outcome], after: Mapping[ContentName, Outcome]
) -> list[Section]:
    """Each field that differs."""
    return [_section(difference) for difference in compare(before, after)]


def _section(difference: Difference) -> Section:
    found = list(islice(_lines(difference), _MOST + 1))
    content = {"sms": "SMS", "http": "HTTP"}.get(
        difference.content, difference.content.capitalize()
    )
    name = {"html": "HTML"}.get(difference.field, difference.field)
    return Section(f"{content}: {name}", tuple(found[:_MOST]), len(found) > _MOST)


def _lines(difference: Difference) -> Iterator[Line]:
    for line in islice(difference.unified().splitlines(), 2, None):
        sign = line[:1] if line[:1] in "+-@" else " "
        yield Line(sign, line if sign == "@" else line[1:])


def _outcomes(made: Made) -> dict[ContentName, Outcome]:
    """The first delivery of each content: devices get the same push."""
    found: dict[ContentName, Outcome] = {}
    for item in made.items:
        found.setdefault(item.content, item.outcome)
    return found
