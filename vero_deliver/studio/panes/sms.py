"""The text message as a bubble, what it takes, and the characters that make it dear."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from vero_deliver.segments import segments, smart_encoded
from vero_deliver.studio.look import Look
from vero_deliver.studio.made import Made


def sms(look: Look, made: Made) -> Mapping[str, Any]:
    """Segments, runs of text inside and outside GSM-7, and what plain characters would take."""
    del look
    if made.sms is None:
        return {}
    body = made.sms.body
    takes = segments(body)
    plain = segments(smart_encoded(body))
    outside = set(takes.outside)
    runs = [("".join(run), odd) for odd, run in groupby(body, lambda letter: letter in outside)]
    return {
        "sms": made.sms,
        "takes": takes,
        "room": {"GSM-7": (160, 153), "UCS-2": (70, 67)}[takes.encoding],
        "plain": plain if plain.count < takes.count else None,
        "runs": runs,
        "odd": [(letter, f"U+{ord(letter):04X}") for letter in takes.outside],
    }
