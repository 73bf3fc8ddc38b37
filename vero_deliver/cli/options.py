"""Options that several commands share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click


class Moment(click.ParamType[datetime]):
    """An ISO 8601 time; without an offset it is UTC."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no time; write 2026-11-23T12:00:00+00:00", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def complete_message(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Message ids for the shell; nothing where there is no project."""
    from vero_deliver.errors import VeroDeliverError
    from vero_deliver.project import Project

    del param
    try:
        start = (ctx.find_root().params or {}).get("project") or "."
        ids = Project.find(start).message_ids()
    except (VeroDeliverError, OSError):
        return []
    return [name for name in ids if name.startswith(incomplete)]


message_argument = click.argument("message", shell_complete=complete_message)
to_option = click.option(
    "-t",
    "--to",
    metavar="WHO",
    help="A sample's name, its row (#3), an address, or field=value.",
)
data_option = click.option(
    "-d",
    "--data",
    metavar="SOURCE",
    help="Users and data: a .json, .jsonl or .csv file, or - for JSON lines on stdin. "
    "Default: the samples of the message.",
)
channel_option = click.option(
    "-c",
    "--channel",
    "channels",
    multiple=True,
    type=click.Choice(["email", "push", "sms", "http"]),
    help="Only these contents. Repeatable.",
)
key_option = click.option(
    "--key",
    metavar="KEY",
    default="",
    help="Names the delivery; the same key is the same delivery. Default: derived from message, "
    "user and data.",
)
now_option = click.option(
    "--now", type=Moment(), help="The clock to render for, ISO 8601. Default: the present."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
