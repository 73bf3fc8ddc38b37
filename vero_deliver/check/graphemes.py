"""How long a text is to a reader: letters with their accents, and emoji, count once.

After UAX #29, without Hangul syllables that are written in parts and without Indic conjuncts.
"""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"


def graphemes(text: str) -> int:
    """The number of what a reader sees as one character."""
    count, joined, flags = 0, False, 0
    for letter in text:
        flags = flags + 1 if "\U0001f1e6" <= letter <= "\U0001f1ff" else 0
        second = flags and flags % 2 == 0  # two letters of a country are one flag
        if not (joined or second or letter == _JOINER or _extends(letter)):
            count += 1
        joined = letter == _JOINER
    return count


def _extends(letter: str) -> bool:
    skin = "\U0001f3fb" <= letter <= "\U0001f3ff"
    return skin or unicodedata.category(letter) in ("Mn", "Me", "Cf")
