"""The driver `http`: requests to any URL, signed and with a key, to public addresses only."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
import trustme
from http_server import Answer, Asked, Server, serving

from vero_channels.http import Http
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
from vero_deliver.rendered import RenderedHttp
from vero_deliver.secret import Secret
from vero_deliver.testing import ChannelContract, sample_http

PEERS = Path(__file__).parents[1] / "peers"
OLD, NEW = (f"whsec_{base64.b64encode(bytes([n]) * 32).decode()}" for n in (1, 2))
HERE = ("127.0.0.1",)
TOKEN = "Bearer sekret-0123456789"


class Receiver:
    """Answers 204, and counts distinct keys."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def answer(self, asked: Asked) -> Answer:
        self.keys.append(asked.headers["idempotency-key"])
        return Answer(204)


class TestHttp(ChannelContract[RenderedHttp]):
    secrets = (NEW, TOKEN, "hook/secret")

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedHttp]]:
        self.receiver = Receiver()
        async with serving(self.receiver.answer) as server:
            channel = Http(
                url=Secret(f"{server.url}/hook/secret"), authorization=Secret(TOKEN),
                signing_secrets=[Secret(NEW)], allow=HERE,
            )  # fmt: skip
            yield channel
            await channel.aclose()

    def sample(self, key: str) -> RenderedHttp:
        return sample_http(url="", body=key.encode("utf-8", "surrogatepass"))

    def arrived(self) -> int:
        return len(self.receiver.keys)

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedHttp]]:
        async with serving(lambda asked: Answer(401, text=f"not {asked.path} {TOKEN}")) as server:
            url = f"{server.url}/hook/secret"
            yield Http(url=url, authorization=TOKEN, signing_secrets=[NEW], allow=HERE)


class TestIdempotentHttp(TestHttp):
    """The same, to a receiver that says it acts once on a repeated key."""

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedHttp]]:
        self.receiver = Receiver()
        async with serving(self.receiver.answer) as server:
            yield Http(url=f"{server.url}/hook", allow=HERE, idempotent=True)

    def arrived(self) -> int:
        return len(set(self.receiver.keys))


@asynccontextmanager
async def against(answer: Answer, **options: Any) -> AsyncIterator[tuple[Http, Server]]:
    """A channel without a URL of its own, and a server."""
    async with serving(lambda _: answer) as server:
        given: dict[str, Any] = {"allow": HERE, **options}
        channel = Http(**given)
        try:
            yield channel, server
        finally:
            await channel.aclose()


async def error(answer: Answer, **options: Any) -> DeliveryError:
    """What one answer to a user's own URL becomes."""
    async with against(answer, **options) as (channel, server):
        with pytest.raises(DeliveryError) as caught:
            await channel.send(sample_http(url=f"{server.url}/users/1"), "key-1")
    return caught.value


@pytest.mark.anyio
async def test_what_arrives() -> None:
    """Method, path, query, fields and body of the message; the key in a field."""
    async with against(Answer(200)) as (channel, server):
        request = sample_http(
            url=f"{server.url}/a%20b?x=1&y=%2F#part",
            method="PUT",
            headers={"X-Shop": "1", "User-Agent": "Shop"},
            body=b"\x00\xff",
        )
        receipt = await channel.send(request, "order-1001-http")
    [asked] = server.asked
    assert (asked.method, asked.path, asked.body) == ("PUT", "/a%20b?x=1&y=%2F", b"\x00\xff")
    assert asked.headers["x-shop"] == "1"
    assert (asked.headers["user-agent"], asked.headers["accept"]) == ("Shop", "*/*")
    assert asked.headers["idempotency-key"] == receipt.provider_id == "order-1001-http"
    assert "webhook-signature" not in asked.headers


