"""vero-deliver work."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress

import click

from vero_deliver.cli import logs
from vero_deliver.cli.session import Session
from vero_deliver.errors import ConfigError
from vero_deliver.reading import display


@click.command("work")
@click.option("--drain", is_flag=True, help="End when nothing is due, instead of waiting for more.")
@click.option(
    "--concurrency",
    metavar="N",
    type=click.IntRange(1, 1000),
    default=32,
    show_default=True,
    help="How many are handed to channels at the same time.",
)
@logs.log_format_option
@click.pass_obj
def command(session: Session, drain: bool, concurrency: int, log_format: logs.Format) -> None:
    """Send what is queued in the outbox, until stopped.

    \b
      vero-deliver --env prod work
      vero-deliver --env prod work --drain   from cron

    Any number may run, on any number of machines. SIGTERM or Ctrl-C finishes what is under way
    and gives back the rest; a second one ends it at once.

    Each outcome is a line on stderr, without addresses; --quiet leaves them out.
    """
    from vero_deliver.desk import Worker  # an extra

    project = session.loaded
    if project.settings.outbox is None:
        raise ConfigError(f"{display(project.config.file)}: there is no outbox; write [outbox]")
    logs.configure(session, log_format)
    for content, channel in (deliverer := project.deliverer()).channels.items():
        session.step(f"{content} through {channel.name}")

    async def work() -> int:
        async with deliverer:
            worker = Worker(deliverer, concurrency=concurrency)
            loop = asyncio.get_running_loop()

            def stop(number: signal.Signals) -> None:
                session.say("Finishing what is under way.")
                worker.stop()
                loop.remove_signal_handler(number)

            for number in (signal.SIGTERM, signal.SIGINT):
                with suppress(NotImplementedError):  # Windows has no such handlers
                    loop.add_signal_handler(number, stop, number)
            return await worker.run(drain=drain)

    session.say(f"{asyncio.run(work())} dealt with.")
