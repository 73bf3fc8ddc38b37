"""The driver `webpush` against a push service with TLS, and a browser that decrypts."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import http_ece
import httpx
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from http_server import Answer, Asked, Server, serving
from py_vapid import Vapid02

from vero_channels.push.payload import webpush_payload
from vero_channels.push.webpush import WebPush, read_subscription
from vero_channels.transport.http1 import Http1Transport
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
from vero_deliver.push_reports import read_token
from vero_deliver.rendered import RenderedPush
from vero_deliver.testing import NOON, ChannelContract, sample_push
from vero_deliver.user import Device
from vero_deliver.vapid import new_vapid_key

KEY = new_vapid_key()
REPORTS = "a-secret-for-push-reports"
BROWSER = generate_private_key(SECP256R1())
AUTH = b"0123456789abcdef"
CA = trustme.CA()


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


P256DH = base64url(BROWSER.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def subscribed(endpoint: str, **changes: Any) -> Device:
    """A browser whose subscription is at that endpoint."""
    keys = {"p256dh": P256DH, "auth": base64url(AUTH)} | changes
    token = json.dumps({"endpoint": endpoint, "expirationTime": None, "keys": keys})
    return Device(token=token, platform="web")


def decrypted(asked: Asked) -> Any:
    """What the browser hands to the service worker."""
    return json.loads(http_ece.decrypt(asked.body, private_key=BROWSER, auth_secret=AUTH))


class PushService:
    """201 with the message's own URL, once everything that RFC 8030 asks for is there."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    def answer(self, asked: Asked) -> Answer:
        headers = asked.headers
        assert (asked.method, headers["content-encoding"]) == ("POST", "aes128gcm")
        assert int(headers["ttl"]) >= 0
        assert headers["urgency"] in ("very-low", "low", "normal", "high")
        assert Vapid02.verify(headers["authorization"].replace(", ", ","))
        assert len(asked.body) <= 4096
        self.got.append(decrypted(asked))
        return Answer(201, headers={"location": f"/message/{len(self.got)}"})


def certified() -> ssl.SSLContext:
    """For a server on 127.0.0.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("127.0.0.1").configure_cert(context)
    return context


@asynccontextmanager
async def against(answer: Any, **options: Any) -> AsyncIterator[tuple[WebPush, Server]]:
    """The driver, and a push service on this machine that answers so."""
    ours = ssl.create_default_context()
    CA.configure_trust(ours)
    async with (
        serving(answer, tls=certified()) as server,
        httpx.AsyncClient(transport=Http1Transport(verify=ours)) as client,
    ):
        given = {"private_networks": True, "client": client, **options}
        channel = WebPush(KEY, "mailto:ops@example.com", **given)
        try:
            yield channel, server
        finally:
            await channel.aclose()


class TestWebPush(ChannelContract[RenderedPush]):
    secrets = (KEY, KEY.split("\n")[1], REPORTS)

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedPush]]:
        self.service = PushService()
        async with against(self.service.answer, report_secret=REPORTS) as (channel, server):
            self.url = server.url
            yield channel

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedPush]]:
        def answer(asked: Asked) -> Answer:
            return Answer(403, text=f"bad {asked.headers['authorization']}")

        async with against(answer) as (channel, server):
            self.url = server.url
            yield channel

    def sample(self, key: str) -> RenderedPush:
        return sample_push(body=f"This is {key[:9]!r}.", device=subscribed(f"{self.url}/push/1"))

    def arrived(self) -> int:
        return len(self.service.got)


def push_to(server: Server, **changes: Any) -> RenderedPush:
    return sample_push(**({"device": subscribed(f"{server.url}/push/1")} | changes))


@pytest.mark.anyio
async def test_the_browser_reads_the_contract() -> None:
    """The payload arrives as payload.py makes it, with a report token of the secret."""
    service = PushService()
    async with against(service.answer, report_secret=REPORTS) as (channel, server):
        push = push_to(server, collapse="order-1", ttl=60, priority="normal")
        receipt = await channel.send(push, "key-1")
    [asked], [got] = server.asked, service.got
    assert asked.path == "/push/1"
    assert receipt.provider_id == "/message/1"
    assert (asked.headers["ttl"], asked.headers["urgency"]) == ("60", "normal")
    assert asked.headers["topic"] == "order-1"
    named = read_token(got["vd_report"], [REPORTS], now=NOON)
    assert (named.channel, named.key, named.at) == ("webpush", "key-1", NOON)
    assert got == webpush_payload(push, "key-1", report=got["vd_report"])


@pytest.mark.anyio
async def test_without_a_secret_there_is_no_report() -> None:
    """A token that nobody could check is not sent."""
    service = PushService()
    async with against(service.answer) as (channel, server):
        await channel.send(push_to(server), "key-1")
    assert "vd_report" not in service.got[0]


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (Answer(404), Gone, "has ended"),
        (Answer(410, text="push subscription has unsubscribed or expired."), Gone, "unsubscribed"),
        (Answer(413), Refused, "413"),
        (Answer(400, {"message": "bad"}), Refused, "bad"),
        (Answer(400, {"reason": "VapidPkHashMismatch"}), Refused, "check private_key"),
        (Answer(401, {"code": 401, "errno": 109}), Refused, "check private_key"),
        (Answer(403, {"reason": "BadJwtToken"}), Refused, "BadJwtToken"),
        (Answer(307, headers={"location": "https://127.0.0.1/"}), Misconfigured, "nothing is"),
        (Answer(500), Uncertain, "500"),
        (Answer(503, headers={"retry-after": "20"}), Deferred, "503"),
        (Answer(close="now"), Uncertain, "it may be accepted"),
    ],
    ids=lambda value: f"{value.status}{value.json}" if isinstance(value, Answer) else "",
)
@pytest.mark.anyio
async def test_answers(answer: Answer, kind: type[DeliveryError], said: str) -> None:
    """Each status lands in the error that says what happens next."""
    async with against(lambda _: answer) as (channel, server):
        with pytest.raises(DeliveryError, match=said) as caught:
            await channel.send(push_to(server), "key-1")
    assert type(caught.value) is kind


@pytest.mark.anyio
async def test_a_key_that_nobody_takes_is_ours_to_correct() -> None:
    """Twenty refusals before anything was accepted are no longer the browsers' matter."""
    answers = [403] * 21
    async with against(lambda _: Answer(answers.pop())) as (channel, server):
        kinds = []
        for number in range(21):
            with pytest.raises(Refused if number < 20 else Misconfigured) as caught:
                await channel.send(push_to(server), f"k{number}")
            kinds.append(type(caught.value))
    assert kinds == [Refused] * 20 + [Misconfigured]


