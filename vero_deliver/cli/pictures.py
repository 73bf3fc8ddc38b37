"""Pictures on the command line: the options that say how to look, and who takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from vero_deliver.picture import VIEWS, Browser, Look, of_text, seen, side_by_side
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


@dataclass(frozen=True, slots=True)
class Camera:
    """Takes pictures of emails."""

    browser: Browser
    look: Look
    view: str

    def picture(self, email: RenderedEmail) -> bytes:
        """One email."""
        return self.browser.png(seen(email, self.view), self.look)

    def note(self, text: str) -> bytes:
        """A text in the place of an email."""
        return self.browser.png(of_text(text), self.look)

    def beside(self, before: bytes, after: bytes) -> bytes:
        """Two pictures side by side, with marks where they differ."""
        return side_by_side(self.browser, before, after, scale=self.look.scale)


@contextmanager
def camera(width: int, dark: bool, view: str) -> Iterator[Camera]:
    """A camera whose browser starts with the first picture."""
    with Browser() as browser:
        yield Camera(browser, Look(width, dark=dark), view)
