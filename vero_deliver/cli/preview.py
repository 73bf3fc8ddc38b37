"""vero-deliver preview."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click

from vero_deliver.cli import options
from vero_deliver.cli.recipients import about, for_showing
from vero_deliver.cli.session import Session
from vero_deliver.deliver import Deliverer
from vero_deliver.errors import ConfigError
from vero_deliver.rendered import ContentName


@click.command("preview")
@click.argument("message", required=False, shell_complete=options.complete_message)
@options.to_option
@options.data_option
@options.channel_option
@click.option(
    "--terminal", is_flag=True, default=True, help="Draw it here. The only view there is so far."
)
@click.option("--all", "every", is_flag=True, help="Every user of the source, one after another.")
@options.key_option
@options.now_option
@click.pass_obj
def command(
    session: Session,
    message: str | None,
    to: str | None,
    data: str | None,
    channels: Sequence[ContentName],
    terminal: bool,
    every: bool,
    key: str,
    now: datetime | None,
) -> None:
    """See a message as its recipients get it.

    \b
      vero-deliver preview                        every message, for its first sample
      vero-deliver preview order-receipt -t ada   one message, one user
      vero-deliver preview newsletter --all | less -R
    """
    from vero_deliver.cli.drawing import Drawing  # rich, only where it draws

    del terminal
    project = session.loaded
    names = [message] if message else project.message_ids()
    if not names:
        raise ConfigError(f"there are no messages in {project.messages}; try `vero-deliver init`")
    deliverer = Deliverer(project.renderer())
    drawing = Drawing(session.console())
    for name in names:
        loaded = project.message(name)
        for who in for_showing(project, loaded, to, data, every=every):
            drawing.title(loaded, who.label)
            found = deliverer.render(
                loaded, who.user, contents=channels or None, **about(who, key, now)
            )
            for content, delivery_key, rendered in found:
                drawing.draw(content, delivery_key, rendered)