@pytest.mark.parametrize("secret", [OLD, NEW])
@pytest.mark.anyio
async def test_signature_is_verified_with_either_secret(secret: str) -> None:
    """Python's standardwebhooks accepts it while the secret is rotated, and no other body."""
    async with against(Answer(200), signing_secrets=[Secret(NEW), Secret(OLD)]) as (channel, http):
        await channel.send(sample_http(url=http.url), "order-1001")
    [asked] = http.asked
    webhook = standardwebhooks.Webhook(secret)
    assert webhook.verify(asked.body, asked.headers) == {"order": 1001}
    assert asked.headers["webhook-id"] == asked.headers["idempotency-key"] == "order-1001"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        webhook.verify(asked.body + b" ", asked.headers)


@pytest.mark.anyio
async def test_signature_is_verified_by_node() -> None:
    """So does npm's standardwebhooks."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node, which the library needs")
    if not (PEERS / "node_modules/standardwebhooks").is_dir():
        pytest.fail("the library is not installed: run scripts/peers (as scripts/test does)")
    async with against(Answer(200), signing_secrets=[NEW, OLD]) as (channel, server):
        await channel.send(sample_http(url=server.url, body='{"name": "Žofie"}'.encode()), "a.b.c")
    [asked] = server.asked
    for secret in (OLD, NEW):
        given = {"secret": secret, "headers": asked.headers, "body": asked.body.decode()}
        done = await asyncio.to_thread(
            subprocess.run,
            [node, "webhooks.mjs"],
            input=json.dumps(given),
            cwd=PEERS,
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == {"good": {"name": "Žofie"}, "forged": False}


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "sekret sekret sekret sekret", "whsec_%%%%"]
)
def test_a_weak_secret_is_refused_unseen(secret: str) -> None:
    """A secret that is none, or short, is an error that does not show it."""
    with pytest.raises(ConfigError, match="signing_secrets") as caught:
        Http(signing_secrets=[secret])
    assert not secret or secret not in str(caught.value).replace("whsec_`", "")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(301, Refused), (307, Refused), (400, Refused), (401, Refused), (403, Refused),
     (404, Refused), (410, Gone), (429, Deferred), (500, Uncertain), (503, Deferred)],
)  # fmt: skip
@pytest.mark.anyio
async def test_a_user_s_url_does_not_stop_the_channel(
    status: int, kind: type[DeliveryError]
) -> None:
    """What one user's receiver says is about that user."""
    answer = Answer(status, headers={"location": "http://169.254.169.254/latest/meta-data"})
    assert type(await error(answer)) is kind


@pytest.mark.parametrize(("status", "kind"), [(301, Misconfigured), (401, Misconfigured),
    (404, Misconfigured), (410, Misconfigured), (422, Refused), (503, Deferred)])  # fmt: skip
@pytest.mark.anyio
async def test_our_own_url_is_the_whole_channel(status: int, kind: type[DeliveryError]) -> None:
    """What the channel's own receiver says of its credentials is about every message."""
    async with serving(lambda _: Answer(status)) as server:
        channel = Http(url=f"{server.url}/hook", allow=HERE)
        with pytest.raises(DeliveryError) as caught:
            await channel.send(sample_http(url=""), "key-1")
        await channel.aclose()
    assert type(caught.value) is kind


@pytest.mark.anyio
async def test_redirect_is_not_followed() -> None:
    """Neither to the cloud's metadata nor elsewhere: one request, and an error that says so."""
    async with serving(lambda _: Answer(200)) as other:
        answer = Answer(302, headers={"location": f"{other.url}/latest/meta-data"})
        assert "redirects are not followed" in str(await error(answer))
        assert not other.asked


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": ""}, "names no URL"),
        ({"url": "http://example.com/"}, "allow"),
        ({"url": "https://user:word@example.com/"}, "credentials"),
        ({"url": "ftp://example.com/"}, "https"),
        ({"headers": {"Host": "metadata"}}, "host is set by the channel"),
        ({"headers": {"Webhook-Signature": "v1,x"}}, "webhook-signature"),
        ({"headers": {"Transfer-Encoding": "chunked"}}, "transfer-encoding"),
        ({"headers": {"X-A": "b\r\nX-C: d"}}, "line end"),
        ({"body": b"x" * 101}, "max_bytes is 100"),
    ],
)
@pytest.mark.anyio
async def test_what_is_not_sent(changes: dict[str, Any], said: str) -> None:
    """An error says what is wrong, and nothing leaves."""
    async with against(Answer(200), max_bytes=100) as (channel, server):
        with pytest.raises(Refused, match=said):
            await channel.send(sample_http(**({"url": server.url} | changes)), "key-1")
        assert not server.asked


