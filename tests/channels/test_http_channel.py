"""What every driver over HTTP has from its base: faults, waiting, a client of one's own, keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from email_apis import SECRET
from http_server import Answer, serving

from vero_channels.email.postmark import Postmark
from vero_channels.email.sendgrid import SendGrid
from vero_channels.transport.http_answers import MAX_WAIT, retry_after
from vero_channels.transport.keys import key_uuid, wire_key
from vero_deliver.errors import (
    ConfigError,
    Deferred,
    DeliveryError,
    Misconfigured,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import Address
from vero_deliver.secret import Secret
from vero_deliver.testing import HOSTILE_KEYS, sample_email

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
Handler = Callable[[httpx.Request], httpx.Response]


async def sent(handler: Handler, **options: Any) -> str:
    """The provider's id, through a client of one's own that asks the handler."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(handler), **options) as client:
        receipt = await SendGrid(SECRET, client=client).send(sample_email(), "key-1")
        assert not client.is_closed
    return receipt.provider_id


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (httpx.ConnectError, Deferred), (httpx.ConnectTimeout, Deferred),
        (httpx.PoolTimeout, Deferred), (httpx.ProxyError, Deferred),
        (httpx.WriteError, Uncertain), (httpx.WriteTimeout, Uncertain),
        (httpx.ReadError, Uncertain), (httpx.ReadTimeout, Uncertain),
        (httpx.CloseError, Uncertain), (httpx.RemoteProtocolError, Uncertain),
        (httpx.UnsupportedProtocol, Misconfigured),
    ],
)  # fmt: skip
@pytest.mark.anyio
async def test_a_fault_knows_whether_anything_left(
    fault: type[httpx.TransportError], kind: type[DeliveryError]
) -> None:
    """Before the request is written it can be sent again; from then on nobody knows."""

    def broken(request: httpx.Request) -> httpx.Response:
        raise fault(f"no luck with {SECRET}", request=request)

    with pytest.raises(kind) as caught:
        await sent(broken)
    assert type(caught.value) is kind
    assert SECRET not in f"{caught.value!s}{caught.value!r}{caught.value.__cause__!r}"


@pytest.mark.anyio
async def test_own_client_may_not_follow() -> None:
    """A client that follows redirects does not carry our key elsewhere."""
    hosts = []

    def elsewhere(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(307, headers={"location": "https://evil.example/"})

    with pytest.raises(Misconfigured, match=r"evil\.example"):
        await sent(elsewhere, follow_redirects=True)
    assert hosts == ["api.sendgrid.com"]


@pytest.mark.anyio
async def test_own_client_has_its_hooks() -> None:
    """Hooks see each request; the client's own credentials are not added to ours."""
    seen = []

    async def hook(request: httpx.Request) -> None:
        seen.append(request.headers["authorization"])

    answered = await sent(
        lambda _: httpx.Response(202, headers={"x-message-id": "m1"}),
        event_hooks={"request": [hook]}, auth=("user", "password"),
    )  # fmt: skip
    assert (answered, seen) == ("m1", [f"Bearer {SECRET}"])


WAITS = [
    ({"retry-after": "7"}, 7.0),
    ({"retry-after": " 0 "}, 0.0),
    ({"retry-after": "Mon, 23 Nov 2026 12:01:30 GMT"}, 90.0),
    ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0.0),
    ({"retry-after": "Monday, 23-Nov-26 12:01:30 GMT"}, 90.0),
    ({"retry-after": "999999999999"}, MAX_WAIT),
    ({"retry-after": "-5"}, None),
    ({"retry-after": "nan"}, None),
    ({"retry-after": "1e9"}, None),
    ({"retry-after": "Mon, 99 Nov 9999999 12:01:30 GMT"}, None),
    ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 60)}, 60.0),
    ({"x-ratelimit-reset": "1000000001"}, 0.0),
    ({"ratelimit-reset": "3"}, 3.0),
    ({"x-sib-ratelimit-reset": "600"}, 600.0),
    ({"retry-after": "2", "ratelimit-reset": "9"}, 2.0),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), WAITS)
