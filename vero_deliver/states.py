"""The states of a recorded delivery, and what may follow each: docs/outbox.md tells them.

queued -> sending -> accepted -> delivered -> bounced, complained
             |-> deferred -> sending ...
             |-> refused, gone, unrendered, skipped, suppressed, uncertain
queued, deferred -> expired, cancelled
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

State = Literal[
    "queued",
    "sending",
    "accepted",
    "delivered",
    "deferred",
    "refused",
    "gone",
    "bounced",
    "complained",
    "suppressed",
    "skipped",
    "unrendered",
    "expired",
    "cancelled",
    "uncertain",
]

# what becomes of a delivery that left, and was never answered
Repeat = Literal["at_most_once", "at_least_once"]

WAITING: Final[tuple[State, ...]] = ("queued", "deferred")
OPEN: Final[tuple[State, ...]] = (*WAITING, "sending")
UNREACHABLE: Final[tuple[State, ...]] = ("skipped", "gone", "suppressed")  # try another content
REACHED: Final[tuple[State, ...]] = ("delivered", "complained")
UNDELIVERED: Final[tuple[State, ...]] = ("accepted", "uncertain")  # perhaps not yet

_ANSWERS: Final[tuple[State, ...]] = ("accepted", "refused", "gone")
_FEEDBACK: Final[tuple[State, ...]] = ("delivered", "bounced", "complained")

FOLLOWS: Final[Mapping[State, frozenset[State]]] = {
    "queued": frozenset({"sending", "expired", "cancelled"}),
    "sending": frozenset(
        {
            *_ANSWERS, *_FEEDBACK, "queued", "deferred", "suppressed", "skipped", "unrendered",
            "expired", "uncertain",
        }
    ),
    # an answer that comes after the lease was lost is an answer all the same
    "deferred": frozenset(
        {*_ANSWERS, *_FEEDBACK, "sending", "expired", "cancelled", "uncertain"}
    ),
    "uncertain": frozenset({*_ANSWERS, *_FEEDBACK, "queued", "deferred", "cancelled"}),
    "accepted": frozenset(_FEEDBACK),
    "delivered": frozenset({"bounced", "complained"}),
    "bounced": frozenset({"complained"}),
    "complained": frozenset(),
    # a person may have the cause corrected, and asks for it again
    "refused": frozenset({"queued"}),
    "gone": frozenset({"queued"}),
    "suppressed": frozenset({"queued"}),
    "skipped": frozenset({"queued"}),
    "unrendered": frozenset({"queued"}),
    "expired": frozenset({"queued"}),
    "cancelled": frozenset({"queued"}),
}  # fmt: skip