@pytest.mark.anyio
async def test_nobody_can_make_the_key_look_wrong() -> None:
    """Once a service took it, refusals of others never stop the channel."""
    answers = [403] * 30 + [201]
    async with against(lambda _: Answer(answers.pop())) as (channel, server):
        await channel.send(push_to(server), "first")
        for number in range(30):
            with pytest.raises(Refused):
                await channel.send(push_to(server), f"k{number}")


@pytest.mark.anyio
async def test_too_many_requests_come_back() -> None:
    """429 is Deferred with the service's own Retry-After, in seconds."""
    slow = Answer(429, headers={"retry-after": "7"})
    async with against(lambda _: slow) as (channel, server):
        with pytest.raises(Deferred) as caught:
            await channel.send(push_to(server), "key-1")
    assert caught.value.retry_after == 7.0


@pytest.mark.anyio
async def test_a_service_that_dribbles_is_left() -> None:
    """An octet now and then keeps no connection busy for ever; the push may be accepted."""

    async def dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 9999\r\n\r\n")
        with contextlib.suppress(OSError):
            while True:
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0.05)

    async with against(lambda _: Answer(201), timeout=0.3) as (channel, _):
        slow = await asyncio.start_server(dribble, "127.0.0.1", 0, ssl=certified())
        port = slow.sockets[0].getsockname()[1]
        push = sample_push(device=subscribed(f"https://127.0.0.1:{port}/"))
        with pytest.raises(Uncertain, match=r"no answer within 0\.6 s"):
            await channel.send(push, "key-1")
        slow.close()


@pytest.mark.anyio
async def test_accepted_is_accepted() -> None:
    """Services that give the message no URL have accepted it all the same."""
    for headers, named in (({"apns-id": "A-1"}, "A-1"), ({}, "unnamed")):
        answer = Answer(201, headers=headers)
        async with against(lambda _, said=answer: said) as (channel, server):
            assert (await channel.send(push_to(server), "key-1")).provider_id == named


@pytest.mark.anyio
async def test_an_answer_shows_no_token() -> None:
    """A service that repeats our signature does not get it into an error."""
    async with against(lambda asked: Answer(400, text=str(asked.headers))) as (channel, server):
        with pytest.raises(Refused) as caught:
            await channel.send(push_to(server), "key-1")
    assert "eyJ" not in str(caught.value)
    assert "***" in str(caught.value)


