"""vero-deliver delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, get_args

import click

from vero_deliver.cli import options
from vero_deliver.cli.printing import as_json as json_text
from vero_deliver.cli.session import Session
from vero_deliver.cli.terminal import harmless
from vero_deliver.config import OutboxTable, length
from vero_deliver.states import State

if TYPE_CHECKING:
    from vero_deliver.outbox.records import Attempt, Record

_NOT_THERE = 1

keys_argument = click.argument("keys", metavar="KEY...", nargs=-1, required=True)


@click.group("delivery")
def command() -> None:
    """What became of deliveries, and what a person decides about them."""


@command.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    metavar="STATE",
    type=click.Choice(get_args(State)),
    help="Only those in this state. Repeatable.",
)
@click.option(
    "--user", metavar="WHO", default="", help="Only this user's: id, else email or phone."
)
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="At most so many.",
)
@options.json_option
@click.pass_obj
def list_(session: Session, states: Sequence[State], user: str, limit: int, as_json: bool) -> None:
    """List deliveries, the newest first.

    \b
      vero-deliver delivery list --state uncertain
      vero-deliver delivery list --user ada@example.com
    """
    outbox = session.outbox
    found = outbox.search(states=states, user_id=user, limit=limit)
    if as_json:
        click.echo(json_text([_document(record) for record in found]), nl=False)
        return
    for record in found:
        click.echo(harmless(_line(record)))
    counts = ", ".join(f"{number} {state}" for state, number in sorted(outbox.count().items()))
    session.say(f"In the outbox: {counts or 'nothing'}")


@command.command("show")
@click.argument("key")
@options.json_option
@click.pass_context
def show(ctx: click.Context, key: str, as_json: bool) -> None:
    """Tell the whole story of one delivery.

    KEY is the delivery's, or the key of a send: then of all its deliveries.

    Exits 1 where there is none.
    """
    session: Session = ctx.obj
    outbox = session.outbox
    own = outbox.get(key)
    found = [own] if own else sorted(outbox.search(send_key=key), key=lambda one: one.key)
    stories = [(record, outbox.attempts(record.key)) for record in found]
    if as_json:
        documents = [
            {**_document(record), "attempts": [_told(one) for one in attempts]}
            for record, attempts in stories
        ]
        click.echo(json_text(documents), nl=False)
    for record, attempts in [] if as_json else stories:
        for line in _story(record, attempts):
            click.echo(harmless(line))
    if not stories:
        session.say(f"The outbox of {session.env} has no delivery {key!r}.")
        ctx.exit(_NOT_THERE)


@command.command("retry")
@keys_argument
@click.pass_context
def retry(ctx: click.Context, keys: Sequence[str]) -> None:
    """Queue deliveries again that ended without being accepted.

    One that is uncertain may arrive twice: look for it first.

    Exits 1 where one cannot be.
    """
    session: Session = ctx.obj
    outbox, table = session.outbox, session.loaded.settings.outbox or OutboxTable()
    _each(ctx, keys, lambda key: outbox.retry(key, length(table.expires)), "queued")


@command.command("cancel")
@keys_argument
@click.pass_context
def cancel(ctx: click.Context, keys: Sequence[str]) -> None:
    """Call off deliveries that have not been sent.

    An uncertain one is settled by it: it is not sent again.

    Exits 1 where one cannot be.
    """
    session: Session = ctx.obj
    _each(ctx, keys, session.outbox.cancel, "cancelled")


def _each(ctx: click.Context, keys: Sequence[str], act: Callable[[str], bool], done: str) -> None:
    session: Session = ctx.obj
    failed = False
    for key in keys:
        if act(key):
            session.say(f"{key}: {done}")
            continue
        failed = True
        record = session.outbox.get(key)
        state = f"it is {record.state}" if record else "there is no such delivery"
        click.echo(harmless(f"{key}: not {done}: {state}"), err=True)
    if failed:
        ctx.exit(_NOT_THERE)


def _line(record: Record) -> str:
    words = f": {record.error}" if record.error else ""
    when = _at(record.updated_at)
    return f"{when}  {record.state:<10}  {record.key} to {record.user_id or '(erased)'}{words}"


def _story(record: Record, attempts: Sequence[Attempt]) -> list[str]:
    lines = [
        f"{record.key}: {record.state}",
        f"  {record.content} of {record.message_id or 'a message'} {record.message_version} "
        f"({record.kind}) to {record.user_id or '(erased)'}",
        f"  {_at(record.created_at)}  recorded; to be accepted by {_at(record.expires_at)}",
    ]
    for one in attempts:
        words = " ".join(
            filter(None, (one.provider_id, one.error, f"[{one.code}]" * bool(one.code)))
        )
        lines.append(f"  {_at(one.started_at)}  attempt {one.number} over {one.channel}")
        lines.append(f"  {_at(one.ended_at)}  {one.state}" + (f": {words}" if words else ""))
    if record.lease_until:
        lines.append(f"  leased by {record.leased_by} until {_at(record.lease_until)}")
    if record.next_attempt_at:
        lines.append(f"  next attempt {_at(record.next_attempt_at)}")
    if record.in_doubt:
        lines.append("  it may have arrived")
    if record.error and not attempts:
        lines.append(f"  {record.error}")
    if record.digest:
        lines.append(f"  rendered bytes: sha256 {record.digest}")
    return lines


def _document(record: Record) -> dict[str, object]:
    return {name: _plain(value) for name, value in asdict(record).items()}


def _told(attempt: Attempt) -> dict[str, object]:
    return {name: _plain(value) for name, value in asdict(attempt).items()}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _at(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="milliseconds")
