"""Whom a message is shown for: samples, a file that the command named, or a query's users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vero_deliver.audience import Recipient, samples, select
from vero_deliver.message import Message
from vero_deliver.project import Project

MOST: Final = 10_000  # users of one file that are read
SHOWN: Final = 200  # of them in the list at once


@dataclass(frozen=True, slots=True)
class Person:
    """One recipient. id: what the URL and `--to` name them by, unique in their source."""

    id: str
    recipient: Recipient

    @property
    def name(self) -> str:
        """What people call them; the id where nothing else is known."""
        user = self.recipient.user.attributes
        parts = [str(user[part]) for part in ("first_name", "last_name") if user.get(part)]
        return " ".join(parts) or str(user.get("name") or "") or self.recipient.label or self.id

    @property
    def about(self) -> str:
        """Where to reach them, and in which language."""
        user = self.recipient.user
        return " · ".join(filter(None, (user.email or user.phone or user.id, user.locale)))


def people(project: Project, message: Message, source: str | Path | None) -> list[Person]:
    """The first MOST users of the source, in its order. Raises ConfigError with file and line."""
    if source is None:
        found = samples(project.folder(message.id), declared=message.data)
    else:
        found = []
        for recipient in project.recipients(source, declared=message.data):
            found.append(recipient)
            if len(found) == MOST:
                break
    seen: dict[str, int] = {}
    for one in found:
        seen[one.label] = seen.get(one.label, 0) + 1
    return [
        Person(one.label if one.label and seen[one.label] == 1 else f"#{number}", one)
        for number, one in enumerate(found, 1)
    ]


def chosen(everybody: Sequence[Person], to: str) -> Person | None:
    """Whom `to` names: an id, or anything that `--to` takes; the first where it is empty.

    Raises ConfigError where it is nobody.
    """
    if not to:
        return everybody[0] if everybody else None
    for person in everybody:
        if person.id == to:
            return person
    [found, *_] = select([person.recipient for person in everybody], to)
    return next(person for person in everybody if person.recipient is found)


def matching(everybody: Sequence[Person], find: str) -> list[Person]:
    """Those with the text in their id, name, address or locale."""
    wanted = find.casefold().strip()
    return [
        person
        for person in everybody
        if wanted in f"{person.id} {person.name} {person.about}".casefold()
    ]


def worst(everybody: Sequence[Person]) -> list[tuple[str, Person]]:
    """Those that break layouts: the longest name, the least known, the most data, each locale."""
    if len(everybody) < 2:
        return []
    picks = [
        ("Longest name", max(everybody, key=lambda person: len(person.name))),
        ("Emptiest", min(everybody, key=lambda person: _size(person.recipient))),
        ("Most data", max(everybody, key=lambda person: _size(person.recipient))),
    ]
    locales: dict[str, Person] = {}
    for person in everybody:
        locales.setdefault(person.recipient.user.locale or "no locale", person)
    return [*picks, *(sorted(locales.items()) if len(locales) > 1 else [])][:24]


def _size(recipient: Recipient) -> int:
    return _length(recipient.user.to_dict()) + _length(recipient.data) + _length(recipient.event)


def _length(value: Any) -> int:
    """How much there is of a value, roughly what it takes to write."""
    if isinstance(value, dict):
        return sum(_length(each) for each in value.values())
    if isinstance(value, (list, tuple)):
        return sum(_length(each) for each in value)
    return 0 if value is None else len(str(value))
