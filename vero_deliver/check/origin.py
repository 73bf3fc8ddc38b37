"""Where the author wrote an element of the HTML.

A second rendering, whose elements are marked (render.marks), is laid beside the first: element by
element, for marks change no structure. Where it did, the author's own text is searched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vero_deliver.check.dom import Element
from vero_deliver.check.finding import Place
from vero_deliver.render.marks import CLASS, MARK
from vero_deliver.source import Source

if TYPE_CHECKING:
    from vero_deliver.check.shown import ShownEmail

_TELLING = ("href", "src", "alt", "id", "class")


class Origins:
    """The places of one page's elements."""

    def __init__(self, mail: ShownEmail) -> None:
        body = mail.body
        self._file = body.file if isinstance(body, Source) else mail.seen.toml
        self._sources = mail.seen.sources
        self._places: dict[int, Place] = {}
        self._own: set[int] = set()
        marked = mail.marked
        twins = marked.all if marked else ()
        if [twin.name for twin in twins] == [element.name for element in mail.page.all]:
            for element, twin in zip(mail.page.all, twins, strict=True):
                self._learn(element, twin, mail)

    def place(self, element: Element) -> Place:
        """The author's line that it comes from; of what stands around it where `near` says so."""
        for around in (element, *element.ancestors):
            found = self._places.get(id(around))
            if found:
                near = around is not element and not self._is_compiled(element, around)
                return Place(found.file, found.line, found.column, near)
        return self._searched(element)

    def is_own(self, element: Element) -> bool:
        """Whether the author wrote that very element, and the MJML compiler did not."""
        return id(element) in self._own

    def _learn(self, element: Element, twin: Element, mail: ShownEmail) -> None:
        number, own = twin.get(MARK), True
        if not number:
            found = CLASS.search(twin.get("class"))
            number, own = (found[1], False) if found else ("", False)
        if number:
            self._places[id(element)] = Place(*mail.seen.twin[1].places[int(number)])
        if own and number:
            self._own.add(id(element))

    def _is_compiled(self, element: Element, around: Element) -> bool:
        """Whether the element is part of what an MJML element is compiled to."""
        return id(around) not in self._own and id(element) not in self._own

    def _searched(self, element: Element) -> Place:
        """The line of the author's text that has its attribute or its words."""
        for words in _telling(element):
            for source in self._sources:
                at = source.find(words)
                if at >= 0:
                    line = source.line + source.count("\n", 0, at)
                    return Place(source.file, line, near=True)
        return Place(self._file)


def _telling(element: Element) -> Iterator[str]:
    for name in _TELLING:
        value = element.get(name)
        if len(value) > 3:
            yield value
    text = element.text
    if len(text) > 3:
        yield text[:60]
