"""The words of pages in the reader's language: the project's own gettext catalogs have them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final

from vero_deliver.errors import VeroDeliverError
from vero_deliver.render.filters.formats import direction, is_language, match_locale
from vero_deliver.render.translations import load

_ASKED: Final = 10  # languages of one reader that are looked at
_LONGEST: Final = 200  # characters of Accept-Language

log = logging.getLogger("vero_deliver.serve")


def _as_it_is(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class Words:
    """One language. translate: from English, which is what has no translation."""

    language: str = "en"
    translate: Callable[[str], str] = _as_it_is

    @property
    def direction(self) -> str:
        """ "ltr" or "rtl"."""
        return direction(self.language)

    def say(self, text: str) -> str:
        """The text in that language, as HTML."""
        return escape(self.translate(text))


@dataclass(frozen=True, slots=True)
class Languages:
    """What pages can be read in. translations: folder of catalogs, cs/LC_MESSAGES/messages.po.

    language: of who asks for none that there is; its words are English unless a catalog has them.
    """

    translations: Path | None = None
    language: str = "en"

    def of(self, accept_language: str) -> Words:
        """The first language that is asked for and there (RFC 9110 12.5.4, in the order given)."""
        known = [self.language, *self._there()]
        for tag in accept_language[:_LONGEST].split(",")[:_ASKED]:
            found, _ = match_locale(tag.partition(";")[0].strip(), known, "")
            if found:
                return self._words(found)
        return self._words(self.language)

    def _there(self) -> list[str]:
        if self.translations is None or not self.translations.is_dir():
            return []
        return sorted(one.name for one in self.translations.iterdir() if is_language(one.name))

    def _words(self, language: str) -> Words:
        try:
            return Words(language, load(self.translations, language).gettext)
        except VeroDeliverError as error:  # a page in English is better than none
            log.warning("pages are in English: %s", error)
            return Words()
