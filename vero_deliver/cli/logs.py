"""The log of commands that run on: lines for people, or JSON for a collector, on stderr."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from vero_deliver.cli.terminal import harmless

if TYPE_CHECKING:
    from vero_deliver.cli.session import Session

Format = Literal["text", "json"]

log_format_option = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: an object on each line.",
)
_OURS: Final = ("vero_deliver", "vero_channels")


def configure(session: Session, log_format: Format) -> None:
    """Log our own outcomes, everybody's warnings; --quiet warnings only, --verbose everything."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if log_format == "json" else Lines(verbose=session.verbose))
    logging.basicConfig(
        level=logging.INFO if session.verbose else logging.WARNING, handlers=[handler]
    )
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.WARNING if session.quiet else logging.INFO)


class Lines(logging.Formatter):
    """A line for people. verbose: with the words of exceptions, which may hold anything."""

    def __init__(self, *, verbose: bool = False) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._verbose = verbose

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler's, which may have the words
        text = super().format(record)
        record.exc_text = None
        return text

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        return harmless(
            super().formatMessage(record).replace("\n", "\\n")
        )  # one line, no forged one

    def formatException(self, ei: Any) -> str:  # noqa: N802
        text = super().formatException(ei) if self._verbose else _stack(ei[1])
        return "\n".join(map(harmless, text.split("\n")))


class JsonLines(logging.Formatter):
    """One JSON object a line; the fields of an outcome are its own."""

    def format(self, record: logging.LogRecord) -> str:
        told = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            told["exception"] = _stack(record.exc_info[1])
        return json.dumps(told, default=str)


def _stack(error: BaseException | None) -> str:
    """Where it was raised, and its class; not its words: they may hold an address."""
    if error is None:
        return ""
    frames = "".join(traceback.format_tb(error.__traceback__)).rstrip()
    return f"{frames}\n{type(error).__name__}" if frames else type(error).__name__
