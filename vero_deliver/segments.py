"""How many text messages a text becomes on its way, and why.

Source: 3GPP TS 23.038 (the GSM 7 bit default alphabet and its extension table), TS 23.040
(concatenation), and "What the Heck is a Segment?", twilio.com, whose counting this is: a
character that a person sees is never cut in two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal
from unicodedata import category

Encoding = Literal["GSM-7", "UCS-2"]

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = "\f^{}\\[~]|€"  # an escape goes before each: two septets
_SEPTETS: Final = dict.fromkeys(_BASIC, 1) | dict.fromkeys(_EXTENDED, 2)
_STRANGE = re.compile(f"[^{re.escape(_BASIC + _EXTENDED)}]")
# units that fit: into one message alone, and into each of several, which have a header
_ROOM: Final[dict[Encoding, tuple[int, int]]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}
_JOINER, _NON_JOINER = "\u200d", "\u200c"
# what looks alike in GSM-7, as Twilio's Smart Encoding has it, but one blank for one
_LIKE: Final = {
    '"': "«»“”„‟″ʺ❝❞〝〞",
    "'": "‘’‛′ʹʻʼʽ´`❛❜",
    ",": "‚、",
    "-": "‐‑‒–—―−•",
    "...": "…",
    "<": "‹",
    ">": "›",
    "/": "⁄∕",
    "!!": "‼",
    "1/4": "¼",
    "1/2": "½",
    "3/4": "¾",
    " ": "\t\u00a0\u3000\u202f\u205f" + "".join(map(chr, range(0x2000, 0x200B))),
    "\n": "\u2028\u2029",
    "": "\u00ad\u200b\u2060\ufeff",
}
_PLAIN: Final = {odd: plain for plain, all_ in _LIKE.items() for odd in all_} | {
    chr(code): chr(code - 0xFEE0)
    for code in range(0xFF01, 0xFF5F)  # full width
}


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text takes. units: septets of GSM-7, or 16 bit code units of UCS-2.

    outside: the characters that GSM-7 has not, each once, in order: any of them makes it UCS-2.
    """

    encoding: Encoding
    count: int
    units: int
    outside: tuple[str, ...] = ()


def segments(text: str) -> Segments:
    """The segments of a text; an empty one takes one."""
    outside = tuple(dict.fromkeys(_STRANGE.findall(text)))
    encoding: Encoding = "UCS-2" if outside else "GSM-7"
    sizes = [_octets(each) // 2 for each in _clusters(text)] if outside else _septets(text)
    units = sum(sizes)
    alone, each_of_several = _ROOM[encoding]
    count = 1 if units <= alone else _packed(sizes, each_of_several)
    return Segments(encoding, count, units, outside)


def too_many(text: str, limit: int | None) -> str:
    """What is wrong with a text of more than `limit` segments; empty where nothing is."""
    found = segments(text) if limit is not None else None
    if found is None or limit is None or found.count <= limit:
        return ""
    because = f" because of {shown(found.outside)}" if found.outside else ""
    return f"takes {found.count} segments of {found.encoding}{because}, max_segments is {limit}"


def shown(characters: tuple[str, ...], most: int = 5) -> str:
    """Characters in words: `'ě' U+011B, '…' U+2026 and 3 more`."""
    named = [f"{each!r} U+{ord(each):04X}" for each in characters[:most]]
    more = f" and {len(characters) - most} more" if len(characters) > most else ""
    return ", ".join(named) + more


def smart_encoded(text: str) -> str:
    """The text with typographic quotes, dashes, blanks and the like as GSM-7 has them.

    Letters stay, whatever their script: one that GSM-7 has not makes the text UCS-2.
    """
    return str(_STRANGE.sub(lambda found: _PLAIN.get(found[0], found[0]), text))


def _septets(text: str) -> list[int]:
    return [_SEPTETS[character] for character in text]


def _octets(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass"))


def _packed(sizes: list[int], room: int) -> int:
    count, left = 1, room
    for size in sizes:
        if size > left:
            count, left = count + 1, room
        left -= size
    return count


def _clusters(text: str) -> Iterator[str]:
    """What people see as one character each (Unicode Standard Annex 29, in short)."""
    begin, flags = 0, 0
    for at, character in enumerate(text):
        before = text[at - 1] if at else ""
        flags = flags + 1 if _is_flag(character) else 0
        if at and not _joined(before, character, second=flags > 0 and flags % 2 == 0):
            yield text[begin:at]
            begin = at
    if text:
        yield text[begin:]


def _joined(before: str, character: str, *, second: bool) -> bool:
    """True where the character belongs to the one before. second: of a pair that is a flag."""
    if _is_control(before) or _is_control(character):
        return False
    if second or _is_hangul_tail(before, character):
        return True
    if before == _JOINER and _is_picture(character):
        return True
    return _extends(character)


def _is_control(character: str) -> bool:
    kind = category(character)
    return kind in ("Cc", "Zl", "Zp", "Cs") or (
        kind == "Cf" and character not in (_JOINER, _NON_JOINER) and not _is_tag(character)
    )


def _extends(character: str) -> bool:
    return (
        category(character) in ("Mn", "Me", "Mc")
        or character in (_JOINER, _NON_JOINER)
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or _is_tag(character)
    )


def _is_tag(character: str) -> bool:
    return "\U000e0020" <= character <= "\U000e007f"


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_picture(character: str) -> bool:
    return category(character) == "So"


def _is_hangul_tail(before: str, character: str) -> bool:
    vowel, consonant = "\u1160" <= character <= "\u11a7", "\u11a8" <= character <= "\u11ff"
    if "\u1100" <= before <= "\u115f":
        leads = "\u1100" <= character <= "\u115f" or "\uac00" <= character <= "\ud7a3"
        return leads or vowel
    whole = "\uac00" <= before <= "\ud7a3"
    open_ = "\u1160" <= before <= "\u11a7" or (whole and (ord(before) - 0xAC00) % 28 == 0)
    closed = "\u11a8" <= before <= "\u11ff" or whole
    return (open_ and vowel) or ((open_ or closed) and consonant)
