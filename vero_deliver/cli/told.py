"""Feedback as people and programs read it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any

import click
import msgspec

from vero_deliver.cli.terminal import harmless
from vero_deliver.feedback import Feedback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vero_deliver.outbox.feedback import Kept


def line(kept: Kept) -> str:
    """When, what, of which delivery; who told it; why."""
    one = kept.feedback
    about = kept.delivery or one.key or "(no delivery)"
    return f"{at(one.at)}  {one.kind:<13}  {about}  {words(one)}"


def words(one: Feedback) -> str:
    """The channel that told it, to whom, and why or where."""
    code = " ".join(filter(None, (str(one.smtp_code or ""), one.enhanced_status)))
    machine = "by a machine" if one.machine else ""
    permanent = {True: "for good", False: "for now", None: ""}[one.permanent]
    code = code if code not in one.diagnostic else ""
    why = (one.url or one.diagnostic or one.text or one.reason, code, permanent, machine, one.topic)
    told = ", ".join(filter(None, why))
    return " ".join(filter(None, (one.channel, one.recipient))) + (f": {told}" if told else "")


def document(kept: Kept) -> dict[str, Any]:
    """All of it, for JSON."""
    return {
        "number": kept.number,
        "received_at": kept.received_at.isoformat(),
        "delivery": kept.delivery,
        "pending": kept.pending,
        **plain(kept.feedback),
    }


def plain(one: Feedback) -> dict[str, Any]:
    """Feedback for JSON."""
    return {**asdict(one), "at": one.at.isoformat()}


def as_line(kept: Kept) -> str:
    """One line of JSON."""
    text = json.dumps(document(kept), ensure_ascii=False, default=str)
    return text.encode("utf-8", "backslashreplace").decode()


def show(kept: Kept, *, as_json: bool) -> None:
    """One line on stdout."""
    click.echo(as_line(kept) if as_json else harmless(line(kept)))


def read_lines(file: IO[bytes], name: str) -> Iterator[Feedback]:
    """Feedback out of lines as `document` makes them. Raises UsageError naming file and line."""
    for number, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            one = msgspec.json.decode(text, type=Feedback)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise click.UsageError(f"{name}:{number}: no feedback: {error}") from None
        if not (one.channel and one.id and one.at.tzinfo):
            raise click.UsageError(f"{name}:{number}: channel, id or the zone of `at` is missing")
        yield one


def at(moment: datetime) -> str:
    """A moment as the lines have it."""
    return moment.isoformat(sep=" ", timespec="milliseconds")
