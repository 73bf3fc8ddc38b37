"""vero-deliver preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vero_deliver.audience import Recipient
from vero_deliver.audience.query import PREFIX
from vero_deliver.cli import options
from vero_deliver.cli.contents import contents_of, explained
from vero_deliver.cli.recipients import about, for_showing
from vero_deliver.cli.session import Session
from vero_deliver.deliver import Deliverer
from vero_deliver.errors import ConfigError, MissingExtra, RenderError, VeroDeliverError
from vero_deliver.message import Message
from vero_deliver.mime import Domains
from vero_deliver.project import Project
from vero_deliver.rendered import ContentName

if TYPE_CHECKING:
    from vero_deliver.cli.drawing import Drawing


@click.command("preview")
@click.argument("message", required=False, shell_complete=options.complete_message)
@options.show_to_option
@options.show_data_option
@options.channel_option
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    default=4747,
    show_default=True,
    help="Of the studio, on 127.0.0.1; 0 takes a free one.",
)
@click.option("--no-open", is_flag=True, help="Print the studio's address, open no browser.")
@click.option("--terminal", is_flag=True, help="Draw it here instead.")
@click.option(
    "--all", "every", is_flag=True, help="With --terminal: every user, one after another."
)
@options.key_option
@options.now_option
@click.pass_context
def command(
    ctx: click.Context,
    message: str | None,
    to: Sequence[str],
    data: str | None,
    channels: Sequence[ContentName],
    port: int,
    no_open: bool,
    terminal: bool,
    every: bool,
    key: str,
    now: datetime | None,
) -> None:
    """See messages as recipients get them; reloads as you save.

    \b
      vero-deliver preview                       every message, in the browser
      vero-deliver preview order-receipt -t ada  straight to one
      vero-deliver preview newsletter --terminal --all | less -R

    The browser's studio ends with Ctrl-C. --channel, --key and --all go with --terminal, which
    exits 0 when all was drawn, 1 when something could not be made.
    """
    session: Session = ctx.obj
    if not terminal:
        if every or channels or key:
            raise click.UsageError("--all, --channel and --key go with --terminal")
        _studio(session, message, to, data, now, port=port, browser=not no_open)
        return
    from vero_deliver.cli.drawing import Drawing  # rich, only where it draws

    project = session.loaded
    names = [message] if message else project.message_ids()
    if not names:
        raise ConfigError(f"there are no messages in {project.messages}; try `vero-deliver init`")
    drawing = Drawing(session.console(), _domains(session))
    deliverer = Deliverer(project.renderer())
    view = View(project, deliverer, drawing, to, data, channels, every, key, now)
    broken = [name for name in names if not view.shows(name, alone=bool(message))]
    if broken:
        click.echo(f"Could not be made: {', '.join(broken)}", err=True)
        ctx.exit(1)


def _studio(
    session: Session,
    message: str | None,
    to: Sequence[str],
    data: str | None,
    now: datetime | None,
    *,
    port: int,
    browser: bool,
) -> None:
    """Serve the page, opened at what the options name."""
    if data == "-":
        raise click.UsageError("the studio reads a file again as it changes: pass --data FILE")
    if len(to) > 1:
        raise click.UsageError("the studio begins with one user: pass one --to")
    try:
        from vero_deliver.studio.serve import serve
        from vero_deliver.studio.state import State
        from vero_deliver.studio.workspace import Workspace
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("starlette", "uvicorn", "watchfiles"):
            raise
        raise MissingExtra("the studio (or use --terminal)", "studio") from None
    project = session.loaded
    workspace = Workspace(
        Path(session.project or "."),
        env=session.env,
        sources=[Path(data)] if data and not data.startswith(PREFIX) else [],
    )
    start = State(
        message=project.message(message).id if message else "",
        to=to[0] if to else "",
        source=Path(data).name if data and not data.startswith(PREFIX) else data or "",
        now=now.isoformat() if now else "",
    )
    serve(workspace, port=port, path=start.url(), browser=browser, say=session.say)


def _domains(session: Session) -> Domains:
    """Who signs; nobody, and why is said, where this machine has not got the keys."""
    try:
        return session.loaded.email_domains()
    except ConfigError as error:
        session.say(f"Shown unsigned: {error}")
        return Domains()


@dataclass(frozen=True, slots=True)
class View:
    """What the options choose to see of each message."""

    project: Project
    deliverer: Deliverer
    drawing: Drawing
    to: Sequence[str]
    data: str | None
    channels: Sequence[ContentName]
    every: bool
    key: str
    now: datetime | None

    def shows(self, name: str, *, alone: bool) -> bool:
        """Draw one message; False where any of it cannot be made.

        One that cannot be drawn at all is an error where it is `alone`, else drawn as its error.
        """
        try:
            message = self.project.message(name)
            contents = contents_of(message, self.channels)
            people = for_showing(self.project, message, self.to, self.data, every=self.every)
            drawn = [self._draw(message, contents, who) for who in people]
        except VeroDeliverError as error:
            if alone:
                raise
            self.drawing.broken(name, error)
            return False
        return all(drawn)

    def _draw(self, message: Message, contents: Sequence[ContentName], who: Recipient) -> bool:
        self.drawing.title(message, who.label, self.deliverer.renderer.language(message, who.user))
        given = about(who, self.key, self.now)
        whole = True
        for content, key, made in self.deliverer.render(
            message, who.user, contents=contents, **given
        ):
            self.drawing.draw(content, key, explained(made, content, who))
            whole = whole and not isinstance(made, RenderError)
        return whole
