"""vero-deliver check."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NoReturn

import click

from vero_deliver.check import CLIENTS, Options, Report, check
from vero_deliver.check.formats import FORMATS, concise, full, statistics
from vero_deliver.check.rule import known_names, rules
from vero_deliver.cli import options
from vero_deliver.cli.session import Session
from vero_deliver.cli.terminal import harmless
from vero_deliver.errors import VeroDeliverError
from vero_deliver.plain import nearest
from vero_deliver.project import Project

_PAUSE: Final = 0.3  # seconds between two looks at the files


def _names(ctx: click.Context, param: click.Parameter, given: Sequence[str]) -> tuple[str, ...]:
    """Each name of `--select links,vars --select html`."""
    del ctx, param
    return tuple(name.strip() for text in given for name in text.split(",") if name.strip())


@click.command("check")
@click.argument("messages", nargs=-1, shell_complete=options.complete_message)
@click.option(
    "--select",
    metavar="NAMES",
    multiple=True,
    callback=_names,
    help="Only these rules or families: links,vars/missing. Repeatable.",
)
@click.option(
    "--ignore", metavar="NAMES", multiple=True, callback=_names, help="None of these. Repeatable."
)
@click.option(
    "--clients",
    metavar="NAMES",
    multiple=True,
    callback=_names,
    help="Mail clients to compare with: gmail,outlook. Default: [check] clients, else the four "
    "that most people read mail in.",
)
@click.option("--online", is_flag=True, help="Ask the network too: links, images, DNS.")
@click.option("--spam", is_flag=True, help="Ask a spam filter on this machine too.")
@click.option(
    "-f",
    "--format",
    "fmt",
    type=click.Choice(list(FORMATS)),
    default="full",
    show_default=True,
    help="For people: full, concise. For programs: json, github, gitlab, sarif, junit.",
)
@options.json_option
@click.option("--statistics", "counted", is_flag=True, help="Count findings by rule.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    default="warning",
    show_default=True,
    help="The mildest finding that makes the exit code 1.",
)
@click.option("--explain", metavar="RULE", help="Say why a rule, or each of a family, is there.")
@click.option("--watch", is_flag=True, help="Check again whenever a file changes.")
@options.now_option
@click.pass_context
def command(
    ctx: click.Context,
    messages: Sequence[str],
    select: Sequence[str],
    ignore: Sequence[str],
    clients: Sequence[str],
    online: bool,
    spam: bool,
    fmt: str,
    as_json: bool,
    counted: bool,
    fail_on: Literal["error", "warning"],
    explain: str | None,
    watch: bool,
    now: datetime | None,
) -> None:
    """Lint messages with every sample user.

    \b
      vero-deliver check
      vero-deliver check order-receipt --select links,vars
      vero-deliver check --explain email/gmail-clip
      vero-deliver check -f sarif > check.sarif

    Every message and sample, where none is named. Nothing leaves this machine without --online.

    Exits 0 when nothing is found, 1 with findings, 2 where it cannot be run.
    """
    if explain:
        click.echo(_explained(explain), nl=False)
        return
    session: Session = ctx.obj

    def look() -> Report:
        project = session.loaded
        chosen = tuple(clients) or project.settings.check.clients or CLIENTS
        asked = Options(clients=chosen, online=online, spam=spam)
        report = check(project, messages, select=select, ignore=ignore, options=asked, now=now)
        click.echo(_printed(report, "json" if as_json else fmt, counted=counted), nl=False)
        return report

    if watch:
        _watch(session, look)
    ctx.exit(int(look().fails(fail_on)))


def _printed(report: Report, fmt: str, *, counted: bool) -> str:
    if counted:
        return harmless(statistics(report))
    if fmt == "full":
        return full(report, lambda text, colour: click.style(text, colour, bold=True), harmless)
    return harmless(concise(report)) if fmt == "concise" else FORMATS[fmt](report)


def _explained(name: str) -> str:
    found = [rule for rule in rules() if name in (rule.id, rule.family)]
    if not found:
        raise click.UsageError(f"there is no rule {name!r}{nearest(name, known_names())}")
    needs = {"online": " Only with --online.", "spam": " Only with --spam.", "": ""}
    blocks = [
        f"{rule.id} ({rule.severity})\n{click.wrap_text(f'{rule.title}.')}\n\n"
        f"{click.wrap_text(f'{rule.why}{needs[rule.needs]}')}\n"
        for rule in found
    ]
    return "\n".join(blocks)


def _watch(session: Session, look: Callable[[], object]) -> NoReturn:
    """Look again whenever a file of the project changes; ends with Ctrl-C."""
    project, last = session.loaded, None
    while True:
        now = _state(project)
        if now != last:
            last = now
            click.clear()
            vars(session).pop("loaded", None)  # the settings may be what changed
            try:
                look()
                project = session.loaded
            except VeroDeliverError as error:
                session.say(f"Error: {error}")
            session.say("Watching; Ctrl-C ends it.")
        time.sleep(_PAUSE)


def _state(project: Project) -> dict[Path, int]:
    """When each file that a check reads was changed."""
    folders = (project.messages, project.root / project.settings.translations)
    found: dict[Path, int] = {}
    for file in (project.config.file, *(file for folder in folders for file in folder.rglob("*"))):
        with suppress(OSError):  # an editor's file that is gone again
            found[file] = file.stat().st_mtime_ns
    return found
