"""Characters that no mail, phone or JSON may carry become U+FFFD: data may not be text."""

from __future__ import annotations

import re

_ASCII_CONTROL = bytes([*range(9), 11, 12, *range(14, 32), 127])
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_DIRTY = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_SPACE = re.compile(r"\s+")


def clean(text: str) -> str:
    """Control characters and lone surrogates replaced; tab and line ends stay."""
    if is_clean(text):
        return str(text)
    if _SURROGATE.search(text):  # a pair that came in two halves is joined again
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return str(_CONTROL.sub("\ufffd", text))


def is_clean(text: str) -> bool:
    """Whether clean() leaves the text as it is."""
    # each is several times as fast as the expression, for its kind of text
    if text.isascii():
        return (len(text) < 50 and text.isprintable()) or not _has_control(text)
    spaced = text.replace("\xa0", " ").replace("\u202f", " ")  # as in sums of money
    return spaced.isprintable() or not _DIRTY.search(text)


def clean_pieces(pieces: list[str], known: frozenset[str] | set[str]) -> list[str]:
    """The pieces of one text cleaned, which together are what clean() makes of the whole text.

    known: pieces that are clean. One piece comes back where halves of a surrogate pair may lie
    in two.
    """
    fresh = "".join(set(pieces).difference(known))
    if is_clean(fresh):
        return pieces
    if _SURROGATE.search(fresh):
        return [clean("".join(pieces))]
    return [clean(piece) for piece in pieces]


def one_line(text: str) -> str:
    """Clean, with every run of white space made one space: for subjects, titles and headers."""
    text = clean(text)
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    return _SPACE.sub(" ", text).strip()


def _has_control(ascii_text: str) -> bool:
    encoded = ascii_text.encode("ascii")
    return len(encoded.translate(None, _ASCII_CONTROL)) != len(encoded)
