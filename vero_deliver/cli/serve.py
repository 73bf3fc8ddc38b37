"""vero-deliver serve."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import socket
from typing import TYPE_CHECKING, Any

import click

from vero_deliver.cli import logs
from vero_deliver.cli.session import Session
from vero_deliver.errors import ConfigError, MissingExtra
from vero_deliver.reading import display

if TYPE_CHECKING:
    from vero_deliver.deliver import Deliverer

_GRACE = 5  # seconds for what is under way


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8025,
    show_default=True,
    help="0: any free one.",
)
@click.option("--work", is_flag=True, help="Send what is queued in the outbox as well.")
@click.option("--root-path", metavar="PATH", default="", help="Below which a proxy has mounted it.")
@logs.log_format_option
@click.pass_obj
def command(
    session: Session, host: str, port: int, work: bool, root_path: str, log_format: logs.Format
) -> None:
    """Answer links in emails and providers' webhooks.

    \b
      vero-deliver --env prod serve
      vero-deliver --env prod serve --host 0.0.0.0 --work

    Opens, clicks, one-click unsubscribing, preferences and mails in the browser need [tracking];
    webhooks a [feedback.NAME] for each provider. Put a proxy before it that speaks TLS.
    """
    try:
        import uvicorn
    except ModuleNotFoundError:
        raise MissingExtra("serve", "serve") from None

    from vero_deliver.serve.project import app_of

    project = session.loaded
    file = display(project.config.file)
    if project.settings.outbox is None:
        raise ConfigError(f"{file}: there is no outbox, which keeps what is told; write [outbox]")
    if project.settings.tracking is None and not project.settings.feedback:
        raise ConfigError(
            f"{file}: there is nothing to answer; write [tracking] or [feedback.NAME]"
        )
    logs.configure(session, log_format)
    deliverer = project.deliverer()
    config = uvicorn.Config(
        app_of(project, deliverer),
        host=host,
        port=port,
        root_path=root_path,
        log_config=None,
        access_log=False,  # its lines would hold tokens
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
        lifespan="off",
    )

    class Server(uvicorn.Server):
        """Says where it listens, once it does."""

        async def startup(self, sockets: list[socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                _tell(session, self.servers[0].sockets[0].getsockname())

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            """None: uvicorn would raise them again before the workers have ended."""
            yield

    asyncio.run(_serve(Server(config), deliverer, work=work))


async def _serve(server: Any, deliverer: Deliverer, *, work: bool) -> None:
    from vero_deliver.desk import Worker

    async with deliverer:
        tasks = [asyncio.create_task(server.serve())]
        worker = Worker(deliverer) if work else None
        if worker is not None:
            tasks.append(asyncio.create_task(worker.run()))

        def stop() -> None:
            server.should_exit = True
            if worker is not None:
                worker.stop()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):  # Windows has no such handlers
                loop.add_signal_handler(number, stop)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        stop()
        await asyncio.gather(*tasks)


def _tell(session: Session, address: tuple[Any, ...]) -> None:
    """Where it listens, and what to enter at each provider."""
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    session.say(f"Listening on http://{host}:{address[1]}")
    settings = session.loaded.settings
    public = settings.tracking.url.rstrip("/") if settings.tracking else "https://YOUR-HOST"
    for name, table in settings.feedback.items():
        session.say(f"  {table.get('reader', name)}: {public}/feedback/{name}")
    if settings.tracking:
        session.say(f"  links in emails: {public}")
