"""vero-deliver diff."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import datetime
from typing import Final

import click

from vero_deliver.audience import Recipient
from vero_deliver.cli import options, printing
from vero_deliver.cli.contents import contents_of
from vero_deliver.cli.files import file_name, write
from vero_deliver.cli.pictures import Camera, camera, look_options
from vero_deliver.cli.recipients import for_showing
from vero_deliver.cli.session import Session
from vero_deliver.cli.terminal import harmless
from vero_deliver.diff import Asked, Change, Outcome, at_revision, between, since
from vero_deliver.errors import ConfigError
from vero_deliver.message import Message
from vero_deliver.project import Project
from vero_deliver.rendered import ContentName, RenderedEmail, Skipped

_COLORS: Final = {"+": "green", "-": "red", "@": "cyan"}


@click.command("diff")
@click.argument("message", required=False, shell_complete=options.complete_message)
@options.show_to_option
@click.option("--with", "other", metavar="WHO", help="The recipient to compare that one with.")
@click.option(
    "--since",
    "revision",
    metavar="REVISION",
    help="What has changed since a branch, tag or commit of git: every message, every sample.",
)
@options.show_data_option
@options.channel_option
@click.option(
    "-f",
    "--format",
    "fmt",
    type=click.Choice(["text", "png"]),
    default="text",
    show_default=True,
    help="png: emails side by side, with marks where they differ.",
)
@click.option(
    "-o",
    "--out",
    metavar="PATH",
    default="-",
    show_default=True,
    help="For png: a file; or a folder (ending in /, or there already) for one file each.",
)
@look_options
@options.json_option
@options.key_option
@options.now_option
@click.pass_context
def command(
    ctx: click.Context,
    message: str | None,
    to: Sequence[str],
    other: str | None,
    revision: str | None,
    data: str | None,
    channels: Sequence[ContentName],
    fmt: str,
    out: str,
    width: int,
    dark: bool,
    view: str,
    as_json: bool,
    key: str,
    now: datetime | None,
) -> None:
    """Compare two recipients, or two versions of messages.

    \b
      vero-deliver diff order-receipt --to ada --with jana
      vero-deliver diff --since main
      vero-deliver diff order-receipt --since HEAD -f png -o changes/

    Exits 0 when all is the same, 1 when something differs, 2 on wrong usage or settings.
    """
    session: Session = ctx.obj
    if (other is None) == (revision is None):
        raise click.UsageError("say what to compare with: --with jana, or --since main")
    if other is not None and message is None:
        raise click.UsageError(f"say which message to compare for {other}")
    if fmt == "png" and as_json:
        raise click.UsageError("--json is no picture: leave out -f png")
    if fmt == "text" and out != "-":
        raise click.UsageError("-o is for -f png; redirect the text: > changes.diff")
    asked = Asked(channels)
    asked = replace(asked, key=key or asked.key, now=now or asked.now)
    with ExitStack() as stack:
        if other is not None and message is not None:
            changes = iter([_of_two(session.loaded, message, to, other, data, asked)])
        else:
            earlier = stack.enter_context(at_revision(session.loaded, revision or ""))
            changes = _since(session, earlier, revision or "", message, to, data, asked)
        if fmt == "png":
            taken = stack.enter_context(camera(width, dark, view))
            seen, differing = _pictures(session, taken, changes, out)
        elif as_json:
            seen, differing = _json(changes)
        else:
            seen, differing = _text(session, changes)
    if seen != 1 or not differing:
        session.say(f"{differing} of {seen} differ" if differing else "no difference")
    ctx.exit(1 if differing else 0)


def _of_two(
    project: Project, name: str, to: Sequence[str], other: str, data: str | None, asked: Asked
) -> Change:
    message = project.message(name)
    contents_of(message, asked.contents)
    if len(to) > 1:
        raise click.UsageError("--with compares one recipient: give one --to")
    [one] = for_showing(project, message, to, data)[:1]
    [two] = for_showing(project, message, [other], data)[:1]
    return between(project, name, one, two, asked)


def _since(
    session: Session,
    earlier: Project,
    revision: str,
    name: str | None,
    to: Sequence[str],
    data: str | None,
    asked: Asked,
) -> Iterator[Change]:
    project = session.loaded

    def people(source: Project, message: Message) -> Sequence[Recipient]:
        try:
            return for_showing(source, message, to, data, every=True)
        except ConfigError as error:
            if name is not None:
                raise
            session.say(f"{message.id} is left out: {error}")
            return ()

    if name is not None and name not in earlier.message_ids():
        name = project.message(name).id  # a path is as good
    return since(project, earlier, revision, [name] if name else [], people, asked)


def _text(session: Session, changes: Iterable[Change]) -> tuple[int, int]:
    seen = differing = 0
    for change in changes:
        found = change.differences
        seen += 1
        differing += bool(found)
        for difference in found:
            text = difference.unified(change.before, change.after, change.message)
            for line in harmless(text).rstrip("\n").split("\n"):
                is_head = line.startswith(("--- ", "+++ ")) or None
                styled = click.style(line, _COLORS.get(line[:1]), bold=is_head)
                click.echo(styled, color=session.colored)
    return seen, differing


def _json(changes: Iterable[Change]) -> tuple[int, int]:
    found = [
        {
            "message": change.message,
            "before": change.before,
            "after": change.after,
            "differences": [asdict(difference) for difference in change.differences],
        }
        for change in changes
    ]
    click.echo(printing.as_json(found), nl=False)
    return len(found), sum(bool(change["differences"]) for change in found)


def _pictures(
    session: Session, taken: Camera, changes: Iterable[Change], out: str
) -> tuple[int, int]:
    """Only emails have any; those that differ where nobody sees it have none."""
    if out == "-" and sys.stdout.isatty():
        raise click.UsageError("a terminal shows no picture: write -o changes/")
    pages: list[tuple[str, bytes]] = []
    seen = 0
    for change in changes:
        sides = [outcomes.get("email") for outcomes in (change.old, change.new)]
        if not any(isinstance(side, RenderedEmail) for side in sides):
            continue
        seen += 1
        before, after = (
            taken.picture(side) if isinstance(side, RenderedEmail) else taken.note(_why(side))
            for side in sides
        )
        if before != after:
            name = f"{file_name(change.message)}.{file_name(change.who)}.png"
            pages.append((name, taken.beside(before, after)))
    if pages:
        write(session, pages, out)
    return seen, len(pages)


def _why(missing: Outcome | None) -> str:
    """What stands in the place of an email that there is not."""
    if missing is None:
        return "There is no such email."
    return missing.reason if isinstance(missing, Skipped) else str(missing)
