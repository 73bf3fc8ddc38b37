"""vero-deliver event."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final, TypedDict, TypeVar, Unpack, get_args

import click

from vero_deliver.cli import options, told
from vero_deliver.cli.printing import as_json as json_text
from vero_deliver.cli.session import Session
from vero_deliver.cli.terminal import harmless
from vero_deliver.config import length
from vero_deliver.errors import (
    ConfigError,
    FeedbackError,
    NotAuthentic,
    OutboxError,
    VeroDeliverError,
)
from vero_deliver.feedback import Feedback, Kind

F = TypeVar("F", bound=Callable[..., Any])

TRY_AGAIN: Final = 75  # EX_TEMPFAIL, as a mail server understands it
_FAILED: Final = 1
_AT_ONCE: Final = 500
_POLL: Final = 1.0  # seconds
_OVERLAP: Final = timedelta(seconds=10)


class Since(click.ParamType[datetime]):
    """A moment, or how long ago: 90s, 15m, 2h, 7d."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, str) and value[:-1].isdecimal() and value[-1] in "smhd":
            return datetime.now(UTC) - length(value)
        return options.Moment().convert(value, param, ctx)


class Chosen(TypedDict):
    """What the filters say."""

    kinds: Sequence[Kind]
    key: str
    channel: str
    since: datetime | None


def filters(command: F) -> F:
    """--kind, --key, --channel and --since."""
    for option in (
        click.option(
            "--since",
            type=Since(),
            help="Only what came since: ISO 8601, or 90s, 15m, 2h, 7d ago.",
        ),
        click.option("--channel", metavar="NAME", default="", help="Only what this channel told."),
        click.option(
            "--key", metavar="KEY", default="", help="Only of this delivery, or of this send."
        ),
        click.option(
            "--kind",
            "kinds",
            multiple=True,
            metavar="KIND",
            type=click.Choice(get_args(Kind)),
            help="Only this kind: delivered, opened, bounced ... Repeatable.",
        ),
    ):
        command = option(command)
    return command


lines_option = click.option("--json", "as_json", is_flag=True, help="A JSON object on each line.")


@click.group("event")
def command() -> None:
    """What was told about deliveries: list, follow, replay, read bounces."""


@command.command("list")
@filters
@click.option(
    "--limit",
    metavar="N",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="At most so many, the latest.",
)
@lines_option
@click.pass_obj
def list_(session: Session, limit: int, as_json: bool, **chosen: Unpack[Chosen]) -> None:
    """List feedback in the order in which it came.

    \b
      vero-deliver event list --kind bounced --since 7d
      vero-deliver event list --key order-1001-email --json
    """
    for kept in reversed(session.outbox.feedback.search(limit=limit, **chosen)):
        told.show(kept, as_json=as_json)


@command.command("tail")
@filters
@lines_option
@click.pass_obj
def tail(session: Session, as_json: bool, **chosen: Unpack[Chosen]) -> None:
    """Print feedback as it comes, until interrupted.

    With --since what came before is printed first.
    """
    store = session.outbox.feedback
    since = chosen["since"] or datetime.now(UTC)
    kinds, key, channel = chosen["kinds"], chosen["key"], chosen["channel"]
    seen: dict[int, datetime] = {}
    while True:
        page = (since, 0)
        while kept := store.after(*page, kinds=kinds, key=key, channel=channel):
            for one in kept:
                if one.number not in seen:
                    seen[one.number] = one.received_at
                    told.show(one, as_json=as_json)
            page = (kept[-1].received_at, kept[-1].number)
        # once more what has just come: others may still be writing what came before it
        since = max(since, datetime.now(UTC) - _OVERLAP)
        seen = {number: came for number, came in seen.items() if came >= since}
        time.sleep(_POLL)


