"""What our drivers send is what the providers' own libraries send to the same server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from http_server import Answer, Asked, serving
from sms_apis import SECRET, form

from vero_channels.sms.bird import Bird
from vero_channels.sms.plivo import Plivo
from vero_channels.sms.sinch import Sinch
from vero_channels.sms.telnyx import Telnyx
from vero_channels.sms.twilio import Twilio
from vero_channels.sms.vonage import Vonage
from vero_channels.transport.sms_api import SmsApi
from vero_deliver.testing import sample_sms

TEXT = "Žluťoučký & kůň = 100 % + “€”\n🐎"
SENDER, TO = "+447700900001", "+420601000001"
ACCOUNT, SERVICE = "AC" + "0" * 32, "MG" + "1" * 32
HOOK = "https://hooks.example.com/sms"
UUID = "00000000-0000-4000-8000-000000000001"
# an answer that every one of them takes for an acceptance
ACCEPTED = Answer(
    200,
    {
        "sid": "SM1", "message_uuid": UUID, "id": UUID, "to": [TO], "data": {"id": UUID},
        "status": "accepted", "type": "mt_text", "api_id": UUID, "message": "queued",
    },
)  # fmt: skip


async def both(
    theirs: Callable[[str], None], ours: Callable[[str], SmsApi], answer: Answer = ACCEPTED
) -> list[Asked]:
    """The two requests: the library's, then ours."""
    async with serving(lambda _: answer) as server:
        await asyncio.to_thread(theirs, server.url)
        channel = ours(server.url)
        await channel.send(sample_sms(to=TO, from_=SENDER, body=TEXT), "key-1")
        await channel.aclose()
    assert len(server.asked) == 2
    first, second = server.asked
    assert (first.method, first.path) == (second.method, second.path)
    assert first.headers["authorization"] == second.headers["authorization"]
    return server.asked


@pytest.mark.anyio
async def test_twilio() -> None:
    """twilio."""
    rest = pytest.importorskip("twilio.rest")
    http_client = pytest.importorskip("twilio.http.http_client")

    def send(url: str) -> None:
        class Here(http_client.TwilioHttpClient):  # type: ignore[misc, name-defined]
            def request(self, method: str, uri: str, *args: Any, **others: Any) -> Any:
                return super().request(
                    method, uri.replace("https://api.twilio.com", url), *args, **others
                )

        transport = Here()
        client = rest.Client(ACCOUNT, SECRET, http_client=transport)
        client.messages.create(
            to=TO, from_=SENDER, body=TEXT, messaging_service_sid=SERVICE,
            status_callback=f"{HOOK}?vero_key=key-1",
        )  # fmt: skip
        transport.session.close()

    def make(url: str) -> Twilio:
        return Twilio(
            ACCOUNT, SECRET, messaging_service=SERVICE, status_callback=HOOK, base_url=url
        )

    theirs, ours = await both(send, make)
    assert form(ours) == form(theirs)


@pytest.mark.anyio
async def test_vonage() -> None:
    """vonage; its client speaks https only, so that the session is told to leave TLS out."""
    vonage = pytest.importorskip("vonage")
    models = pytest.importorskip("vonage_messages.models")

    def send(url: str) -> None:
        host = url.removeprefix("http://")
        options = pytest.importorskip("vonage_http_client").HttpClientOptions(api_host=host)
        client = vonage.Vonage(vonage.Auth(api_key="a1b2c3", api_secret=SECRET), options)
        session = client.http_client._session
        whole = session.request
        session.request = lambda method, url, **others: whole(
            method, url.replace("https://", "http://"), **others
        )
        client.messages.send(
            models.Sms(
                to=TO.removeprefix("+"), from_=SENDER.removeprefix("+"), text=TEXT,
                client_ref="key-1", webhook_url=HOOK,
            )
        )  # fmt: skip
        session.close()

    theirs, ours = await both(
        send, lambda url: Vonage("a1b2c3", SECRET, webhook_url=HOOK, base_url=url)
    )
    assert ours.json == theirs.json


@pytest.mark.anyio
async def test_plivo() -> None:
    """plivo; it asks for a log and no tracking, as the API does by itself."""
    plivo = pytest.importorskip("plivo")

    def send(url: str) -> None:
        client = plivo.RestClient("MA" + "0" * 18, SECRET)
        send = client.session.send

        def here(request: Any, **others: Any) -> Any:
            request.url = request.url.replace("https://api.plivo.com", url)
            return send(request, **others)

        client.session.send = here
        client.messages.create(src=SENDER, dst=TO, text=TEXT, url=f"{HOOK}?vero_key=key-1")
        client.session.close()

    theirs, ours = await both(
        send,
        lambda url: Plivo("MA" + "0" * 18, SECRET, callback_url=HOOK, base_url=url),
        Answer(202, {"message": "queued", "message_uuid": [UUID], "api_id": UUID}),
    )
    assert theirs.json == ours.json | {"log": "true", "trackable": False}


@pytest.mark.anyio
async def test_telnyx() -> None:
    """telnyx."""
    telnyx = pytest.importorskip("telnyx")

    def send(url: str) -> None:
        client = telnyx.Telnyx(api_key=SECRET, base_url=f"{url}/v2")
        client.messages.send(
            to=TO, from_=SENDER, text=TEXT, messaging_profile_id="p-1",
            webhook_url=f"{HOOK}?vero_key=key-1", idempotency_key="key-1",
        )  # fmt: skip
        client.close()

    theirs, ours = await both(
        send,
        lambda url: Telnyx(SECRET, messaging_profile="p-1", webhook_url=HOOK, base_url=url),
    )
    assert ours.json == theirs.json
    assert ours.headers["idempotency-key"] == theirs.headers["idempotency-key"]


@pytest.mark.anyio
async def test_bird() -> None:
    """messagebird-sdk."""
    bird = pytest.importorskip("bird")

    def send(url: str) -> None:
        client = bird.Bird(api_key=SECRET, base_url=url)
        with contextlib.suppress(ValueError):  # our answer has not all that it reads
            client.sms.send(
                to=TO, from_=SENDER, text=TEXT, category="transactional",
                metadata={"vero_key": "key-1"}, options={"idempotency_key": "key-1"},
            )  # fmt: skip
        client.close()

    theirs, ours = await both(send, lambda url: Bird(SECRET, "eu1", base_url=url))
    assert ours.json == theirs.json
    assert ours.headers["idempotency-key"] == theirs.headers["idempotency-key"]


@pytest.mark.anyio
async def test_sinch() -> None:
    """sinch."""
    sinch = pytest.importorskip("sinch")

    def send(url: str) -> None:
        client = sinch.SinchClient(service_plan_id="plan1", sms_api_token=SECRET, sms_region="eu")
        client.configuration.sms_origin_with_service_plan_id = url
        client.sms.batches.send_sms(
            to=[TO], from_=SENDER.removeprefix("+"), body=TEXT, delivery_report="per_recipient",
            client_reference="key-1", event_destination_target=HOOK,
        )  # fmt: skip
        client.configuration.transport.http_session.close()

    theirs, ours = await both(
        send, lambda url: Sinch("plan1", SECRET, callback_url=HOOK, base_url=url)
    )
    assert ours.json | {"type": "mt_text"} == theirs.json | {"type": "mt_text"}
