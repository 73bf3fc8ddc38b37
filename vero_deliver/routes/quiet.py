"""A channel that leaves people alone at night, by the clock where they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from vero_deliver.channel import Channel, R, Receipt
from vero_deliver.errors import ConfigError, Deferred
from vero_deliver.rendered import Kind, RenderedPush, RenderedSms
from vero_deliver.routes.health import Health
from vero_deliver.routes.members import Route

_HOURS: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])-([01]?[0-9]|2[0-3]):([0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Hours:
    """From `start` until just before `end`, on wall clocks; over midnight where start is later."""

    start: time
    end: time

    @classmethod
    def parse(cls, what: str, text: str) -> Hours:
        """ "21:00-08:00". ConfigError, naming `what`, where it is none or empty."""
        found = _HOURS.fullmatch(text)
        if found:
            figures = [int(figure) for figure in found.groups()]
            hours = cls(time(figures[0], figures[1]), time(figures[2], figures[3]))
            if hours.start != hours.end:
                return hours
        raise ConfigError(f"{what}: {text!r} is no part of a day; write 21:00-08:00")

    def left(self, now: datetime, zone: ZoneInfo) -> float:
        """Seconds until they end where the clocks are `zone`'s; 0 where it is not within them.

        now: timezone-aware. Right over changes to and from summer time.
        """
        local = now.astimezone(zone)
        clock = local.time()
        over_midnight = self.start > self.end
        within = (
            clock >= self.start or clock < self.end
            if over_midnight
            else self.start <= clock < self.end
        )
        if not within:
            return 0.0
        tomorrow = over_midnight and clock >= self.start
        day = local.date() + timedelta(days=1 if tomorrow else 0)
        end = datetime.combine(day, self.end, tzinfo=zone)
        return max((end.astimezone(UTC) - now.astimezone(UTC)).total_seconds(), 1.0)


class QuietHours(Route[R]):
    """Text messages and pushes wait for the morning of their recipient.

    hours: "21:00-08:00", on the recipient's clock; of one whose timezone is not known, on that of
    `timezone`. kinds: which messages wait; a transactional one, a code to log in with, does not.
    A send within the hours is Deferred with retry_after; everything else passes. Above a
    Failover, not below one: there the next channel would be tried.
    """

    def __init__(
        self,
        channel: Channel[R],
        hours: str,
        *,
        timezone: str = "UTC",
        kinds: Sequence[Kind] = ("marketing",),
        name: str = "",
        health: Health | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__([channel], name or channel.name, health)
        try:
            self._hours = Hours.parse("quiet_hours", hours)
            self._zone = zone_of("timezone", timezone)
        except ConfigError as error:
            raise ConfigError(f"route {self.name!r}: {error}") from None
        self._kinds, self._clock = frozenset(kinds), clock

    async def send(self, rendered: R, key: str) -> Receipt:
        """The channel's receipt. Deferred within the hours; every other error is the channel's."""
        [member] = self._members
        if isinstance(rendered, (RenderedSms, RenderedPush)) and rendered.kind in self._kinds:
            zone = _known(rendered.timezone) or self._zone
            left = self._hours.left(self._clock(), zone)
            if left:
                detail = f"quiet hours in {zone.key}; they end in {left / 3600:.1f} h"
                raise Deferred(detail, channel=self.name, retry_after=left)
        return await member.send(rendered, key)


def zone_of(what: str, name: str) -> ZoneInfo:
    """The zone of an IANA name. ConfigError, naming `what`, where it is none."""
    zone = _known(name)
    if zone is None:
        raise ConfigError(f"{what}: {name!r} is no time zone; write Europe/Prague")
    return zone


def _known(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return None