@command.command("replay")
@click.argument("file", type=click.File("rb"), required=False)
@filters
@click.pass_obj
def replay(session: Session, file: IO[bytes] | None, **chosen: Unpack[Chosen]) -> None:
    """Match feedback to deliveries once more: that of the outbox, or that of FILE.

    FILE, or - for stdin, has lines as `event list --json` prints them: keep them elsewhere, and an
    outbox that was restored learns what was told since. What is known already changes nothing.
    """
    store = session.outbox.feedback
    if file is None:
        session.say(f"{store.replay(**chosen)} matched with a delivery.")
        return
    if chosen["key"] or chosen["since"]:
        raise click.UsageError("--key and --since choose from the outbox, not from a file")
    read = new = 0
    batch: list[Feedback] = []
    for one in told.read_lines(file, getattr(file, "name", "-")):
        if chosen["kinds"] and one.kind not in chosen["kinds"]:
            continue
        if chosen["channel"] and one.channel != chosen["channel"]:
            continue
        batch.append(one)
        read += 1
        if len(batch) == _AT_ONCE:
            new += len(store.take(batch).new)
            batch.clear()
    new += len(store.take(batch).new)
    session.say(f"{read} read, {new} of them new.")


@command.command("read")
@click.argument(
    "paths",
    metavar="[PATH]...",
    nargs=-1,
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)
@click.option(
    "--channel", metavar="NAME", default="smtp", show_default=True, help="Whose mail came back."
)
@click.option(
    "--recipient",
    metavar="ADDRESS",
    default="",
    help="The address it was delivered to; else headers tell.",
)
@click.option(
    "--unsigned",
    is_flag=True,
    help="Believe mail that names no signed return path. Anybody can write a bounce.",
)
@options.json_option
@click.pass_context
def read(
    ctx: click.Context,
    paths: Sequence[Path],
    channel: str,
    recipient: str,
    unsigned: bool,
    as_json: bool,
) -> None:
    """Read bounces and complaints that came as mail: of files, folders, or one on stdin.

    \b
      vero-deliver event read ~/Maildir       moves what it read from new/ to cur/
      vero-deliver event read bounce.eml
      vero-deliver event read < bounce.eml    from a mail server, as its pipe

    It is believed where it names a return path that a domain of the project has signed.

    Exits 1 where a file was not taken, 75 where it should be given again later.
    """
    session: Session = ctx.obj
    try:
        found, refused = _read(session, paths, channel, recipient, unsigned=unsigned)
    except VeroDeliverError as error:
        if paths and not isinstance(error, OutboxError):
            raise
        click.echo(f"Error: {harmless(str(error))}", err=True)
        ctx.exit(TRY_AGAIN)
    if as_json:
        click.echo(json_text([told.plain(one) for one in found]), nl=False)
    session.say(f"{len(found)} taken.")
    ctx.exit(_FAILED if refused and paths else 0)  # a mail server would send it back


def _read(
    session: Session, paths: Sequence[Path], channel: str, recipient: str, *, unsigned: bool
) -> tuple[list[Feedback], int]:
    """What was taken, and how many mails were not."""
    from vero_deliver.feedback.mail import read_mail
    from vero_deliver.feedback.mailbox import mails

    secrets = session.loaded.return_path_secrets()
    if not secrets and not unsigned:
        raise ConfigError(
            "no [domains.*] has a return_path_secret, so that no bounce can be believed; "
            "write one, or pass --unsigned"
        )
    store = session.outbox.feedback
    found: list[Feedback] = []
    refused = 0
    for mail in mails(paths or [Path("-")]):
        about: Any = {"channel": channel, "recipient": recipient}
        try:
            try:
                its = read_mail(mail.raw, secrets=secrets, **about)
            except NotAuthentic:
                if not unsigned:
                    raise
                its = read_mail(mail.raw, **about)
        except FeedbackError as error:
            refused += 1
            click.echo(harmless(f"{mail.name}: not taken: {error}"), err=True)
        else:
            store.take(its)
            found += its
        mail.done()
    return found, refused
