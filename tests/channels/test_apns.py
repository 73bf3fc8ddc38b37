"""Pushes to Apple: what is asked, what each answer means, whose token it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from apns_fake import KEY_ID, SUFFIXES, TEAM_ID, TOPIC, FakeApns, new_key, p8
from push_server import Answer, Handler, Server, Trouble, authority, server_context, serving

from vero_channels.push.apns import HOSTS, MAX_COLLAPSE, TOPIC_SUFFIXES, VOIP_LIMIT, Apns
from vero_channels.push.payload import APNS_LIMIT
from vero_channels.transport.apns_reasons import REASONS
from vero_deliver.channel import Channel
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
from vero_deliver.secret import Secret
from vero_deliver.testing import ChannelContract, sample_push
from vero_deliver.user import Device

KEY = new_key()
LEGAL = "0a" * 32


def push(token: str = LEGAL, **changes: Any) -> RenderedPush:
    return sample_push(device=Device(token=token, platform="ios"), **changes)


@pytest.fixture(scope="session")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority().cert_pem.write_to_path(path)
    return path


@pytest.fixture(autouse=True)
def trusted(ca_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))


def apns(server: Server, **options: Any) -> Apns:
    account: dict[str, Any] = {"key": Secret(p8(KEY)), "key_id": KEY_ID, "team_id": TEAM_ID}
    account = {} if "certificate" in options else account
    return Apns(TOPIC, host="127.0.0.1", port=server.port, **(account | options))


@asynccontextmanager
async def channel(
    answer: Handler | None = None, trouble: Trouble | None = None, **options: Any
) -> AsyncIterator[tuple[Apns, Server]]:
    async with serving(answer or FakeApns(KEY), trouble) as server:
        made = apns(server, **options)
        try:
            yield made, server
        finally:
            await made.aclose()


async def outcome(answer: Answer, **options: Any) -> DeliveryError:
    """The error that this answer stands for."""
    async with channel(lambda _: answer, **options) as (made, _):
        with pytest.raises(DeliveryError) as caught:
            await made.send(push(), "k")
    return caught.value


class TestApns(ChannelContract[RenderedPush]):
    secrets = (p8(KEY), p8(KEY).splitlines()[1])

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedPush]]:
        self.fake = FakeApns(KEY)
        async with channel(self.fake) as (made, _):
            yield made

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedPush]]:
        async with channel(FakeApns(new_key())) as (made, _):
            yield made

    def sample(self, key: str) -> RenderedPush:
        return push(body=f"This is {key!r}.")

    def arrived(self) -> int:
        return len(self.fake.accepted)


@pytest.mark.anyio
async def test_request_is_the_documented_one() -> None:
    """Path, fields and body; apns-id is made of the key, so a repeat is recognised."""
    rich = push(ttl=60, collapse="order-1001", badge=0, sound="default", data={"order": "1001"})
    async with channel() as (made, server):
        receipt = await made.send(rich, "key-1")
        again = await made.send(rich, "key-1")
    assert receipt.provider_id == again.provider_id
    asked = server.asked[0]
    assert asked.path == f"/3/device/{LEGAL}"
    assert {n: v for n, v in asked.headers.items() if n.startswith("apns-")} == {
        "apns-topic": TOPIC,
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(int(rich.at.timestamp()) + 60),
        "apns-collapse-id": "order-1001",
        "apns-id": receipt.provider_id,
    }
    assert asked.json["aps"] == {
        "alert": {"title": rich.title, "body": rich.body},
        "badge": 0,
        "sound": "default",
    }
    assert asked.json["order"] == "1001"


EXTRAS: dict[str, dict[str, Any]] = {
    "alert": {},
    "background": {"aps": {"alert": None, "content-available": 1}},
    "liveactivity": {
        "aps": {"timestamp": 1, "event": "update", "content-state": {"x": 1}, "alert": None}
    },
}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", SUFFIXES)
async def test_every_push_type_has_its_topic(kind: str) -> None:
    """The fake knows what is appended to the bundle ID; background has priority 5."""
    extras = EXTRAS.get(kind, {})
    if kind not in ("alert", "background"):
        extras = {**extras, "apns-push-type": kind}
    async with channel() as (made, server):
        await made.send(push(ios=extras), "k")
    headers = server.asked[0].headers
    assert (headers["apns-push-type"], headers["apns-topic"]) == (kind, TOPIC + SUFFIXES[kind])
    assert headers["apns-priority"] == ("5" if kind == "background" else "10")
    assert not [name for name in server.asked[0].json if name.startswith("apns-")]


def test_push_types_are_all_there() -> None:
    """The driver's table is the fake's."""
    assert TOPIC_SUFFIXES == SUFFIXES


REFUSED: dict[str, RenderedPush] = {
    "no device": sample_push(device=None),
    "of an Android": sample_push(),
    "not hexadecimal": push("x:APA91-token"),
    "a path": push("../../3/device/00"),
    "empty token": push(""),
    "a type that is none": push(ios={"apns-push-type": "alarm"}),
    "background at 10": push(ios={"apns-push-type": "background", "apns-priority": "10"}),
    "priority 7": push(ios={"apns-priority": 7}),
    "collapse id of 65 bytes": push(ios={"apns-collapse-id": "x" * (MAX_COLLAPSE + 1)}),
    "expiration as text": push(ios={"apns-expiration": "tomorrow"}),
    "a field of nobody's": push(ios={"apns-id": "1"}),
    "a line end in a field": push(ios={"apns-topic": "a\r\nb: c"}),
    "no JSON": push(ios={"x": object()}),
    "a taken name": push(data={"aps": "1"}),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", REFUSED)
async def test_what_apple_would_refuse_is_not_sent(name: str) -> None:
    """Refused, and no request leaves."""
    async with channel() as (made, server):
        with pytest.raises(Refused, match="cannot be sent") as caught:
            await made.send(REFUSED[name], "k")
    assert type(caught.value) is Refused
    assert not server.asked


@pytest.mark.anyio
async def test_size_is_checked_with_its_figure() -> None:
    """4,096 bytes of JSON, 5,120 for VoIP: the last that fits is sent, the next is refused."""
    for limit, extras in ((APNS_LIMIT, {}), (VOIP_LIMIT, {"apns-push-type": "voip"})):
        async with channel() as (made, server):
            await made.send(push(body="", ios=extras), "k")
            room = limit - len(server.asked[0].body) - len(',"body":""')
            await made.send(push(body="x" * room, ios=extras), "k")
            assert len(server.asked[1].body) == limit
            with pytest.raises(Refused, match=f"{limit + 1} bytes and may have {limit}"):
                await made.send(push(body="x" * (room + 1), ios=extras), "k")


DOCUMENTED = {
    400: (
        "BadChannelId", "BadCollapseId", "BadDeviceToken", "BadExpirationDate", "BadMessageId",
        "BadPriority", "BadRequestParams", "BadRequestPayload", "BadTopic",
        "CannotCreateChannelConfig", "ChannelNotRegistered", "DeviceTokenNotForTopic",
        "DuplicateHeaders", "FeatureNotEnabled", "IdleTimeout", "InvalidPushType",
        "MissingChannelId", "MissingDeviceToken", "MissingPushType", "MissingTopic",
        "PayloadEmpty", "TopicDisallowed",
    ),
    403: (
        "BadCertificate", "BadCertificateEnvironment", "ExpiredProviderToken", "Forbidden",
        "InvalidProviderToken", "MissingProviderToken", "UnrelatedKeyIdInToken",
        "BadEnvironmentKeyIdInToken", "BadEnvironmentKeyInToken", "TopicMismatch",
    ),
    404: ("BadPath",),
    405: ("MethodNotAllowed",),
    410: ("ExpiredToken", "Unregistered"),
    413: ("PayloadTooLarge",),
    429: ("TooManyProviderTokenUpdates", "TooManyRequests"),
    500: ("InternalServerError",),
    503: ("ServiceUnavailable", "Shutdown"),
}  # fmt: skip


DEAD = ("BadDeviceToken", "DeviceTokenNotForTopic", "BadChannelId", "ChannelNotRegistered")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "reason"), [(status, each) for status in DOCUMENTED for each in DOCUMENTED[status]]
)
async def test_every_documented_reason_is_mapped(status: int, reason: str) -> None:
    """The code is Apple's own word; the error is what happens next."""
    error = await outcome(Answer(status, {"reason": reason}))
    assert error.code == reason
    assert type(error) is REASONS[reason]
    assert isinstance(error, Gone) == (status == 410 or reason in DEAD)
    if status in (429, 500, 503):
        assert isinstance(error, Deferred)
    if status == 403:
        assert isinstance(error, Misconfigured)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(400, {"reason": "SomethingNew"}), Refused),
        (Answer(403, text="<html>"), Misconfigured),
        (Answer(410, text=""), Gone),
        (Answer(429, text=""), Deferred),
        (Answer(500, text="no JSON"), Uncertain),
        (Answer(502, text="<html>Bad gateway</html>"), Uncertain),
        (Answer(503, json=["x"]), Deferred),
        (Answer(410, {"reason": "Unregistered", "timestamp": 1 << 80}), Gone),
        (Answer(410, {"reason": 7}), Gone),
    ],
)
async def test_unknown_answers_have_a_meaning(answer: Answer, kind: type[DeliveryError]) -> None:
    """By status, as for every provider, where no known reason is there."""
    assert type(await outcome(answer)) is kind


