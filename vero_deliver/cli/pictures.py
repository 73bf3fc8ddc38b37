"""Pictures on the command line: the options that say how to look, and who takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from vero_deliver.picture import VIEWS, Browser, Look, seen
from vero_deliver.rendered import RenderedEmail

F = TypeVar("F", bound=Callable[..., Any])
Picture = Callable[[RenderedEmail], bytes]


def look_options(command: F) -> F:
    """The options `width`, `dark` and `view`."""
    width = click.option(
        "--width",
        metavar="PIXELS",
        type=click.IntRange(100, 4000),
        default=640,
        show_default=True,
        help="Of the window, for png; 375 is a phone.",
    )
    dark = click.option("--dark", is_flag=True, help="As for readers who prefer dark, for png.")
    view = click.option(
        "--view",
        type=click.Choice(tuple(VIEWS)),
        default="sent",
        show_default=True,
        help="What a client makes of it, for png: roughly what Gmail keeps, or colours forced "
        "dark as Outlook does.",
    )
    return width(dark(view(command)))


@contextmanager
def camera(width: int, dark: bool, view: str) -> Iterator[Picture]:
    """Takes pictures of emails; the browser starts with the first."""
    look = Look(width, dark=dark)
    with Browser() as browser:
        yield lambda email: browser.png(seen(email, view), look)
