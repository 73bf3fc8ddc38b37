"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from vero_deliver.project import Project

F = TypeVar("F", bound=Callable[..., Any])


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
    del param
    return _names(ctx, incomplete, lambda project: project.message_ids())


def complete_domain(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Sending domains for the shell; nothing where there is no project."""
    del param
    return _names(ctx, incomplete, lambda project: project.settings.domains)


def _names(
    ctx: click.Context, incomplete: str, names: Callable[[Project], Iterable[str]]
) -> list[str]:
    from vero_deliver.errors import VeroDeliverError
    from vero_deliver.project import Project

    try:
        start = (ctx.find_root().params or {}).get("project") or "."
        return [name for name in names(Project.find(start)) if name.startswith(incomplete)]
    except (VeroDeliverError, OSError):
        return []


domain_argument = click.argument("domain", shell_complete=complete_domain)
message_argument = click.argument("message", shell_complete=complete_message)
_SOURCE = (
    "Users and data: a .json, .jsonl or .csv file, query:NAME for [queries.NAME], or - for JSON "
    "lines on stdin."
)


def _to(text: str) -> Callable[[F], F]:
    return click.option("-t", "--to", metavar="WHO", multiple=True, help=f"{text} Repeatable.")


def _data(text: str) -> Callable[[F], F]:
    return click.option("-d", "--data", metavar="SOURCE", help=text)


show_to_option = _to("A sample's name, its row ('#3'), an address, or field=value.")
show_data_option = _data(f"{_SOURCE} Default: the samples of the message.")
send_to_option = _to(
    "An address or a phone number (+447700900123). With --data, which of its users: an email, "
    "a row ('#3'), or field=value."
)
send_data_option = _data(_SOURCE)
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
