"""vero-deliver preview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from vero_deliver.audience import Recipient
from vero_deliver.cli import options
from vero_deliver.cli.contents import contents_of, explained
from vero_deliver.cli.recipients import about, for_showing
from vero_deliver.cli.session import Session
from vero_deliver.deliver import Deliverer
from vero_deliver.errors import ConfigError, RenderError, VeroDeliverError
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
    "--terminal", is_flag=True, default=True, help="Draw it here. The only view there is so far."
)
@click.option("--all", "every", is_flag=True, help="Every user of the source, one after another.")
@options.key_option
@options.now_option
@click.pass_context
def command(
    ctx: click.Context,
    message: str | None,
    to: Sequence[str],
    data: str | None,
    channels: Sequence[ContentName],
    terminal: bool,
    every: bool,
    key: str,
    now: datetime | None,
) -> None:
    """See a message as its recipients get it.

    \b
      vero-deliver preview                       each message, for its first user
      vero-deliver preview order-receipt -t ada  one message, one user
      vero-deliver preview newsletter --all | less -R

    Exits 0 when all was drawn, 1 when something could not be made.
    """
    from vero_deliver.cli.drawing import Drawing  # rich, only where it draws

    del terminal
    session: Session = ctx.obj
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
