"""A channel that does what a list says, and counts what reached it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Final

from vero_deliver.channel import Receipt
from vero_deliver.errors import (
    Deferred,
    DeliveryError,
    Gone,
    Misconfigured,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import Rendered

ERRORS: Final[dict[str, Callable[..., DeliveryError]]] = {
    "deferred": Deferred,
    "greylisted": partial(Deferred, personal=True),
    "misconfigured": Misconfigured,
    "refused": Refused,
    "gone": Gone,
    "uncertain": Uncertain,
    "strange": partial(Uncertain, personal=True),  # a host of the recipient's choice is silent
}


class Scripted:
    """Each send takes the next word of the script, then "ok" for ever.

    "uncertain" keeps the message, as a provider may have whose answer was lost; "hang" waits until
    cancelled. log: (channel's name, key, word) of every send, shared by those given the same list.
    """

    idempotent = False

    def __init__(
        self, name: str, script: Iterable[str] = (), log: list[tuple[str, str, str]] | None = None
    ) -> None:
        self.name = name
        self.script = list(script)
        self.log = log if log is not None else []
        self.closed = 0
        self.hanging = asyncio.Event()

    def __repr__(self) -> str:
        return f"Scripted({self.name!r})"

    async def send(self, rendered: Rendered, key: str) -> Receipt:
        """Do what the script says."""
        word = self.script.pop(0) if self.script else "ok"
        self.log.append((self.name, key, word))
        if word == "hang":
            self.hanging.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        if word in ERRORS:
            raise ERRORS[word](f"{word} words", channel=self.name, code="4.5.6")
        return Receipt(self.name, f"{self.name}-{len(self.log)}", datetime.now(UTC))

    async def aclose(self) -> None:
        """Count it."""
        self.closed += 1
