"""Broadcasts to a channel of Apple's, and the channels themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from apns_fake import KEY_ID, TEAM_ID, TOPIC, UUID, FakeApns, new_key, p8
from push_server import Answer, Handler, Server, Trouble, authority, serving

from vero_channels.push.apns import Apns
from vero_channels.push.apns_channels import HOSTS, ApnsChannels
from vero_channels.push.shown import request
from vero_channels.transport.apns_broadcast import LIMIT
from vero_deliver.errors import (
    ConfigError,
    Deferred,
    DeliveryError,
    Gone,
    Misconfigured,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import RenderedPush
from vero_deliver.testing import sample_push
from vero_deliver.user import Device

KEY = new_key()
ACCOUNT: dict[str, Any] = {"key": p8(KEY), "key_id": KEY_ID, "team_id": TEAM_ID}
STATE = {"event": "update", "timestamp": 1685952000, "content-state": {"home": 1, "away": 0}}
ACTIVITY = {"apns-push-type": "liveactivity", "aps": {"alert": None, **STATE}}


def goal(channel: str, **changes: Any) -> RenderedPush:
    about = {"ios": ACTIVITY, "body": "1:0", **changes}
    return sample_push(device=Device(token=channel, platform="ios"), **about)


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    authority().cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


@asynccontextmanager
async def both(
    ca_file: Path, answer: Handler | None = None, trouble: Trouble | None = None, **options: Any
) -> AsyncIterator[tuple[ApnsChannels, Apns, Server]]:
    """The channels and what pushes to them, at one server."""
    async with serving(answer or FakeApns(KEY), trouble) as server:
        where: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "ca_file": ca_file}
        where |= ACCOUNT | options
        channels, apns = ApnsChannels(TOPIC, **where), Apns(TOPIC, **where)
        try:
            yield channels, apns, server
        finally:
            await channels.aclose()
            await apns.aclose()


@pytest.mark.anyio
async def test_channels_come_and_go(ca_file: Path) -> None:
    """Made, told apart, listed, deleted; then they are gone."""
    async with both(ca_file) as (channels, _, server):
        scores = await channels.create()
        delays = await channels.create(stored=True)
        assert await channels.list() == [scores, delays]
        assert (await channels.is_stored(scores), await channels.is_stored(delays)) == (False, True)
        await channels.delete(scores)
        assert await channels.list() == [delays]
        with pytest.raises(Gone, match="no such channel") as caught:
            await channels.is_stored(scores)
    assert caught.value.code == "ChannelNotRegistered"
    made = server.asked[0]
    assert made.json == {"message-storage-policy": 0, "push-type": "LiveActivity"}
    assert (made.headers[":method"], made.path) == ("POST", f"/1/apps/{TOPIC}/channels")


@pytest.mark.anyio
async def test_a_broadcast_is_the_documented_request(ca_file: Path) -> None:
    """Path, fields and body; no topic, no report; its id is made of the key."""
    async with both(ca_file) as (channels, _, server):
        channel = await channels.create()
        apns = Apns(
            TOPIC, host="127.0.0.1", port=server.port, ca_file=ca_file,
            report_secret="sixteen characters", **ACCOUNT,
        )  # fmt: skip
        receipt = await apns.send(goal(channel), "goal-1")
        again = await apns.send(goal(channel), "goal-1")
        await apns.aclose()
    assert receipt.provider_id == again.provider_id
    assert UUID.fullmatch(receipt.provider_id)
    asked = server.asked[1]
    assert asked.path == f"/4/broadcasts/apps/{TOPIC}"
    assert {n: v for n, v in asked.headers.items() if n.startswith("apns-")} == {
        "apns-channel-id": channel.removeprefix("/channels/"),
        "apns-push-type": "liveactivity",
        "apns-priority": "10",
        "apns-expiration": "0",
        "apns-request-id": receipt.provider_id,
    }
    assert asked.json["aps"] == STATE
    assert "vd_report" not in asked.json


@pytest.mark.anyio
async def test_a_ttl_is_for_channels_that_keep(ca_file: Path) -> None:
    """It becomes apns-expiration; Apple refuses it where nothing is kept."""
    async with both(ca_file) as (channels, apns, server):
        scores, delays = await channels.create(), await channels.create(stored=True)
        push = goal(delays, ttl=600)
        await apns.send(push, "k")
        expires = server.asked[-1].headers["apns-expiration"]
        assert expires == str(int(push.at.timestamp()) + 600)
        with pytest.raises(Refused) as caught:
            await apns.send(goal(scores, ttl=600), "k")
    assert caught.value.code == "BadExpirationDate"


@pytest.mark.anyio
async def test_size_is_checked_with_its_figure(ca_file: Path) -> None:
    """5,120 bytes of JSON: the last that fits is sent, the next is refused."""
    async with both(ca_file) as (channels, apns, server):
        channel = await channels.create()
        await apns.send(goal(channel, data={"x": "y"}), "k")
        room = LIMIT - len(server.asked[-1].body)
        await apns.send(goal(channel, data={"x": "y" * (room + 1)}), "k")
        assert len(server.asked[-1].body) == LIMIT
        with pytest.raises(Refused, match=f"{LIMIT + 1} bytes and may have {LIMIT}"):
            await apns.send(goal(channel, data={"x": "y" * (room + 2)}), "k")


REFUSED: dict[str, RenderedPush] = {
    "no Live Activity": goal("/channels/dHN0", ios={}),
    "no channel": goal("/channels/"),
    "another path": goal("/3/device/00"),
    "a path behind it": goal("/channels/dHN0/../../x"),
    "a line end": goal("/channels/dHN0\r\nx: y"),
    "priority 7": goal("/channels/dHN0", ios={**ACTIVITY, "apns-priority": "7"}),
    "a field of nobody's": goal("/channels/dHN0", ios={**ACTIVITY, "apns-id": "1"}),
    "expiration as text": goal("/channels/dHN0", ios={**ACTIVITY, "apns-expiration": "never"}),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_a_broadcast_is_not_sent(ca_file: Path, name: str) -> None:
    """Refused, and no request leaves."""
    async with both(ca_file) as (_, apns, server):
        with pytest.raises(Refused, match="cannot be sent") as caught:
            await apns.send(REFUSED[name], "k")
    assert type(caught.value) is Refused
    assert not server.asked


@pytest.mark.anyio
async def test_a_channel_that_is_gone_is_not_asked_about_again(ca_file: Path) -> None:
    """Gone, as a device's token would be."""
    async with both(ca_file) as (_, apns, server):
        for _again in range(2):
            with pytest.raises(Gone, match="no such channel"):
                await apns.send(goal("/channels/dHN0"), "k")
    assert len(server.asked) == 1


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(400, {"reason": "CannotCreateChannelConfig"}), Refused),
        (Answer(400, {"reason": "FeatureNotEnabled"}), Misconfigured),
        (Answer(403, {"reason": "InvalidProviderToken"}), Misconfigured),
        (Answer(429, {"reason": "TooManyRequests"}), Deferred),
        (Answer(201), Uncertain),
        (Answer(500, text="no JSON"), Uncertain),
        (Answer(302, text=""), Misconfigured),
    ],
)
async def test_answers_have_a_meaning(
    ca_file: Path, answer: Answer, kind: type[DeliveryError]
) -> None:
    """By Apple's reason, else by status; 201 without a channel is in doubt."""
    async with both(ca_file, lambda _: answer) as (channels, _, _server):
        with pytest.raises(kind) as caught:
            await channels.create()
    assert type(caught.value) is kind


