"""What the options before the command say, and the project they lead to."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import click

from vero_deliver.cli.terminal import harmless

if TYPE_CHECKING:
    from rich.console import Console

    from vero_deliver.outbox.store import Outbox
    from vero_deliver.project import Project


@dataclass
class Session:
    """One call of the command line."""

    project: str | None
    env: str
    quiet: bool
    verbose: bool
    color: Literal["auto", "always", "never"]

    @cached_property
    def loaded(self) -> Project:
        """The project, read when a command first needs it."""
        from vero_deliver.project import Project  # not needed for usage errors

        start = Path(self.project) if self.project else Path.cwd()
        project = Project.find(start, env=self.env)
        self.step(f"project {project.config.file}, environment {self.env}")
        return project

    @cached_property
    def outbox(self) -> Outbox:
        """The project's outbox. Raises ConfigError where it has none."""
        self.need_outbox()
        outbox = self.loaded.outbox()
        assert outbox is not None  # noqa: S101  # its settings have one
        return outbox

    def need_outbox(self) -> None:
        """Raise ConfigError where the project has none."""
        from vero_deliver.errors import ConfigError
        from vero_deliver.reading import display

        if self.loaded.settings.outbox is None:
            file = display(self.loaded.config.file)
            raise ConfigError(f"{file}: there is no outbox; write [outbox]")

    @property
    def has_terminal(self) -> bool:
        """True where somebody can be asked."""
        return sys.stdin.isatty()

    @property
    def colored(self) -> bool | None:
        """True and False decide it; None leaves it to what the stream is."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        return True if os.environ.get("FORCE_COLOR") else None

    def say(self, text: str) -> None:
        """A line for people, on stderr; silent under --quiet."""
        if not self.quiet:
            click.echo(harmless(text), err=True, color=self.colored)

    def step(self, text: str) -> None:
        """A line that only --verbose wants."""
        if self.verbose:
            self.say(text)

    def console(self, file: IO[str] | None = None) -> Console:
        """A rich console that obeys --color; 96 columns where there is no terminal."""
        from rich.console import Console  # only where something is drawn

        stream = file or sys.stdout
        width = None if stream.isatty() else 96
        return Console(
            file=stream,
            width=width,
            force_terminal=self.colored or None,
            no_color=self.colored is False,
            highlight=False,
            soft_wrap=False,
        )
