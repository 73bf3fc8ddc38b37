"""Whom a command is about: samples, a file, stdin, or addresses."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import click
import msgspec

from vero_deliver.audience import Recipient, samples, select
from vero_deliver.errors import ConfigError
from vero_deliver.message import Message
from vero_deliver.mime.address import check_address
from vero_deliver.project import Project
from vero_deliver.reading import display
from vero_deliver.render import About
from vero_deliver.user import User

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
# `email=ada@example.com` is an address to RFC 5322, and to whoever typed it a field
_FIELD: Final = re.compile(r"[A-Za-z_][\w.]*=")


def for_showing(
    project: Project, message: Message, to: Sequence[str], data: str | None, *, every: bool = False
) -> list[Recipient]:
    """Samples or the source's users: those that `to` picks, all, or the first."""
    if data:
        found = _source(project, data, message)
    else:
        found = samples(project.folder(message.id), declared=message.data)
    if not found:
        raise _no_samples(project.folder(message.id), message.id)
    if to:
        return _chosen(found, to)
    return found if every else found[:1]


def for_sending(
    project: Project, message: Message, to: Sequence[str], data: str | None
) -> list[Recipient]:
    """Whom to send to. Samples are never among them."""
    if data is None:
        if not to:
            raise click.UsageError("say whom to send to: --to ada@example.com, or --data users.csv")
        return [Recipient(_user_at(who), label=who) for who in to]
    found = _source(project, data, message)
    return _chosen(found, to) if to else found


def about(who: Recipient, key: str, now: datetime | None) -> About:
    """What a rendering for this recipient is about."""
    given = About(data=who.data, event=who.event, key=key, who=who.label)
    return {**given, "now": now} if now else given


def _source(project: Project, data: str, message: Message) -> list[Recipient]:
    """The users of a file, a query, or stdin for `-`. Raises ConfigError where there are none."""
    if data == "-" and sys.stdin.isatty():
        click.echo("Waiting for JSON lines; Ctrl-D ends them.", err=True)
    found = list(project.recipients(data, declared=message.data))
    if not found:
        raise ConfigError(f"{'standard input' if data == '-' else data} holds nobody")
    return found


def _chosen(found: list[Recipient], to: Sequence[str]) -> list[Recipient]:
    """Those that `to` picks; a single user without an address has each of the addresses."""
    only = found[0].user
    places = [_place_of(who) for who in to]
    if len(found) > 1 or not all(place and not getattr(only, place) for place in places):
        return select(found, *to)
    if len(to) > 1 and (only.id or only.email or only.phone):
        name = only.id or only.email or only.phone
        raise click.UsageError(f"the source holds one user, {name!r}; give one --to")
    return [
        replace(found[0], user=msgspec.structs.replace(only, **{place: who}), label=who)
        for place, who in zip(places, to, strict=True)
    ]


def _place_of(who: str) -> str:
    """The field of a user that it is a value of: "email", "phone" or none."""
    if _E164.fullmatch(who):
        return "phone"
    try:
        return "" if _FIELD.match(who) or not check_address(who) else "email"
    except ValueError:
        return ""


def _user_at(who: str) -> User:
    place = _place_of(who)
    if place:
        return msgspec.structs.replace(User(), **{place: who})
    write = "write ada@example.com or +447700900123"
    if _FIELD.match(who):
        raise click.UsageError(f"--to {who!r} picks from a file: pass --data too, or {write}")
    if who.rstrip().endswith(">"):
        raise click.UsageError(f"--to {who!r}: give the address alone, without name and < >")
    if "@" in who:
        try:
            check_address(who)
        except ValueError as error:
            raise click.UsageError(f"--to {error}") from None
    raise click.UsageError(
        f"--to {who!r} is no address: {write}; to pick from a file, pass --data too"
    )


def _no_samples(folder: Path, name: str) -> ConfigError:
    shown = display(folder)
    strays = [
        entry.name
        for entry in folder.iterdir()
        if entry.is_dir()
        and entry.name not in ("samples", "snapshots")
        and difflib.get_close_matches(entry.name.lower(), ["samples"], cutoff=0.7)
    ]
    if strays:
        return ConfigError(f"{name} has no samples: rename {shown}/{strays[0]}/ to samples/")
    return ConfigError(f"{name} has no samples: write {shown}/samples/ada.json, or pass --data")
