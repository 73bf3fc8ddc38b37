"""vero-deliver delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, get_args

import click

from vero_deliver.cli import options
from vero_deliver.cli.printing import as_json as json_text
from vero_deliver.cli.session import Session
from vero_deliver.cli.story import Story, plain
from vero_deliver.cli.terminal import harmless
from vero_deliver.cli.told import at
from vero_deliver.config import OutboxTable, length
from vero_deliver.states import State

if TYPE_CHECKING:
    from vero_deliver.outbox.records import Record

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
        click.echo(json_text([plain(record) for record in found]), nl=False)
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

    Attempts, what was told since, and what holds against its recipients. KEY is the delivery's, or
    the key of a send: then of all its deliveries.

    Exits 1 where there is none.
    """
    session: Session = ctx.obj
    outbox = session.outbox
    own = outbox.get(key)
    found = [own] if own else sorted(outbox.search(send_key=key), key=lambda one: one.key)
    stories = [
        Story(
            record,
            outbox.attempts(record.key),
            outbox.feedback.of(record.key),
            outbox.suppressions.against(record.key),
        )
        for record in found
    ]
    if as_json:
        click.echo(json_text([story.document() for story in stories]), nl=False)
    for story in [] if as_json else stories:
        for line in story.lines():
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
    when = at(record.updated_at)
    return f"{when}  {record.state:<10}  {record.key} to {record.user_id or '(erased)'}{words}"
