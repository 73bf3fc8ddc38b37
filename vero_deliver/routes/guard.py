"""A channel whose failures are remembered, and which is left alone while it is known to fail."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Generic

from vero_deliver.channel import Channel, R, Receipt, idempotency_window
from vero_deliver.errors import Deferred, DeliveryError, Misconfigured, Refused, Uncertain
from vero_deliver.routes.health import Health, Shut, Verdict

_SHOWN: Final = 200  # characters of a reason


class Guarded(Generic[R]):
    """Hands over to the channel unless its circuit is open; see health.py."""

    def __init__(self, channel: Channel[R], health: Health) -> None:
        self.channel = channel
        self._health = health

    def __repr__(self) -> str:
        return repr(self.channel)

    @property
    def name(self) -> str:
        """The channel's."""
        return self.channel.name

    @property
    def idempotent(self) -> bool:
        """As the channel: what was not handed over was not delivered."""
        return self.channel.idempotent

    @property
    def idempotency_window(self) -> timedelta | None:
        """The channel's."""
        return idempotency_window(self.channel)

    async def shut(self) -> DeliveryError | None:
        """The error with which send() would refuse now, without trying."""
        shut = await self._health.shut(self.name)
        return None if shut is None else self._error(shut)

    async def send(self, rendered: R, key: str) -> Receipt:
        """As the channel; Deferred or Misconfigured at once while the circuit is open."""
        admission = await self._health.admit(self.name)
        if isinstance(admission, Shut):
            raise self._error(admission)
        verdict: Verdict = "unknown"
        reason = ""
        try:
            receipt = await self.channel.send(rendered, key)
            verdict = "works"
        except DeliveryError as error:
            verdict, reason = _verdict(error), _reason(error)
            raise
        finally:
            await self._health.settle(admission, verdict, reason)
        return receipt

    async def aclose(self) -> None:
        """Close the channel."""
        await self.channel.aclose()

    def _error(self, shut: Shut) -> DeliveryError:
        words = f"not tried: unhealthy for {shut.wait:.0f} s more, after {shut.reason}"
        if shut.misconfigured:
            return Misconfigured(words, channel=self.name)
        return Deferred(words, channel=self.name, retry_after=shut.wait)


def _verdict(error: DeliveryError) -> Verdict:
    match error:
        case Refused():
            return "works"  # it looked at the message, and answered
        case Deferred(personal=True):
            return "works"
        case Uncertain(personal=True):
            return "unknown"
        case Misconfigured():
            return "misconfigured"
        case Deferred() | Uncertain():
            return "failed"
        case _:
            return "unknown"


def _reason(error: DeliveryError) -> str:
    """Words that may be shown in errors about other messages: a refusal may name an address."""
    words = error.code if error.code and not isinstance(error, Misconfigured) else error.detail
    return f"{type(error).__name__}: {words[:_SHOWN]}"
