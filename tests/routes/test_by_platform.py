"""Each push goes over the channel of its device's platform."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from vero_channels.memory import Memory
from vero_deliver.channel import Channel, idempotency_window
from vero_deliver.desk.batched import Batched
from vero_deliver.errors import ConfigError, Deferred, Misconfigured, Refused
from vero_deliver.project import Project
from vero_deliver.rendered import RenderedPush
from vero_deliver.routes import ByPlatform, Circuits
from vero_deliver.testing import ChannelContract, sample_push
from vero_deliver.user import Device


def push(platform: Any) -> RenderedPush:
    return sample_push(device=Device(token="t", platform=platform))


class TestByPlatform(ChannelContract[RenderedPush]):
    carriers = ("one", "two")

    def sample(self, key: str) -> RenderedPush:
        return sample_push(body=f"This is {key!r}.")

    def arrived(self) -> int:
        return len(self.one.sent) + len(self.two.sent)

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedPush]]:
        self.one, self.two = Memory(name="one"), Memory(name="two")
        yield ByPlatform({"ios": self.one, "android": self.two}, health=Circuits())

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedPush]]:
        yield ByPlatform({"ios": Memory(name="one")}, health=Circuits())


@pytest.mark.anyio
async def test_each_platform_goes_its_way() -> None:
    """One channel may stand for several; a failure of one leaves the others alone."""
    apns, fcm = Memory(name="apns"), Memory(name="fcm")
    route = ByPlatform({"ios": apns, "android": fcm, "web": fcm}, health=Circuits())
    for platform in ("ios", "android", "web"):
        await route.send(push(platform), platform)
    assert [len(channel.sent) for channel in (apns, fcm)] == [1, 2]
    apns.fail(Misconfigured("bad key", channel="apns"))
    with pytest.raises(Misconfigured):
        await route.send(push("ios"), "k")
    assert (await route.send(push("web"), "k")).channel == "fcm"


def test_one_that_repeats_is_enough() -> None:
    """A route is as idempotent as the least of its channels."""
    repeats = Memory(name="fcm", idempotent=False)
    assert ByPlatform({"ios": Memory(name="apns")}, health=Circuits()).idempotent
    assert not ByPlatform({"ios": Memory(name="a"), "web": repeats}, health=Circuits()).idempotent


@pytest.mark.anyio
async def test_what_has_no_way_is_refused() -> None:
    """The error names the platform and those that there are."""
    route = ByPlatform({"ios": Memory(name="apns")}, name="devices", health=Circuits())
    with pytest.raises(Refused, match="devices: no channel for web: the route has ios"):
        await route.send(push("web"), "k")
    with pytest.raises(Refused, match="no device"):
        await route.send(sample_push(device=None), "k")


@pytest.mark.anyio
async def test_a_failure_is_not_tried_elsewhere() -> None:
    """Deferred is raised: another platform's channel could not carry it."""
    apns, fcm = Memory(name="apns"), Memory(name="fcm")
    apns.fail(Deferred("busy", channel="apns"))
    route = ByPlatform({"ios": apns, "android": fcm}, health=Circuits())
    with pytest.raises(Deferred):
        await route.send(push("ios"), "k")
    assert not fcm.sent


def test_wrong_platforms_are_told() -> None:
    """A misspelt one, or none at all."""
    with pytest.raises(ConfigError, match="'windows' is none of ios, android, web"):
        ByPlatform({"windows": Memory()})  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match="it has no channels"):
        ByPlatform({})


def project(folder: Path, route: str, content: str = "push") -> Project:
    (folder / "vero-deliver.toml").write_text(
        f'[env.prod]\n{content} = "devices"\n[routes.devices]\n{route}\n'
        + "".join(f'[channels.{name}]\ndriver = "memory"\n' for name in ("apns", "fcm"))
    )
    return Project.find(folder, env="prod")


def test_a_table_makes_it(tmp_path: Path) -> None:
    """platforms in [routes.NAME]; one name may stand twice."""
    found = project(tmp_path, 'platforms = { ios = "apns", android = "fcm", web = "fcm" }')
    route = found.deliverer(["push"]).channels["push"]
    assert isinstance(route, ByPlatform)
    assert found.carrier("push") == "devices (platforms: ios apns, android fcm, web fcm)"


@pytest.mark.parametrize(
    ("route", "content", "said"),
    [
        ('platforms = { ios = "apsn" }', "push", "routes.devices.platforms.ios: there is no"),
        ('platforms = { ios = "apns" }', "sms", "sms goes to no device"),
        ('platforms = { windows = "apns" }', "push", "windows"),
        ('platforms = { ios = "apns" }\nchannel = "fcm"', "push", "it has platforms and channel"),
    ],
)
def test_mistakes_of_a_table(tmp_path: Path, route: str, content: Any, said: str) -> None:
    """They are found before anything is sent, with the place."""
    with pytest.raises(ConfigError, match=said):
        project(tmp_path, route, content).deliverer([content])


def test_keys_count_as_long_as_with_the_most_forgetful() -> None:
    """A route has the shortest window of its channels, through whatever stands between."""

    class Hour(Memory):
        idempotency_window = timedelta(hours=1)

    class Day(Memory):
        idempotency_window = timedelta(days=1)

    channels: Any = {"ios": Day(name="a"), "android": Hour(name="b"), "web": Memory(name="c")}
    assert idempotency_window(ByPlatform(channels)) == timedelta(hours=1)
    assert idempotency_window(ByPlatform({"web": channels["web"]})) is None
    assert idempotency_window(Batched(channels["ios"])) == timedelta(days=1)