@pytest.mark.anyio
async def test_retry_after_is_told() -> None:
    """Apple's own figure, else ours for the reason."""
    wait = Answer(503, {"reason": "ServiceUnavailable"}, {"retry-after": "17"})
    error = await outcome(wait)
    assert isinstance(error, Deferred)
    assert error.retry_after == 17
    error = await outcome(Answer(429, {"reason": "TooManyProviderTokenUpdates"}))
    assert isinstance(error, Deferred)
    assert error.retry_after == 1200


@pytest.mark.anyio
async def test_gone_says_since_when() -> None:
    """timestamp is in milliseconds."""
    error = await outcome(Answer(410, {"reason": "Unregistered", "timestamp": 1454402113000}))
    assert isinstance(error, Gone)
    assert error.since == datetime(2016, 2, 2, 8, 35, 13, tzinfo=UTC)


@pytest.mark.anyio
async def test_dead_token_is_not_asked_about_again_for_an_hour() -> None:
    """A refusal slows the connection down, so the second is ours; then Apple is asked anew."""
    now = [1_800_000_000.0]
    fake = FakeApns(KEY, clock=lambda: now[0])
    fake.dead = {LEGAL: (410, {"reason": "Unregistered", "timestamp": 1454402113000})}
    async with channel(fake, clock=lambda: now[0]) as (made, server):
        for _ in range(3):
            with pytest.raises(Gone) as caught:
                await made.send(push(), "k")
            assert caught.value.since == datetime(2016, 2, 2, 8, 35, 13, tzinfo=UTC)
            assert caught.value.code == "Unregistered"
        assert len(server.asked) == 1
        await made.send(push("0b" * 32), "k")
        now[0] += 3601
        fake.dead = {}
        await made.send(push(), "k")
    assert len(server.asked) == 3


