"""Whom a command is about: samples, a file, stdin, or one address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
import msgspec

from vero_deliver.audience import Recipient, read_recipients, samples, select
from vero_deliver.errors import ConfigError
from vero_deliver.message import Message
from vero_deliver.project import Project
from vero_deliver.render import About
from vero_deliver.user import User


def for_showing(
    project: Project, message: Message, to: str | None, data: str | None, *, every: bool = False
) -> list[Recipient]:
    """Samples or the source's users: those that `to` picks, all, or the first."""
    folder = project.folder(message.id)
    found = list(read(data, message) if data else samples(folder, declared=message.data))
    if not found:
        raise ConfigError(
            f"{data} holds nobody"
            if data
            else f"{message.id} has no samples: write {message.id}/samples/ada.json, or pass --data"
        )
    if to:
        return select(found, to)
    return found if every else found[:1]


def for_sending(message: Message, to: str | None, data: str | None) -> Iterable[Recipient]:
    """Whom to send to. Samples are never among them."""
    if data is None and to is None:
        raise click.UsageError("say whom to send to: --to ada@example.com, or --data users.csv")
    if data is None:
        return [_address(to or "")]
    if to is None:
        return read(data, message)
    found = list(read(data, message))
    if "@" in to and len(found) == 1 and not found[0].user.email:
        user = msgspec.structs.replace(found[0].user, email=to)
        return [replace(found[0], user=user)]  # the file holds data only
    return select(found, to)


def about(who: Recipient, key: str, now: datetime | None) -> About:
    """What a rendering for this recipient is about."""
    given = About(data=who.data, event=who.event, key=key, who=who.label)
    return {**given, "now": now} if now else given


def read(data: str, message: Message) -> Iterable[Recipient]:
    """The users of a file, or of stdin for `-`."""
    return read_recipients(data if data == "-" else Path(data), declared=message.data)


def _address(to: str) -> Recipient:
    if "@" not in to:
        raise click.UsageError(f"--to {to!r} is no address; to pick from a file, pass --data too")
    return Recipient(user=User(email=to), data={}, label=to, event={})
