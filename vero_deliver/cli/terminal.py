"""What a terminal may be told: data in messages and errors must not steer it."""

from __future__ import annotations

import re

# escape sequences, bare CR, and what turns the reading direction of the rest of the line
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: str) -> str:
    """The text with control characters, bidi overrides and lone surrogates made U+FFFD."""
    return _STEERING.sub("\ufffd", text)
