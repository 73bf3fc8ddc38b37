"""Quiet hours, by the clock of the recipient."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vero_channels.memory import Memory
from vero_deliver.channel import Channel
from vero_deliver.errors import ConfigError, Deferred
from vero_deliver.rendered import RenderedSms
from vero_deliver.routes import Circuits, QuietHours
from vero_deliver.routes.quiet import Hours
from vero_deliver.testing import ChannelContract, sample_email, sample_push, sample_sms

PRAGUE = ZoneInfo("Europe/Prague")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "now", "zone", "left"),
    [
        ("21:00-08:00", "2026-07-01T12:00", "Europe/Prague", 0),
        ("21:00-08:00", "2026-07-01T18:59:59", "Europe/Prague", 0),
        ("21:00-08:00", "2026-07-01T19:00", "Europe/Prague", 11 * 3600),
        ("21:00-08:00", "2026-07-01T23:00", "Europe/Prague", 7 * 3600),
        ("21:00-08:00", "2026-07-02T05:59", "Europe/Prague", 60),
        ("21:00-08:00", "2026-07-02T06:00", "Europe/Prague", 0),
        ("21:00-08:00", "2026-07-01T12:00", "Asia/Tokyo", 11 * 3600),
        ("21:00-08:00", "2026-07-01T12:00", "America/New_York", 0),
        ("12:00-14:00", "2026-07-01T12:30", "UTC", 5400),
        ("12:00-14:00", "2026-07-01T14:00", "UTC", 0),
        ("0:00-6:30", "2026-07-01T00:00", "UTC", 6.5 * 3600),
        # the night in which clocks go forward is an hour shorter, and longer in autumn
        ("21:00-08:00", "2026-03-28T20:00", "Europe/Prague", 10 * 3600),
        ("21:00-08:00", "2026-10-24T19:00", "Europe/Prague", 12 * 3600),
        # an end that the clocks pass over, and one that they show twice
        ("21:00-02:30", "2026-03-29T00:59", "Europe/Prague", 1860),
        ("21:00-02:30", "2026-10-25T00:00", "Europe/Prague", 1800),
    ],
)  # fmt: skip
def test_how_long_they_last(hours: str, now: str, zone: str, left: float) -> None:
    """Seconds until they end where the recipient is."""
    assert Hours.parse("x", hours).left(utc(now), ZoneInfo(zone)) == left


@given(
    now=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    zone=st.sampled_from(["Europe/Prague", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
    hours=st.sampled_from(["21:00-08:00", "00:00-23:59", "23:59-00:00", "01:30-02:30"]),
)
def test_they_end(now: datetime, zone: str, hours: str) -> None:
    """Who comes back when told finds them over, after one more wait at the most."""
    parsed, place = Hours.parse("x", hours), ZoneInfo(zone)
    left = parsed.left(now, place)
    assert 0 <= left <= 26 * 3600
    again = parsed.left(now + timedelta(seconds=left), place)
    assert again <= 3600


class TestQuietHours(ChannelContract[RenderedSms]):
    """Outside of the hours a route is what its channel is."""

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedSms]]:
        self.memory = Memory()
        yield quiet(self.memory, "2026-07-01T12:00", name="memory")

    def sample(self, key: str) -> RenderedSms:
        return sample_sms(body=repr(key), kind="marketing")

    def arrived(self) -> int:
        return len(self.memory.sent)


def quiet(memory: Memory, now: str, **options: Any) -> QuietHours[Any]:
    given: dict[str, Any] = {
        "hours": "21:00-08:00",
        "clock": lambda: utc(now),
        "health": Circuits(),
    }
    return QuietHours(memory, **(given | options))


@pytest.mark.anyio
async def test_marketing_waits_and_a_code_does_not() -> None:
    """Deferred with the time that is left; nothing is handed over."""
    memory = Memory()
    route = quiet(memory, "2026-07-01T22:00", name="texts")
    for sample in (sample_sms, sample_push):
        with pytest.raises(Deferred, match="quiet hours in Europe/Prague") as caught:
            await route.send(sample(kind="marketing", timezone="Europe/Prague"), "key-1")
        assert (caught.value.retry_after, caught.value.channel) == (8 * 3600, "texts")
    assert not memory.sent
    await route.send(sample_sms(kind="transactional", timezone="Europe/Prague"), "key-2")
    await route.send(sample_sms(kind="marketing", timezone="America/New_York"), "key-3")
    await route.send(sample_email(kind="marketing"), "key-4")
    assert len(memory.sent) == 3


@pytest.mark.parametrize("timezone", ["", "Mars/Olympus", "../etc/passwd", "\0"])
@pytest.mark.anyio
async def test_unknown_timezone_is_the_routes(timezone: str) -> None:
    """Who says nothing, or nonsense, lives where the route says."""
    memory = Memory()
    sms = sample_sms(kind="marketing", timezone=timezone)
    with pytest.raises(Deferred, match="Asia/Tokyo"):
        await quiet(memory, "2026-07-01T14:00", timezone="Asia/Tokyo").send(sms, "key-1")
    await quiet(memory, "2026-07-01T14:00").send(sms, "key-1")


@pytest.mark.parametrize(
    "options",
    [{"hours": "21-8"}, {"hours": "24:00-08:00"}, {"hours": "08:00-08:00"}, {"hours": ""},
     {"timezone": "Prague"}],
)  # fmt: skip
def test_wrong_options(options: dict[str, str]) -> None:
    """What is no part of a day, and no zone, is an error with the route's name."""
    with pytest.raises(ConfigError, match="route 'memory'"):
        quiet(Memory(), "2026-07-01T12:00", **options)
