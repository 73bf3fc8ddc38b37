"""A delivery: one content of one message to one user, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vero_deliver.channel import Receipt
from vero_deliver.errors import (
    Deferred,
    DeliveryError,
    Gone,
    Misconfigured,
    Refused,
    RenderError,
    Uncertain,
)
from vero_deliver.rendered import ContentName, Skipped
from vero_deliver.states import State as RecordedState
from vero_deliver.user import User

State = Literal[RecordedState, "misconfigured"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the outbox says of a delivery that this call did not send."""

    state: RecordedState
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Not sent, because the recipient must not get it, and why."""

    reason: str


Sent = Receipt | Skipped | Suppressed | RenderError | DeliveryError
Outcome = Sent | Recorded

_STATES: tuple[tuple[type[object], State], ...] = (
    (Receipt, "accepted"),
    (Skipped, "skipped"),
    (Suppressed, "suppressed"),
    (RenderError, "unrendered"),
    (Gone, "gone"),
    (Refused, "refused"),
    (Deferred, "deferred"),
    (Misconfigured, "misconfigured"),
    (Uncertain, "uncertain"),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One content of one message to one user, and what became of it."""

    key: str
    content: ContentName
    user: User
    outcome: Outcome

    @property
    def state(self) -> State:
        """The outcome in one word."""
        if isinstance(self.outcome, Recorded):
            return self.outcome.state
        return next(state for kind, state in _STATES if isinstance(self.outcome, kind))

    @property
    def receipt(self) -> Receipt | None:
        """The channel's receipt, where it accepted."""
        return self.outcome if isinstance(self.outcome, Receipt) else None

    @property
    def detail(self) -> str:
        """Why, in words; the provider's id where it was accepted."""
        match self.outcome:
            case Receipt(provider_id=provider_id):
                return provider_id
            case Skipped(reason=reason) | Suppressed(reason=reason):
                return reason
            case Recorded(detail=detail):
                return detail
            case error:
                return str(error)
