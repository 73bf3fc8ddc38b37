"""The command line: parse, call the library, print. Nothing here knows how to make content."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click
from click.exceptions import NoSuchCommand, NoSuchOption

from vero_deliver.cli.terminal import harmless
from vero_deliver.errors import RenderError, VeroDeliverError

# section -> command -> its first help line, so that --help imports no command
SECTIONS: dict[str, dict[str, str]] = {
    "Write": {
        "init": "Start a project, or add a message to one.",
        "preview": "See messages as recipients get them; reloads as you save.",
        "render": "Print what would be sent, byte for byte.",
        "check": "Lint messages with every sample user.",
        "diff": "Compare two recipients, or two versions of messages.",
    },
    "Send": {
        "send": "Send a message to one user, or a handful, now.",
    },
    "Run": {
        "work": "Send what is queued in the outbox, until stopped.",
        "delivery": "What became of deliveries, and what a person decides about them.",
        "outbox": "The tables of the outbox: make them, erase users, forget the old.",
        "domain": "The DNS records a sending domain needs, and whether they are there.",
        "key": "Make keys.",
        "doctor": "Check the project, its channels and messages; say what to fix.",
    },
}
START_HERE = (
    ("vero-deliver init", "a project with one message, three sample users, nothing sent outside"),
    ("vero-deliver preview", "the studio, on http://127.0.0.1:4747"),
)
INTERRUPTED = 130
# what an example gives to the options before the command
BEFORE = {"env": " prod", "project": " DIR", "color": " never"}


class Lazy(click.Group):
    """Commands live in modules of their name and are imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return [name for commands in SECTIONS.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = import_module(f"vero_deliver.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except NoSuchCommand as error:  # click looks for near names among imported commands only
            known = self.list_commands(ctx)
            raise NoSuchCommand(error.command_name, possibilities=known, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl(list(commands.items()))
        with formatter.section("Start here"):
            formatter.write_dl(START_HERE)

    def _placed(self, error: NoSuchOption) -> click.UsageError:
        """The error, or where the option belongs if it is one of those before the command."""
        command = error.ctx.command_path.partition(" ")[2] if error.ctx else ""
        for option in self.params if command else ():
            if error.option_name in option.opts and isinstance(option, click.Option):
                value = BEFORE.get(option.name or "", "")
                example = f"vero-deliver {error.option_name}{value} {command} ..."
                detail = f"{error.option_name}: write it before the command: {example}"
                return click.UsageError(detail, error.ctx)
        return error

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """As click's, with our exit codes: 1 this user, 2 configuration, 130 interrupted."""
        kwargs["standalone_mode"] = False
        try:
            code = super().main(*args, **kwargs)
        except NoSuchOption as error:
            self._placed(error).show()
            code = 2
        except click.ClickException as error:
            error.show()
            code = 2
        except VeroDeliverError as error:
            click.echo(f"Error: {harmless(str(error))}", err=True)
            code = 1 if isinstance(error, RenderError) else 2
        except click.Abort:
            click.echo("Interrupted.", err=True)
            code = INTERRUPTED
        except BrokenPipeError:  # `| head` has read enough
            sys.stderr.close()
            code = 0
        except OSError as error:  # an output that cannot be written
            place = f"{error.filename}: " if error.filename else ""
            click.echo(f"Error: {harmless(place)}{error.strerror or error}", err=True)
            code = 2
        sys.exit(code if isinstance(code, int) else 0)


@click.group(
    cls=Lazy,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "max_content_width": 96,
        "auto_envvar_prefix": "VERO_DELIVER",
    },
)
@click.option(
    "-C",
    "--project",
    metavar="DIR",
    help="Look for vero-deliver.toml (or [tool.vero-deliver] in pyproject.toml) from here up.",
)
@click.option(
    "-e",
    "--env",
    metavar="NAME",
    default="dev",
    show_default=True,
    help="Which [env.NAME] of the project to use. dev writes to the folder captured/ and sends "
    "nothing outside.",
)
@click.option("-q", "--quiet", is_flag=True, help="Errors only.")
@click.option("-v", "--verbose", is_flag=True, help="Say each step.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="auto obeys NO_COLOR, FORCE_COLOR and TERM=dumb.",
)
@click.version_option(package_name="vero-deliver", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, /, **options: Any) -> None:
    """Write a message once, see exactly what each person will get, and get it there."""
    from vero_deliver.cli.session import Session  # --help needs none of it

    ctx.obj = Session(**options)
    ctx.color = ctx.obj.colored


def main() -> None:
    """The console script."""
    cli(prog_name="vero-deliver")
