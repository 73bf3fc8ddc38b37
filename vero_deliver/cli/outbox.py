"""vero-deliver outbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from vero_deliver.cli.session import Session


@click.group("outbox")
def command() -> None:
    """The tables of the outbox: make them, erase users, forget the old."""


@command.command("create")
@click.pass_obj
def create(session: Session) -> None:
    """Make the outbox's tables, or bring them up to date.

    Run it once for a new database, and after each upgrade of vero-deliver.
    """
    outbox = session.outbox
    made = outbox.create()
    session.say(f"{outbox}: {'made' if made else 'nothing to do'}")


@command.command("erase")
@click.argument("user")
@click.option("-y", "--yes", is_flag=True, help="Do not ask. Needed when there is no terminal.")
@click.pass_obj
def erase(session: Session, user: str, yes: bool) -> None:
    """Remove what the outbox knows of a user.

    USER is the id; of users without one the email, else the phone. Deliveries that wait are
    cancelled. Keys, states and times stay, so that nothing is sent again.
    """
    _ask(session, f"Erase {user}?", yes=yes)
    count = session.outbox.erase(user)
    session.say(f"{count} deliveries no longer say whose they were.")


@command.command("purge")
@click.option(
    "--days",
    metavar="N",
    type=click.IntRange(1),
    required=True,
    help="Delete what ended more than N days ago.",
)
@click.option("-y", "--yes", is_flag=True, help="Do not ask. Needed when there is no terminal.")
@click.pass_obj
def purge(session: Session, days: int, yes: bool) -> None:
    """Delete deliveries that ended long ago.

    What is uncertain has not ended. A key that is forgotten would be sent again.
    """
    _ask(session, f"Delete what ended more than {days} days ago?", yes=yes)
    count = session.outbox.purge(datetime.now(UTC) - timedelta(days=days))
    session.say(f"{count} deliveries deleted.")


def _ask(session: Session, question: str, *, yes: bool) -> None:
    if yes:
        return
    if not session.has_terminal:
        raise click.UsageError("there is no terminal to ask at: pass --yes")
    click.confirm(question, abort=True, err=True)