HTTPS = "https://push.example.net/x"
CANNOT: list[tuple[Device | None, str]] = [
    (None, "no device"),
    (Device(token="a", platform="ios"), "platform is ios"),
    (Device(token=HTTPS, platform="web"), "bare endpoint, without the browser's keys"),
    (Device(token="", platform="web"), "no subscription"),
    (Device(token="[]", platform="web"), "no subscription"),
    (Device(token="[" * 3000, platform="web"), "no subscription"),
    (Device(token='{"endpoint": 1, "keys": {"p256dh": "", "auth": ""}}', platform="web"), "no sub"),
    (Device(token=" " * 5000 + "{}", platform="web"), "no subscription"),
    (subscribed(HTTPS, auth="AAAA"), "auth has 3 octets"),
    (subscribed(HTTPS, auth="é"), "no subscription"),
    (subscribed(HTTPS, p256dh=base64url(b"\4" * 65)), "no point of P-256"),
    (subscribed("http://push.example.net/"), "no https:// URL"),
    (subscribed("https:///x"), "no https:// URL"),
    (subscribed("file:///etc/passwd"), "no https:// URL"),
    (subscribed("https://u:p@push.example.net/"), "no https:// URL"),
    (subscribed("https://push.example.net:99999/"), "no https:// URL"),
    (subscribed("https://push.example.net:0/"), "no https:// URL"),
    (subscribed("https://[::1/"), "no subscription"),
    (subscribed("https://push.example.net/\r\nx: 1"), "no subscription"),
    (subscribed("https://exa mple.net/"), "no https:// URL"),
    (subscribed("https://ex%61mple.net/"), "no https:// URL"),
    (subscribed("https://push.example.net\\@127.0.0.1/"), "no https:// URL"),
    (subscribed("https://" + "a" * 70 + ".net/"), "no https:// URL"),
]


@pytest.mark.parametrize(("device", "said"), CANNOT, ids=[said for _, said in CANNOT])
@pytest.mark.anyio
async def test_what_is_no_subscription_is_refused(device: Device | None, said: str) -> None:
    """The error says what to store, and shows nothing of the token."""
    channel = WebPush(KEY, "mailto:ops@example.com")
    with pytest.raises(Refused, match=said) as caught:
        await channel.send(sample_push(device=device), "key-1")
    await channel.aclose()
    assert "push.example.net" not in str(caught.value)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://127.0.0.1/x", "https://[::1]/x", "https://10.0.0.1/x", "https://169.254.169.254/",
        "https://localhost/x", "https://localhost./x", "https://metadata.google.internal/x",
        "https://2130706433/x", "https://0x7f.1/x", "https://127.1/x", "https://[::ffff:a00:1]/x",
    ],
)  # fmt: skip
@pytest.mark.anyio
async def test_private_endpoints_are_refused(endpoint: str) -> None:
    """Whoever subscribes chooses the endpoint; it reaches nothing that they could not."""
    channel = WebPush(KEY, "mailto:ops@example.com")
    with pytest.raises(Refused, match="private_networks"):
        await channel.send(sample_push(device=subscribed(endpoint)), "key-1")
    await channel.aclose()


@pytest.mark.anyio
async def test_long_payloads_are_refused() -> None:
    """What a push service would answer with 413 is not sent; what just fits is."""
    service = PushService()
    async with against(service.answer) as (channel, server):
        room = 3993 - len(channel.plaintext(push_to(server, body=""), "k")) - len(',"vd_body":""')
        await channel.send(push_to(server, body="x" * room), "k")
        with pytest.raises(Refused, match="has 3994 bytes and may have 3993"):
            await channel.send(push_to(server, body="x" * (room + 1)), "k")
    assert len(server.asked) == 1


def test_request_holds_no_credentials() -> None:
    """What a preview may show is signed only as it leaves."""
    channel = WebPush(KEY, "mailto:ops@example.com", report_secret=REPORTS)
    request = channel.request(sample_push(device=subscribed(HTTPS)), "key-1")
    assert "authorization" not in request.headers
    assert "authorization" in channel.authorized(request).headers


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"private_key": "hunter2"}, "private_key is no private key of P-256"),
        ({"subject": "ops"}, "subject is an address"),
        ({"report_secret": "short"}, "less than 16 characters"),
    ],
)
def test_wrong_options(options: dict[str, str], said: str) -> None:
    """A mistake of the configuration is found before anything is sent."""
    with pytest.raises(ConfigError, match=said) as caught:
        WebPush(**({"private_key": KEY, "subject": "mailto:a@example.com"} | options))  # type: ignore[arg-type]
    assert "hunter2" not in str(caught.value)


def test_subscriptions_with_padding() -> None:
    """Some libraries store the keys with = at the end, or in the other alphabet of base64."""
    keys = {"p256dh": P256DH + "=", "auth": base64.b64encode(AUTH).decode()}
    found = read_subscription(json.dumps({"endpoint": HTTPS, "keys": keys}))
    assert (found.endpoint, found.auth, len(found.p256dh)) == (HTTPS, AUTH, 65)
