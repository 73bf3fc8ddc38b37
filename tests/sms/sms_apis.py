"""What the tests of SMS drivers share: the contract over a local server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import pytest
from http_server import Answer, Asked, Server, serving

from vero_channels.transport.sms_api import SmsApi
from vero_deliver.channel import Channel
from vero_deliver.errors import (
    ConfigError,
    Deferred,
    DeliveryError,
    Misconfigured,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import RenderedSms
from vero_deliver.testing import ChannelContract, sample_sms

SECRET = "sekret-0123456789-abcdef"


def form(asked: Asked) -> dict[str, str]:
    """A form that was posted."""
    return dict(parse_qsl(asked.body.decode(), keep_blank_values=True, strict_parsing=True))


class Fake:
    """A provider's answers; a subclass gives the documented ones. Ids are distinct."""

    def __init__(self) -> None:
        self.count = 0

    def new_id(self) -> str:
        self.count += 1
        return f"00000000-0000-4000-8000-{self.count:012}"

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError


class SmsApiContract(ChannelContract[RenderedSms]):
    """The contract of channels, and what holds for every SMS API beside it.

    A driver's test has `fake`, and `channel` that makes the driver with SECRET.
    """

    secrets = (SECRET,)
    fake: ClassVar[type[Fake]]

    def channel(self, url: str, **options: Any) -> SmsApi:
        raise NotImplementedError

    @asynccontextmanager
    async def against(
        self, answer: Callable[[Asked], Answer], **options: Any
    ) -> AsyncIterator[tuple[SmsApi, Server]]:
        """The driver and a server that answers so."""
        async with serving(answer) as server:
            channel = self.channel(server.url, **options)
            try:
                yield channel, server
            finally:
                await channel.aclose()

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedSms]]:
        self.running = self.fake()
        async with self.against(self.running.answer) as (channel, _):
            yield channel

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedSms]]:
        said = {"message": f"bad key {SECRET}", "code": "unauthorized"}
        async with self.against(lambda _: Answer(401, said)) as (channel, _):
            yield channel

    def sample(self, key: str) -> RenderedSms:
        return sample_sms(from_="+447700900001", body=f"This is {hash(key)}.")

    def arrived(self) -> int:
        return self.running.count

    async def error(self, answer: Answer) -> DeliveryError:
        """The error that one answer becomes."""
        async with self.against(lambda _: answer) as (channel, _):
            with pytest.raises(DeliveryError) as caught:
                await channel.send(self.sample("key-1"), "key-1")
        return caught.value

    async def sent(self, key: str = "key-1", **changes: Any) -> Asked:
        """The request that one message becomes; `options` are the channel's."""
        options = changes.pop("options", {})
        async with self.against(self.fake().answer, **options) as (channel, server):
            await channel.send(sample_sms(**({"from_": "VERO"} | changes)), key)
        return server.asked[-1]

    async def kinds(self, answers: dict[Any, type[DeliveryError]], said: Any) -> None:
        """Each code, in the answer that `said` makes of it, becomes that error."""
        for code, kind in answers.items():
            error = await self.error(said(code))
            assert (type(error), error.code) == (kind, str(code))

    @pytest.mark.anyio
    async def test_request_holds_no_credentials(self) -> None:
        """What a preview may show is what is sent, but without the secret."""
        channel = self.channel("http://127.0.0.1:9")
        request = channel.request(self.sample("key-1"), "key-1")
        assert SECRET not in f"{request.url}{request.headers.raw}{request.content!r}"

    @pytest.mark.anyio
    async def test_preview_is_what_is_sent(self) -> None:
        """Line, fields and body, with *** for what only the provider may see."""
        sms = self.sample("key-1")
        async with self.against(self.fake().answer) as (channel, server):
            head, _, body = channel.preview(sms, "key-1").partition(b"\r\n\r\n")
            await channel.send(sms, "key-1")
        [asked] = server.asked
        assert body == asked.body
        line, *fields = head.decode().split("\r\n")
        assert line == f"POST {asked.path} HTTP/1.1"
        shown = {n.lower(): v for n, _, v in (field.partition(": ") for field in fields)}
        masked = {name for name, value in shown.items() if value == "***"}
        assert "authorization" in masked
        assert {n: v for n, v in shown.items() if n not in masked} == {
            n: v for n, v in asked.headers.items() if n not in masked
        }

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (301, Misconfigured), (400, Refused), (401, Misconfigured), (403, Misconfigured),
            (404, Misconfigured), (422, Refused), (429, Deferred), (500, Uncertain),
            (502, Uncertain), (503, Deferred),
        ],
    )  # fmt: skip
    @pytest.mark.anyio
    async def test_status_names_what_happens_next(
        self, status: int, kind: type[DeliveryError]
    ) -> None:
        """A status without a body lands in the error that says what to do."""
        assert type(await self.error(Answer(status, headers={"retry-after": "7"}))) is kind

    @pytest.mark.parametrize(
        "answer",
        [Answer(200, text="<html>"), Answer(200, text="["), Answer(204), Answer(200, json=[]),
         Answer(200, json={"id": None, "sid": 7, "data": [], "message_uuid": []}),
         Answer(close="now"), Answer(200, text="[" * 100_000)],
        ids=lambda answer: f"{answer.status}-{answer.text[:9]}-{answer.json}-{answer.close}"[:40],
    )  # fmt: skip
    @pytest.mark.anyio
    async def test_answer_without_id_is_uncertain(self, answer: Answer) -> None:
        """A success that cannot be read, or breaks off, may have been an acceptance."""
        assert type(await self.error(answer)) is Uncertain

    @pytest.mark.anyio
    async def test_what_is_wrong_is_refused_unsent(self) -> None:
        """A number, a text or a sender that can be none; more segments than allowed."""
        wrong: tuple[dict[str, Any], ...] = (
            {"to": "601000001"}, {"to": "+0"}, {"body": ""}, {"from_": "A NAME TOO LONG"},
            {"from_": "Žofie"}, {"from_": "x\r\nTo: y"}, {"max_segments": 1, "body": "a" * 161},
        )  # fmt: skip
        async with self.against(self.fake().answer) as (channel, server):
            for changes in wrong:
                with pytest.raises(Refused):
                    await channel.send(sample_sms(**({"from_": "VERO"} | changes)), "key-1")
            assert not server.asked

    @pytest.mark.anyio
    async def test_sender_by_country(self) -> None:
        """A country's own sender stands in place of the message's; elsewhere that one stays."""
        senders = {"US": "+15550001111", "CA": "24680", "GB": "VERO UK"}
        channel = self.channel("http://127.0.0.1:9", senders=senders)
        for to, sender in (
            ("+12015550123", "15550001111"), ("+12045551234", "24680"),
            ("+447700900123", "VERO UK"), ("+420601000001", "VERO"),
        ):  # fmt: skip
            sms = sample_sms(to=to, from_="VERO")
            content = channel.request(sms, "k").content.decode().replace("+UK", " UK")
            assert sender in content, to
        for bad in ({"UK": "VERO"}, {"GB": "A NAME TOO LONG"}):
            with pytest.raises(ConfigError, match="senders"):
                self.channel("http://127.0.0.1:9", senders=bad)

    @pytest.mark.anyio
    async def test_text_arrives_as_it_is(self) -> None:
        """Every character that a phone can show, in the request's own encoding."""
        text = 'Ahoj & <b>"Žofie"</b> %20 +1 ${name}\n🐎 #{x} €'
        asked = await self.sent(body=text)
        found = form(asked).values() if b"=" in asked.body[:20] else _values(asked.json)
        assert text in found


def _values(value: Any) -> list[Any]:
    return [*value.values()]
