"""What keeps people from reading a letter who see, or hear, it in another way than its author.

Source: WCAG 2.2 of the W3C, in its criteria that hold for mail.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vero_deliver.check.dom import Element
from vero_deliver.check.finding import Hit
from vero_deliver.check.images import images
from vero_deliver.check.look import contrast as ratio_of
from vero_deliver.check.look import hex_of, texts
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen
from vero_deliver.check.shown import ShownEmail

_LEAST: Final = 4.5  # WCAG 1.4.3, level AA
_LEAST_LARGE: Final = 3.0
_LARGE: Final = 24.0  # px: 18 pt, or 14 pt in bold
_LARGE_BOLD: Final = 18.66
_BODY: Final = 14.0  # px
_SMALL_PRINT: Final = 12.0

_LANG: Final = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", re.IGNORECASE)  # RFC 5646, in short
_FILE: Final = re.compile(r"\S+\.(?:avif|bmp|gif|jpe?g|png|svg|webp)", re.IGNORECASE)
_NO_ALT: Final = frozenset(
    ("alt", "banner", "bild", "foto", "graphic", "image", "img", "logo.", "photo", "pic", "picture",
     "spacer", "untitled")
)  # fmt: skip
_NO_WORDS: Final = frozenset(
    ("click", "click here", "click this link", "continue", "details", "go", "here", "hier",
     "hier klicken", "info", "klicken sie hier", "lire la suite", "cliquez ici", "ici", "aquí",
     "haga clic aquí", "clicca qui", "qui", "klikněte zde", "zde", "kliknij tutaj", "tutaj",
     "klik hier", "learn more", "link", "mehr", "mehr erfahren", "more", "read more", "see more",
     "tap here", "this link", "this page", "více", "weiterlesen")
)  # fmt: skip
_URL: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


@rule("a11y/lang", "warning")
def lang(seen: Seen) -> Iterator[Hit]:
    """The letter does not say which language it is in.

    A screen reader then reads Czech with the voice of its owner's own language, and a client
    offers to translate what the reader understands (WCAG 3.1.1).
    """
    for mail in seen.emails:
        root = next(mail.page.find("html"), None)
        if root is None:
            continue
        said = root.get("lang")
        if not said:
            hint = f'write <html lang="{mail.sample.language or "en"}">'
            yield Hit("<html> has no lang", on=mail, at="body", hint=hint)
        elif not _LANG.fullmatch(said):
            yield Hit(f"lang is no language: {said[:40]!r}", on=mail, at=root, hint='as "en-GB"')


@rule("a11y/title", "warning")
def title(seen: Seen) -> Iterator[Hit]:
    """The letter has no title.

    It is what a screen reader says first of a letter that is opened in a browser, and the name of
    its tab (WCAG 2.4.2).
    """
    for mail in seen.emails:
        found = next(mail.page.find("title"), None)
        words = "".join(c for c in found.children if isinstance(c, str)) if found else ""
        if mail.rendered.html and not words.strip():
            hint = "write <mj-title>" if mail.is_mjml else "write <title> in <head>"
            yield Hit("there is no title", on=mail, at="body", hint=hint)


@rule("a11y/img-alt", "warning")
def img_alt(seen: Seen) -> Iterator[Hit]:
    """An image has no alternative text, or one that says nothing.

    Whoever does not see it, or has images turned off as most Outlooks have, gets the name of the
    file. What is only decoration has `alt=""` (WCAG 1.1.1).
    """
    for mail in seen.emails:
        for image, url in images(mail):
            if mail.is_mjml and _is_drawn(image, url, mail):
                continue
            wrong = _wrong_alt(image)
            if wrong:
                yield Hit(wrong, on=mail, at=image, detail=image.get("src")[:80])


@rule("a11y/link-name", "error")
def link_name(seen: Seen) -> Iterator[Hit]:
    """A link has no name.

    A screen reader spells its address. A link around an image is called by the image's
    alternative text, which must not be empty there (WCAG 2.4.4).
    """
    for mail in seen.emails:
        for link in mail.page.find("a"):
            if "href" in link.attributes and link.is_shown and not _name(link):
                yield Hit("the link has no name", on=mail, at=link, detail=link.get("href")[:80])


@rule("a11y/link-text", "warning")
def link_text(seen: Seen) -> Iterator[Hit]:
    """A link's text does not say where it leads.

    Screen readers list the links of a letter: five times "click here" is no choice. A bare
    address is read letter by letter (WCAG 2.4.4).
    """
    for mail in seen.emails:
        for link in mail.page.find("a"):
            said = link.text.casefold().strip(" .!:>»→›…")
            if "href" not in link.attributes or link.get("aria-label") or not link.is_shown:
                continue
            if said in _NO_WORDS:
                yield Hit(f"{said!r} does not say where the link leads", on=mail, at=link)
            elif _URL.fullmatch(link.text) and len(link.text) > 30:
                yield Hit("the link's text is a bare address", on=mail, at=link, severity="info")


@rule("a11y/table-role", "warning")
def table_role(seen: Seen) -> Iterator[Hit]:
    """A table lays the letter out and does not say so.

    A screen reader announces its rows and columns, one table inside of the other. Write
    `role="presentation"`; a table of data has `<th>` or a caption. MJML says it for you.
    """
    for mail in seen.emails:
        found = [table for table in mail.page.find("table") if _is_unsaid(table, mail)]
        if found:
            others = f"and {len(found) - 1} more" if len(found) > 1 else ""
            hint = 'write role="presentation", or <th> where it is data'
            text = "a table says neither layout nor data"
            yield Hit(text, on=mail, at=found[0], detail=others, hint=hint)


@rule("a11y/heading-order", "warning")
def heading_order(seen: Seen) -> Iterator[Hit]:
    """A heading skips a level.

    Readers who hear the letter go from heading to heading: an h3 below an h1 sounds as if
    something were missing. Choose the level by what it is, the size by style (WCAG 1.3.1).
    """
    for mail in seen.emails:
        before = 0
        for heading in mail.page.find("h1", "h2", "h3", "h4", "h5", "h6"):
            level = int(heading.name[1])
            if before and level > before + 1:
                text = f"<h{level}> comes after <h{before}>"
                yield Hit(text, on=mail, at=heading, hint=f"write <h{before + 1}>")
            before = level


@rule("a11y/contrast", "warning")
def contrast(seen: Seen) -> Iterator[Hit]:
    """Text does not stand out from what is behind it.

    Level AA asks for 4.5:1, for large text 3:1 (WCAG 1.4.3): below that many cannot read it on a
    phone in the sun, some never. Text over pictures and gradients is not judged.
    """
    for mail in seen.emails:
        told = set()
        for element, text, look in texts(mail.page):
            if look.color is None or look.background is None:
                continue
            large = look.size >= _LARGE or (look.bold and look.size >= _LARGE_BOLD)
            least = _LEAST_LARGE if large else _LEAST
            ratio = ratio_of(look.color, look.background)
            colors = f"{hex_of(look.color)} on {hex_of(look.background)}"
            if ratio < least - 0.005 and colors not in told:
                told.add(colors)
                words = f"{colors} has a contrast of {ratio:.2f}:1, {least:g}:1 is asked for"
                yield Hit(words, on=mail, at=element, detail=text[:60])


@rule("a11y/font-size", "warning")
def font_size(seen: Seen) -> Iterator[Hit]:
    """Text is too small.

    Below 12 px even small print is not read, and iOS makes it larger as it likes, breaking the
    layout. Where most of the letter is below 14 px it is info.
    """
    for mail in seen.emails:
        told = set()
        letters: dict[float, int] = {}
        first: dict[float, Element] = {}
        for element, text, look in texts(mail.page):
            size = round(look.size, 1)
            letters[size] = letters.get(size, 0) + len(text)
            first.setdefault(size, element)
            if size < _SMALL_PRINT and size not in told:
                told.add(size)
                words = f"text of {size:g} px; {_SMALL_PRINT:g} is the least"
                yield Hit(words, on=mail, at=element, detail=text[:60])
        small = [size for size in letters if _SMALL_PRINT <= size < _BODY]
        if sum(letters[size] for size in small) > sum(letters.values()) / 2:
            most = max(small, key=lambda size: letters[size])
            words = f"most of the text has {most:g} px; {_BODY:g} and more reads well"
            yield Hit(words, on=mail, at=first[most], severity="info")


def _wrong_alt(image: Element) -> str:
    if "alt" not in image.attributes:
        return "the image has no alt"
    said = image.get("alt").strip()
    if _FILE.fullmatch(said):
        return f"alt is the name of a file: {said[:40]!r}"
    return f"alt says nothing: {said!r}" if said.casefold() in _NO_ALT else ""


def _is_drawn(image: Element, url: str, mail: ShownEmail) -> bool:
    """Whether the MJML compiler put it there, as the arrows of a carousel."""
    linked = any(above.name == "a" for above in image.ancestors)
    return not linked and not any(url in source for source in mail.seen.sources)


def _name(link: Element) -> str:
    spoken = [link.get("aria-label"), link.get("title"), link.text]
    spoken += [image.get("alt") for image in link.find("img")]
    # without alt it is a11y/img-alt
    spoken += ["image" for image in link.find("img") if "alt" not in image.attributes]
    return "".join(spoken).strip()


def _is_unsaid(table: Element, mail: ShownEmail) -> bool:
    if table.get("role") or not mail.origins.is_own(table):
        return False
    return not any(e.name in ("th", "caption") or e.get("scope") for e in table.elements)
