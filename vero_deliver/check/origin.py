"""Where the author wrote an element of the HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vero_deliver.check.dom import Element
from vero_deliver.check.finding import Place
from vero_deliver.source import Source

if TYPE_CHECKING:
    from vero_deliver.check.seen import ShownEmail


class Origins:
    """The places of one page's elements."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._places: dict[int, Place] = {}

    @classmethod
    def of(cls, mail: ShownEmail) -> Origins:
        """The origins of what one sample gets."""
        body = mail.body
        return cls(body.file if isinstance(body, Source) else mail.seen.toml)

    def place(self, element: Element) -> Place:
        """The line of the author's that it comes from."""
        return self._places.get(id(element)) or Place(self.file)

    def is_own(self, element: Element) -> bool:
        """Whether the author wrote that very element, and not the MJML compiler."""
        return id(element) in self._places