@pytest.mark.anyio
@pytest.mark.parametrize("reason", ["BadDeviceToken", "DeviceTokenNotForTopic"])
async def test_no_token_known_means_another_environment(reason: str) -> None:
    """After twenty of them and nothing accepted ever, users are no longer called gone."""
    async with channel(lambda _: Answer(400, {"reason": reason})) as (made, _):
        errors = []
        for number in range(25):
            with pytest.raises(DeliveryError) as caught:
                await made.send(push(f"{number:064x}"), "k")
            errors.append(caught.value)
    assert [type(error) for error in errors] == [Gone] * 20 + [Misconfigured] * 5
    assert "environment" in str(errors[-1])


@pytest.mark.anyio
async def test_dead_tokens_among_living_ones_stay_gone() -> None:
    """Once one push was accepted, the environment is right."""
    fake = FakeApns(KEY)
    fake.dead = {f"{number:064x}": (400, {"reason": "BadDeviceToken"}) for number in range(30)}
    async with channel(fake) as (made, _):
        await made.send(push(), "k")
        for token in fake.dead:
            with pytest.raises(Gone):
                await made.send(push(token), "k")


@pytest.mark.anyio
async def test_provider_token_lives_45_minutes() -> None:
    """One token for all requests and connections, until it is 45 minutes old."""
    now = [1_800_000_000.0]
    fake = FakeApns(KEY, clock=lambda: now[0])
    async with channel(fake, Trouble(streams=1), clock=lambda: now[0], connections=3) as (made, _):
        await asyncio.gather(*(made.send(push(), f"k-{n}") for n in range(100)))
        now[0] += 45 * 60 - 1
        await made.send(push(), "k")
        assert len(fake.tokens) == 1
        now[0] += 1
        await made.send(push(), "k")
        assert len(fake.tokens) == 2
        now[0] -= 30 * 60  # the clock was set back
        await made.send(push(), "k")
    assert len(fake.tokens) == 3


