"""Text in ASCII headers: encoded words (RFC 2047), always UTF-8, B or Q by length."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator

_WORD_LIMIT = 75  # RFC 2047 section 2: a whole encoded word, delimiters included
_DELIMITERS = len("=?utf-8?q??=")

# What section 5 (3) allows in a phrase; safe in unstructured text too, so one table serves both.
_LITERAL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/"
_Q = [chr(octet) if chr(octet) in _LITERAL else f"={octet:02X}" for octet in range(256)]
_Q[ord(" ")] = "_"

# A decoder that draws each word by itself would tear these apart: combining marks, variation
# selectors, emoji modifiers and tags, and whatever a ZERO WIDTH JOINER holds together.
_MARKS = (
    "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f"
    "\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\U000e0100-\U000e01ef]*"
)
_CLUSTER = re.compile(f".{_MARKS}(?:\u200d.{_MARKS})*", re.DOTALL)


def encoded_words(text: str, room: int = _WORD_LIMIT) -> Iterator[str]:
    """`text`, without surrogates, as encoded words to be joined by one space or fold each.

    room: columns left on the line for the first word; where they do not take even one
    grapheme, the first word has the full 75 and belongs on the next line.
    """
    first, rest = min(room, _WORD_LIMIT) - _DELIMITERS, _WORD_LIMIT - _DELIMITERS
    if len(_q(text)) <= len(_b(text)):
        return (f"=?utf-8?q?{_q(piece)}?=" for piece in _pieces(text, _q_width, first, rest))
    first, rest = first // 4 * 3, rest // 4 * 3  # four columns hold three octets
    return (f"=?utf-8?b?{_b(piece)}?=" for piece in _pieces(text, _octets, first, rest))


def _q(text: str) -> str:
    return "".join([_Q[octet] for octet in text.encode()])


def _b(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _q_width(text: str) -> int:
    return len(_q(text))


def _octets(text: str) -> int:
    return len(text.encode())


def _pieces(text: str, width: Callable[[str], int], first: int, rest: int) -> Iterator[str]:
    piece, used, room = "", 0, first
    for unit in _units(text, width, rest):
        needed = width(unit)
        if used + needed > room:
            if piece:
                yield piece
            piece, used, room = "", 0, rest
        piece, used = piece + unit, used + needed
    if piece:
        yield piece


def _units(text: str, width: Callable[[str], int], limit: int) -> Iterator[str]:
    """What a word may not split: graphemes, or characters where a grapheme is too wide."""
    for cluster in _CLUSTER.findall(text):
        if width(cluster) <= limit:
            yield cluster
        else:
            yield from cluster