@pytest.mark.anyio
async def test_credentials_go_to_our_own_url_only() -> None:
    """A message cannot send the channel's Authorization elsewhere."""
    with pytest.raises(ConfigError, match="authorization"):
        Http(authorization=TOKEN)
    async with serving(lambda _: Answer(200)) as other:
        channel = Http(url="https://example.com/hook", authorization=TOKEN, allow=HERE)
        with pytest.raises(Refused, match="its own"):
            await channel.send(sample_http(url=other.url), "key-1")
        assert not other.asked


@pytest.mark.anyio
async def test_request_shows_no_secret_url() -> None:
    """What a preview shows has the host of the channel's URL and nothing more."""
    channel = Http(url=Secret("https://example.com/hook/secret?token=sekret"))
    request = channel.request(sample_http(url=""), "key-1")
    assert str(request.url) == "https://example.com/***"
    assert "sekret" not in repr(channel)


@pytest.mark.anyio
async def test_preview_masks_signature_and_credentials() -> None:
    """Everything else is as it will leave."""
    url = Secret("https://example.com/hook?token=sekret")
    channel = Http(url=url, authorization=TOKEN, signing_secrets=[NEW])
    shown = channel.preview(sample_http(url=""), "key-1").decode()
    assert shown.startswith("POST /*** HTTP/1.1\r\nHost: example.com\r\n")
    for line in ("authorization: ***", "webhook-signature: ***", "idempotency-key: key-1",
                 "webhook-id: key-1", "Content-Length: 15"):  # fmt: skip
        assert f"{line.lower()}\r\n" in shown.lower()
    assert shown.endswith('\r\n\r\n{"order": 1001}')
    assert "sekret" not in shown


@pytest.mark.anyio
async def test_a_slow_receiver_is_left() -> None:
    """One that drips its answer cannot hold a request for longer than twice the timeout."""

    async with serving(lambda _: Answer(hang=1.5)) as server:
        channel = Http(allow=HERE, timeout=0.2)
        with pytest.raises(Uncertain):
            await channel.send(sample_http(url=server.url), "key-1")
        await channel.aclose()


@pytest.mark.anyio
async def test_tls_names_the_host_though_an_address_is_dialled(tmp_path: Path) -> None:
    """The certificate is the host's; one of another host is not accepted."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for host, fits in (("localhost", True), ("example.com", False)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(context)
        async with serving(lambda _: Answer(200), tls=context) as server:
            channel = Http(allow=["localhost"], ca_file=tmp_path / "ca.pem")
            url = f"https://localhost:{server.port}/"
            if fits:
                await channel.send(sample_http(url=url), "key-1")
            else:
                with pytest.raises(Deferred, match="certificate"):
                    await channel.send(sample_http(url=url), "key-1")
            await channel.aclose()


@pytest.mark.anyio
async def test_trouble_of_a_host_is_whose_choice_it_was() -> None:
    """The message's URL is its user's, `url` is the channel's."""
    async with serving(lambda asked: Answer(503)) as server:
        for url, rendered in (("", server.url), (server.url, "")):
            channel = Http(url=url, allow=HERE)
            with pytest.raises(Deferred) as caught:
                await channel.send(sample_http(url=rendered), "k")
            assert caught.value.personal == bool(rendered)
            await channel.aclose()
    slow = Http(allow=HERE, timeout=0.1)
    async with serving(lambda asked: Answer(204, hang=5)) as server:
        with pytest.raises(Uncertain) as uncertain:
            await slow.send(sample_http(url=server.url), "k")
    assert uncertain.value.personal
    await slow.aclose()
