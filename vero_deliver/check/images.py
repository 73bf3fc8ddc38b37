"""Pictures: what readers see of them, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vero_deliver.check.dom import Element
from vero_deliver.check.finding import Hit
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen
from vero_deliver.check.shown import ShownEmail
from vero_deliver.check.urls import has_scheme, host_of, is_local

_DATA_URI: Final = 8_192  # bytes
_HEAVY: Final = 1_000_000  # bytes of all pictures that travel along
_FEW_WORDS: Final = 20
_ICON: Final = 64  # px of width


def images(mail: ShownEmail) -> Iterator[tuple[Element, str]]:
    """The pictures of a page, each with its address; none that only counts opens."""
    for image in mail.page.find("img"):
        if image.is_shown and not is_pixel(image):
            yield image, image.get("src").strip()


def is_pixel(image: Element) -> bool:
    """Whether it only counts opens."""
    sizes = [image.get(side) or image.style.get(side, "") for side in ("width", "height")]
    return all(size.strip().removesuffix("px") in ("0", "1") for size in sizes)


@rule("images/missing", "error")
def missing(seen: Seen) -> Iterator[Hit]:
    """A picture leads nowhere.

    An email has no folder that `assets/logo.png` could be in: write an https address, or attach
    the file with a `cid` and show `cid:logo`. An empty `src` makes some clients ask for the letter
    itself.
    """
    for mail in seen.emails:
        for image, url in images(mail):
            if not url:
                yield Hit("the image has no src", on=mail, at=image)
            elif not has_scheme(url):
                hint = "write https://..., or attach it with a cid"
                yield Hit("the image has no scheme", on=mail, at=image, detail=url[:80], hint=hint)
            elif is_local(host_of(url) or "public.example"):
                yield Hit(f"only your own network knows {host_of(url)}", on=mail, at=image)


@rule("images/http", "warning")
def http(seen: Seen) -> Iterator[Hit]:
    """A picture is http.

    Web mail leaves it out as mixed content, and Apple's clients load no http at all.
    """
    for mail in seen.emails:
        for image, url in images(mail):
            if url.lower().startswith("http:") and not is_local(host_of(url)):
                yield Hit("the image is http", on=mail, at=image, detail=url, hint="write https")


@rule("images/dimensions", "warning")
def dimensions(seen: Seen) -> Iterator[Hit]:
    """A picture has no width.

    Outlook on Windows reads the attribute only, and draws a picture without one as large as its
    file is: one made for fine screens twice as wide as the letter.
    """
    for mail in seen.emails:
        for image, _ in images(mail):
            width = image.get("width").strip().removesuffix("px")
            if not width.removesuffix("%").isdecimal():
                hint = 'write width="300", in pixels'
                yield Hit("the image has no width attribute", on=mail, at=image, hint=hint)


@rule("images/data-uri", "warning")
def data_uri(seen: Seen) -> Iterator[Hit]:
    """A picture in the markup itself is large.

    Gmail shows none that is, and counts its bytes towards those that it clips the letter at.
    Attach the file with a `cid`.
    """
    for mail in seen.emails:
        for image, url in images(mail):
            if url[:5].lower() == "data:" and len(url) > _DATA_URI:
                text = f"the image's data URI has more than {_DATA_URI:,} bytes"
                yield Hit(text, on=mail, at=image, detail=f"{len(url):,} bytes")


@rule("images/weight", "warning")
def weight(seen: Seen) -> Iterator[Hit]:
    """The pictures that travel with the letter are heavy.

    Each recipient's server stores them and each phone loads them before anything is shown. Link
    to large ones, or make them smaller. `--online` adds those that are linked to.
    """
    for mail in seen.emails:
        inline = [file for file in mail.rendered.attachments if file.cid]
        size = sum(len(file.content) for file in inline)
        if size > _HEAVY:
            text = f"inline images of more than {_HEAVY // 1_000_000} MB"
            yield Hit(text, on=mail, at="attachments", detail=f"{size / 1_000_000:.1f} MB")


@rule("images/text-ratio", "warning")
def text_ratio(seen: Seen) -> Iterator[Hit]:
    """The letter is made of pictures.

    With pictures turned off nothing is left of it, and filters count letters with next to no text
    against the sender. Write the words as text.
    """
    for mail in seen.emails:
        words = len(mail.page.body.text.split())
        shown = [image for image, _ in images(mail) if not _is_icon(image)]
        if shown and words < _FEW_WORDS:
            text = f"fewer than {_FEW_WORDS} words beside the pictures"
            yield Hit(text, on=mail, at=shown[0], detail=f"{words} words, {len(shown)} pictures")


def _is_icon(image: Element) -> bool:
    width = image.get("width").removesuffix("px")
    return width.isdecimal() and int(width) <= _ICON