@pytest.mark.anyio
async def test_expired_provider_token_is_made_anew_once() -> None:
    """Many requests in flight are refused, one new token is made, and all are accepted."""
    ours, theirs = [1_800_000_000.0], [1_800_000_000.0]
    fake = FakeApns(KEY, clock=lambda: theirs[0])
    async with channel(fake, clock=lambda: ours[0]) as (made, server):
        await made.send(push(), "k")
        ours[0] += 2400
        theirs[0] += 3700  # their clock is not ours
        await asyncio.gather(*(made.send(push(), f"k-{n}") for n in range(50)))
        assert len(fake.tokens) == 2
        assert len(server.asked) == 101
        theirs[0] += 3700
        for _ in range(3):
            with pytest.raises(Misconfigured, match="clock"):
                await made.send(push(), "k")
    assert len(fake.tokens) == 2  # Apple allows a new one every 20 minutes


@pytest.mark.anyio
async def test_certificate_in_place_of_a_token(tmp_path: Path) -> None:
    """TLS says who we are; no authorization is sent."""
    ours = authority().issue_cert("com.example.shop")
    ours.private_key_and_cert_chain_pem.write_to_path(tmp_path / "push.pem")
    fake = FakeApns(KEY, certificate=True)
    async with serving(fake, tls=server_context(client_certificates=True)) as server:
        made = apns(server, certificate=tmp_path / "push.pem")
        await made.send(push(), "k")
        await made.aclose()
    assert "authorization" not in server.asked[0].headers


ACCOUNT: dict[str, Any] = {"key": p8(KEY), "key_id": KEY_ID, "team_id": TEAM_ID}
WRONG: dict[str, dict[str, Any]] = {
    "no account": {},
    "no team": ACCOUNT | {"team_id": ""},
    "both": ACCOUNT | {"certificate": "x.pem"},
    "a key that is none": ACCOUNT | {"key": p8(KEY)[:80]},
    "a certificate that is not there": {"certificate": "/nowhere/x.pem"},
    "a certificate that is none": {"certificate": __file__},
    "another environment": ACCOUNT | {"environment": "test"},
    "authorities that are not there": ACCOUNT | {"ca_file": "/nowhere/ca.pem"},
    "a port in the host": ACCOUNT | {"host": "127.0.0.1:443"},
    "no time": ACCOUNT | {"timeout": 0},
    "no connection": ACCOUNT | {"connections": 0},
    "a short secret": ACCOUNT | {"report_secret": "short"},
    "a topic that is none": ACCOUNT | {"topic": "a\r\nb"},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_options_are_told_at_once(name: str) -> None:
    """ConfigError, which shows no key."""
    with pytest.raises(ConfigError) as caught:
        Apns(**{"topic": TOPIC, **WRONG[name]})
    assert p8(KEY).splitlines()[1][:20] not in str(caught.value)


def test_hosts_are_apples() -> None:
    """Production unless told otherwise."""
    assert Apns(TOPIC, **ACCOUNT)._authority == HOSTS["production"] == "api.push.apple.com"
    sandbox = Apns(TOPIC, environment="sandbox", **ACCOUNT)
    assert sandbox._authority == "api.sandbox.push.apple.com"


@pytest.mark.anyio
async def test_faults_are_told_apart(tmp_path: Path) -> None:
    """Nobody there: Deferred; not trusted: Misconfigured; no answer: Uncertain."""
    async with channel(trouble=Trouble(fate=lambda _: "hang"), timeout=0.3) as (made, _):
        with pytest.raises(Uncertain, match="may have been accepted"):
            await made.send(push(), "k")
    with pytest.raises(Deferred, match="no connection"):
        await made.send(push(), "k")
    async with serving(FakeApns(KEY)) as server:
        trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
        made = apns(server, ca_file=tmp_path / "other.pem")
        with pytest.raises(Misconfigured, match="certificate verify failed"):
            await made.send(push(), "k")
        await made.aclose()


@pytest.mark.anyio
async def test_app_gets_a_token_to_report_with() -> None:
    """With a report_secret the payload has vd_report, and asks for the app's extension."""
    async with channel(report_secret="a secret of 16 characters") as (made, server):
        await made.send(push(), "k")
    assert server.asked[0].json["vd_report"]
    assert server.asked[0].json["aps"]["mutable-content"] == 1


@pytest.mark.anyio
async def test_answer_that_repeats_the_token_does_not_show_it() -> None:
    """A token of ours in an error is masked."""
    seen: list[str] = []

    def repeat(asked: Any) -> Answer:
        seen.append(asked.headers["authorization"].split()[1])
        return Answer(400, {"reason": f"no good: {seen[0]}"})

    async with channel(repeat) as (made, _):
        with pytest.raises(Refused) as caught:
            await made.send(push(), "k")
    assert seen[0][:40] not in str(caught.value)