@pytest.mark.anyio
@pytest.mark.parametrize("body", ["", "[]", '{"channels": "x"}', '{"channels": [1]}', "\xff"])
async def test_lists_that_are_none(ca_file: Path, body: str) -> None:
    """An answer that cannot be read is no list."""
    async with both(ca_file, lambda _: Answer(200, text=body)) as (channels, _, _server):
        with pytest.raises(Uncertain, match="has no channels"):
            await channels.list()


@pytest.mark.anyio
async def test_no_answer_is_told(ca_file: Path) -> None:
    """A channel may have been made."""
    silent = Trouble(fate=lambda _: "hang")
    async with both(ca_file, trouble=silent, timeout=0.3) as (channels, _, _server):
        with pytest.raises(Uncertain):
            await channels.create()


@pytest.mark.anyio
async def test_wrong_options_are_told_at_once(ca_file: Path) -> None:
    """ConfigError, which shows no key; a channel that is none is one as well."""
    for options in ({}, ACCOUNT | {"team_id": ""}, ACCOUNT | {"environment": "test"},
                    ACCOUNT | {"topic": "a\r\nb"}, ACCOUNT | {"key": p8(KEY)[:80]}):  # fmt: skip
        with pytest.raises(ConfigError) as caught:
            ApnsChannels(**{"topic": TOPIC, **options})
        assert p8(KEY).splitlines()[1][:20] not in str(caught.value)
    async with both(ca_file) as (channels, _, server):
        for wrong in ("dHN0", "0a" * 32, "/topics/news"):
            with pytest.raises(ConfigError, match="channel"):
                await channels.delete(wrong)
    assert not server.asked


def test_hosts_are_apples() -> None:
    """By environment, each with its port."""
    assert ApnsChannels(TOPIC, **ACCOUNT)._authority == ":".join(map(str, HOSTS["production"]))
    sandbox = ApnsChannels(TOPIC, environment="sandbox", **ACCOUNT)
    assert sandbox._authority == "api-manage-broadcast.sandbox.push.apple.com:2195"


def test_a_broadcast_is_shown_as_it_is_sent() -> None:
    """For previews: path and fields."""
    shown = request(goal("/channels/dHN0"), "k", {"driver": "apns", "topic": TOPIC}).decode()
    head, _, _ = shown.partition("\r\n\r\n")
    assert head.splitlines()[0] == f"POST /4/broadcasts/apps/{TOPIC} HTTP/2"
    assert "apns-channel-id: dHN0" in head.splitlines()
    assert "apns-topic" not in head
