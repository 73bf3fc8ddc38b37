"""vero-deliver suppress."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from vero_deliver.cli import options
from vero_deliver.cli.printing import as_json as json_text
from vero_deliver.cli.session import Session
from vero_deliver.cli.terminal import harmless
from vero_deliver.rendered import ContentName
from vero_deliver.suppression import REASONS, Reason

if TYPE_CHECKING:
    from vero_deliver.suppression import Suppression

_NONE = 1

_content = click.option(
    "-c",
    "--content",
    type=click.Choice(get_args(ContentName)),
    help="What goes there; by itself it is told from the address: email or sms.",
)


@click.group("suppress")
def command() -> None:
    """Addresses that must not be sent to: list, add, remove, import.

    Bounces, complaints and unsubscriptions come here by themselves.
    """


@command.command("list")
@click.argument("address", required=False, default="")
@_content
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    type=click.Choice(REASONS),
    help="Only those for this reason. Repeatable.",
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
@click.pass_context
def list_(
    ctx: click.Context,
    address: str,
    content: ContentName | None,
    reasons: Sequence[Reason],
    limit: int,
    as_json: bool,
) -> None:
    """List what is suppressed, the latest first; or what holds against one ADDRESS.

    \b
      vero-deliver suppress list --reason complained
      vero-deliver suppress list ada@example.com

    Exits 1 where nothing holds against the address.
    """
    session: Session = ctx.obj
    suppressions = session.outbox.suppressions
    if address:
        found = suppressions.find(content or _guessed(address), address)
        found = [one for one in found if not reasons or one.reason in reasons]
    else:
        contents: list[ContentName] = [content] if content else []
        found = suppressions.list(contents=contents, reasons=reasons, limit=limit)
    if as_json:
        click.echo(json_text([_document(one) for one in found]), nl=False)
    for one in () if as_json else found:
        click.echo(harmless(_line(one)))
    if address and not found:
        session.say(f"{address}: may be sent to")
        ctx.exit(_NONE)


@command.command("add")
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@_content
@click.option(
    "--reason",
    type=click.Choice(REASONS),
    default="manual",
    show_default=True,
    help="What it forbids depends on it.",
)
@click.option("--topic", default="", help="Unsubscribe from this topic only.")
@click.option("--note", default="", help="Words for whoever looks it up.")
@click.pass_obj
def add(
    session: Session,
    addresses: Sequence[str],
    content: ContentName | None,
    reason: Reason,
    topic: str,
    note: str,
) -> None:
    """Send nothing to these addresses from now on.

    \b
      vero-deliver suppress add ada@example.com --note "asked by phone"
      vero-deliver suppress add +420601000001 --reason unsubscribed
    """
    from vero_deliver.outbox.suppressed import suppression

    if topic and reason == "manual":
        reason = "unsubscribed"
    contents: list[ContentName] = [content or _guessed(address) for address in addresses]
    try:
        for its, address in zip(contents, addresses, strict=True):
            suppression(its, address, reason, topic=topic)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    for its, address in zip(contents, addresses, strict=True):
        session.outbox.suppressions.add(its, address, reason, topic=topic, note=note, source="cli")
        session.say(f"{address}: suppressed, {reason}")


@command.command("remove")
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@_content
@click.option(
    "--reason",
    "reasons",
    multiple=True,
    type=click.Choice(REASONS),
    help="Lift this reason only. Repeatable.",
)
@click.pass_context
def remove(
    ctx: click.Context,
    addresses: Sequence[str],
    content: ContentName | None,
    reasons: Sequence[Reason],
) -> None:
    """Send to these addresses again.

    A bounce or complaint that is told later suppresses them anew.

    Exits 1 where nothing held against one of them.
    """
    session: Session = ctx.obj
    failed = False
    for address in addresses:
        wanted = reasons or REASONS
        held = session.outbox.suppressions.remove(content or _guessed(address), address, wanted)
        failed = failed or not held
        words = ", ".join(str(one) for one in held)
        session.say(f"{address}: " + (f"lifted: {words}" if held else "nothing held against it"))
    if failed:
        ctx.exit(_NONE)


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--reason",
    type=click.Choice(REASONS),
    default="manual",
    show_default=True,
    help="Of the lines that do not say one of these.",
)
@click.option("--source", default="", help="Where the list is from; the file's name if left out.")
@click.option("--dry-run", is_flag=True, help="Read the list, and import nothing.")
@click.pass_obj
def import_(session: Session, file: Path, reason: Reason, source: str, dry_run: bool) -> None:
    """Import a list: one address a line, or CSV as providers export it.

    Columns: email, address, phone or token; reason, topic, since, note. A list with a bad line is
    not imported at all.

    \b
      vero-deliver suppress import bounces.csv --reason bounced
    """
    from vero_deliver.audience.addresses import read_addresses
    from vero_deliver.outbox.suppressed import suppression
    from vero_deliver.reading import ReadError

    try:
        made = [
            suppression(
                line.content,
                line.address,
                line.reason or ("unsubscribed" if line.topic else reason),
                topic=line.topic,
                since=line.since,
                source=source or file.name,
                note=line.note,
            )
            for line in read_addresses(file)
        ]
    except (ReadError, ValueError) as error:
        raise click.UsageError(str(error)) from None
    if not dry_run:
        session.outbox.suppressions.add_many(made)
    session.say(f"{len(made)} addresses " + ("would be suppressed" if dry_run else "suppressed"))


def _guessed(address: str) -> ContentName:
    if "@" in address:
        return "email"
    if address.startswith("+"):
        return "sms"
    raise click.UsageError(
        f"{address[:80]!r}: an email address or a number like +447700900123? Say --content"
    )


def _line(one: Suppression) -> str:
    who = one.address or f"{one.content} {one.digest}"
    about = f" from {one.topic}" if one.topic else ""
    words = " ".join(filter(None, (f"({one.source})" * bool(one.source), one.note)))
    return f"{one.since:%Y-%m-%d %H:%M}  {one.reason + about:<12}  {who}  {words}".rstrip()


def _document(one: Suppression) -> dict[str, object]:
    return {
        "content": one.content,
        "address": one.address,
        "digest": one.digest,
        "reason": one.reason,
        "topic": one.topic,
        "since": one.since.isoformat(),
        "source": one.source,
        "note": one.note,
    }
