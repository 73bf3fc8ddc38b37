"""Deliveries that one call would make twice: an export often holds a person in two rows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from vero_deliver.audience import Recipient
from vero_deliver.delivery import Delivery
from vero_deliver.errors import DataError
from vero_deliver.keys import delivery_key, derive_key
from vero_deliver.message import Message
from vero_deliver.rendered import ContentName, Skipped
from vero_deliver.user import User


class Repeats:
    """Remembers who has had which content of a message in this call."""

    def __init__(self, message: Message) -> None:
        self._message = message
        self._first: dict[tuple[str, bytes], Recipient] = {}

    def sort(
        self, who: Recipient, contents: Sequence[ContentName]
    ) -> tuple[list[ContentName], list[Delivery]]:
        """The contents that are new, and a skipped delivery for each that is not."""
        try:
            base = derive_key(self._message, who.user, data=who.data, event=who.event)
        except DataError:
            return list(contents), []  # sending it says what is wrong
        fresh: list[ContentName] = []
        again: list[Delivery] = []
        for content in contents:
            key = delivery_key(base, content)
            first = self._first.setdefault((key, _besides(who.user, content)), who)
            if first is who:
                fresh.append(content)
            else:
                again.append(Delivery(key, content, who.user, Skipped(_reason(who, first))))
        return fresh, again


def _besides(user: User, content: ContentName) -> bytes:
    """What tells two deliveries of one key apart: devices, and all there is of a nameless user."""
    if not (user.id or user.email or user.phone):
        return msgspec.json.encode(user, order="deterministic")
    return msgspec.json.encode(user.devices) if content == "push" else b""


def _reason(who: Recipient, first: Recipient) -> str:
    if who.row and first.row:
        rows = f"row {who.row} repeats row {first.row}"
        return f"the same delivery twice in the source ({rows})"
    return "the same delivery twice in this call"