def test_when_to_come_back(headers: dict[str, str], seconds: float | None) -> None:
    """Seconds, dates and moments become seconds; what is no time becomes None."""
    assert retry_after(httpx.Response(429, headers=headers), NOW) == seconds


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "https://[::1"}, {"base_url": "https://"},
        {"base_url": "http://api.sendgrid.com"}, {"base_url": "ftp://127.0.0.1"},
        {"base_url": "api.sendgrid.com"}, {"base_url": "https://user:pass@example.com"},
        {"base_url": "https://example.com/?a=b"}, {"timeout": 0.0}, {"client": "mine"},
        {"api_key": " "}, {"api_key": Secret("a\r\nb")}, {"api_key": "č"},
    ],
)  # fmt: skip
def test_wrong_options_are_said_when_the_channel_is_made(options: dict[str, Any]) -> None:
    """Keys go over https only, and are what a header may hold."""
    with pytest.raises(ConfigError, match="channel 'sendgrid': ") as caught:
        SendGrid(**{"api_key": SECRET, **options})
    assert "pass" not in str(caught.value)


def test_loops_that_end() -> None:
    """One channel sends in two asyncio.run() calls."""
    made: list[SendGrid] = []

    async def send(port: int = 0) -> None:
        async with serving(lambda _: Answer(202, headers={"x-message-id": "m1"})) as server:
            channel = SendGrid(SECRET, base_url=server.url)
            made.append(channel)
            for previous in made:
                previous._base_url = server.url
                await previous.send(sample_email(), "key-1")
                await previous.aclose()

    for _ in range(2):
        asyncio.run(send())


@pytest.mark.parametrize("before", [0, 250, 290, 299, 2_680, 2_699])
@pytest.mark.anyio
async def test_no_piece_of_a_credential_is_shown(before: int) -> None:
    """An answer that repeats the key where the text is cut shows no half of it."""
    text = "x " * (before // 2) + SECRET + " is no key"
    with pytest.raises(Misconfigured) as caught:
        await sent(lambda _: httpx.Response(401, json={"errors": [{"message": text}]}))
    assert SECRET[:6] not in str(caught.value)


@pytest.mark.anyio
async def test_sandbox_may_have_no_id() -> None:
    """SendGrid answers 200 there, and has nothing to name."""
    async with serving(lambda _: Answer(200)) as server:
        channel = SendGrid(SECRET, base_url=server.url, sandbox=True)
        assert (await channel.send(sample_email(), "key-1")).provider_id == "sandbox"
        await channel.aclose()


@pytest.mark.anyio
async def test_too_large_is_refused_before_it_is_sent() -> None:
    """The provider's limit is told with the size."""
    with pytest.raises(Refused, match="10000000"):
        await Postmark(SECRET).send(sample_email(html="x" * 10_000_001), "key-1")


@pytest.mark.parametrize(
    "email", ["ada@example.org\r\nBcc: eve@example.net", "no address", "a@b,c@d"]
)
@pytest.mark.anyio
async def test_what_is_no_address_is_refused(email: str) -> None:
    """It goes into no request."""
    with pytest.raises(Refused):
        await SendGrid(SECRET).send(sample_email(to=(Address(email),)), "key-1")


@pytest.mark.anyio
async def test_header_that_may_not_be_set_is_refused() -> None:
    """The rules are those of MIME, for every channel."""
    for name in ("Bcc", "Subject", "Content-Type", "X:Y", "X\r\nY"):
        with pytest.raises(Refused):
            await SendGrid(SECRET).send(sample_email(headers={name: "x"}), "key-1")


@pytest.mark.anyio
async def test_repeated_recipients_are_named_once() -> None:
    """SendGrid refuses a request that names one twice; the first place counts."""
    ada = Address("ada@example.org")
    email = sample_email(to=(ada,), cc=(Address("ADA@example.org"),), bcc=(ada,))
    body = SendGrid(SECRET).request(email, "key-1").content
    assert body.lower().count(b"ada@example.org") == 1


def test_keys_stay_apart_in_any_field() -> None:
    """A plain key is itself; others are hashed, and none passes for the hash of another."""
    assert wire_key("order-1001-shipped") == "order-1001-shipped"
    keys = (*HOSTILE_KEYS, "a", "a ", wire_key("two\r\nlines"))
    assert len({wire_key(key) for key in keys}) == len(keys)
    assert len({key_uuid(key) for key in keys}) == len(keys)
    assert all(len(wire_key(key, 80)) <= 80 and wire_key(key).isprintable() for key in keys)
