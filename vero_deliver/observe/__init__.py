"""What an operator sees of deliveries: a log line for each outcome, and OpenTelemetry's traces and
metrics where that is installed.

Nothing here holds an address, a name, a body or a provider's words.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from vero_deliver.observe.otel import Telemetry

log: Final = logging.getLogger("vero_deliver.deliveries")
feedback_log: Final = logging.getLogger("vero_deliver.feedback")
_NOTHING: Final = nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one delivery, or of one attempt at it.

    attempt: how often it has been handed to a channel by now. seconds: of this hand-over; None
    where there was none. error: the class of the error.
    """

    key: str
    content: str
    state: str
    channel: str = ""
    attempt: int = 0
    seconds: float | None = None
    error: str = ""


class Backlog(NamedTuple):
    """How many deliveries are due, and for how many seconds the first has been."""

    due: int
    oldest: float


def heard() -> bool:
    """False where nobody listens, so that there is nothing to tell()."""
    return log.isEnabledFor(logging.INFO) or _otel() is not None


def tell(outcome: Outcome) -> None:
    """Log it and count it."""
    if log.isEnabledFor(logging.INFO):
        fields = {name: value for name, value in asdict(outcome).items() if value not in ("", None)}
        over = f" over {outcome.channel}" if outcome.channel else ""
        took = "" if outcome.seconds is None else f" in {outcome.seconds:.3f} s"
        error = f" [{outcome.error}]" if outcome.error else ""
        text = f"{outcome.key} {outcome.state}{over}, attempt {outcome.attempt}{took}{error}"
        log.info("%s", text, extra={"fields": fields})
    if (otel := _otel()) is not None:
        otel.count(outcome)


def tell_feedback(kind: str, channel: str, key: str) -> None:
    """Log and count what was told. key: of the delivery, where it is known."""
    if feedback_log.isEnabledFor(logging.INFO):
        fields = {"kind": kind, "channel": channel, "key": key}
        text = f"{key or 'no delivery'} {kind}, told by {channel}"
        feedback_log.info("%s", text, extra={"fields": fields})
    if (otel := _otel()) is not None:
        otel.count_feedback(kind, channel)


def delivering(key: str, content: str) -> AbstractContextManager[object]:
    """The whole of one delivery."""
    otel = _otel()
    return _NOTHING if otel is None else otel.delivering(key, content)


def rendering(message_id: str, version: str) -> AbstractContextManager[object]:
    """The making of its content."""
    otel = _otel()
    return _NOTHING if otel is None else otel.rendering(message_id, version)


def sending(channel: str, key: str) -> AbstractContextManager[object]:
    """The hand-over to a channel; an exception that leaves it is its failure."""
    otel = _otel()
    return _NOTHING if otel is None else otel.sending(channel, key)


def watching(env: str, backlog: Callable[[], Backlog]) -> AbstractContextManager[object]:
    """Meanwhile measure what is due, whenever metrics are collected."""
    otel = _otel()
    return _NOTHING if otel is None else otel.watching(env, backlog)


@cache
def _otel() -> Telemetry | None:
    try:
        from vero_deliver.observe.otel import Telemetry  # the extra otel
    except ImportError:
        return None
    return Telemetry()
