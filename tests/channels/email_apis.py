"""What the tests of email APIs share: the contract over a local server, and one rich email."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest
from http_server import Answer, Asked, Server, serving

from vero_channels.transport.email_api import EmailApi
from vero_deliver.channel import Channel
from vero_deliver.errors import (
    Deferred,
    DeliveryError,
    Misconfigured,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import Address, File, RenderedEmail
from vero_deliver.testing import ChannelContract, sample_email

SECRET = "sekret-0123456789-abcdef"
LOGO = File("logo.png", b"\x89PNG\r\n", "image/png", cid="logo@shop")
BILL = File("účet.pdf", b"%PDF-1", "application/pdf")
FULL: dict[str, Any] = {
    "from_": Address("shop@example.com", 'Ada "The Shop", Žofie'),
    "to": (Address("ada@example.org", "Ada, Countess"),),
    "cc": (Address("cy@example.org"),),
    "bcc": (Address("bo@example.org", "Bo"),),
    "reply_to": (Address("help@example.com", "Help"),),
    "subject": "Objednávka č. 1",
    "html": '<p>Ahoj <img src="cid:logo@shop"></p>',
    "text": "Ahoj",
    "headers": {
        "List-Unsubscribe": "<https://example.com/u/1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "X-Shop": "1",
    },
    "attachments": (BILL, LOGO),
    "tags": ("receipt",),
    "metadata": {"order": "1001"},
    "track_opens": True,
    "track_clicks": False,
    "kind": "marketing",
}


def full_email(**changes: Any) -> RenderedEmail:
    """An email that uses every field."""
    return sample_email(**(FULL | changes))


class Fake:
    """A provider's answers; a subclass gives the documented ones. Ids are distinct."""

    def __init__(self) -> None:
        self.accepted: dict[str, str] = {}
        self.count = 0

    def new_id(self) -> str:
        self.count += 1
        return f"00000000-0000-4000-8000-{self.count:012}"

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def arrived(self) -> int:
        return self.count


class EmailApiContract(ChannelContract[RenderedEmail]):
    """The contract of channels, and what holds for every email API beside it.

    A driver's test has `fake`, and `channel` that makes the driver. success: the fake's own.
    """

    secrets = (SECRET,)
    fake: ClassVar[type[Fake]]
    transient_id: ClassVar[bool] = True

    def channel(self, url: str, **options: Any) -> EmailApi:
        """The driver with SECRET as its credentials and that base_url."""
        raise NotImplementedError

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedEmail]]:
        self.running = self.fake()
        async with self.against(self.running.answer) as (channel, _):
            yield channel

    @asynccontextmanager
    async def against(self, answer: Any, **options: Any) -> AsyncIterator[tuple[EmailApi, Server]]:
        """The driver and a server that answers so."""
        async with serving(answer) as server:
            channel = self.channel(server.url, **options)
            try:
                yield channel, server
            finally:
                await channel.aclose()

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedEmail]]:
        said = {"message": f"bad key {SECRET}", "code": "unauthorized"}
        async with self.against(lambda _: Answer(401, said)) as (channel, _):
            yield channel

    def sample(self, key: str) -> RenderedEmail:
        return sample_email(text=f"This is {key!r}.")

    def arrived(self) -> int:
        return self.running.arrived()

    async def error(self, answer: Answer, email: RenderedEmail | None = None) -> DeliveryError:
        """The error that one answer becomes."""
        async with self.against(lambda _: answer) as (channel, _):
            with pytest.raises(DeliveryError) as caught:
                await channel.send(email or sample_email(), "key-1")
        return caught.value

    async def sent(self, email: RenderedEmail, key: str = "key-1", **options: Any) -> Asked:
        """The request that one email becomes."""
        async with self.against(self.fake().answer, **options) as (channel, server):
            await channel.send(email, key)
        return server.asked[-1]

    def carried(self) -> RenderedEmail:
        """The richest email that this provider carries."""
        can, changes = self.channel("http://127.0.0.1:9").capabilities, dict[str, Any]()
        if not can.inline_images:
            changes["attachments"] = (BILL,)
        if not can.tracking:
            changes |= {"track_opens": None, "track_clicks": None}
        return full_email(**changes)

    @pytest.mark.anyio
    async def test_full_email_is_accepted(self) -> None:
        """Everything that the provider carries goes through, and the key is in the request."""
        asked = await self.sent(self.carried())
        assert b"key-1" in asked.body or b"key-1" in str(asked.headers).encode()

    @pytest.mark.anyio
    async def test_request_holds_no_credentials(self) -> None:
        """What a preview may show is what is sent, but without the secret."""
        channel = self.channel("http://127.0.0.1:9")
        request = channel.request(sample_email(), "key-1")
        await channel.aclose()
        assert SECRET not in f"{request.url}{request.headers.raw}{request.content!r}"

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (301, Misconfigured), (400, Refused), (401, Misconfigured), (403, Misconfigured),
            (404, Misconfigured), (422, Refused), (429, Deferred), (500, Uncertain),
            (502, Uncertain), (503, Deferred), (504, Uncertain),
        ],
    )  # fmt: skip
    @pytest.mark.anyio
    async def test_status_names_what_happens_next(
        self, status: int, kind: type[DeliveryError]
    ) -> None:
        """A status without a body lands in the error that says what to do."""
        error = await self.error(Answer(status, headers={"location": "https://example.com/"}))
        assert type(error) is kind

    @pytest.mark.anyio
    async def test_retry_after_arrives(self) -> None:
        """The provider's Retry-After is in the error, in seconds."""
        error = await self.error(Answer(429, {"message": "slow"}, {"retry-after": "7"}))
        assert isinstance(error, Deferred)
        assert error.retry_after == 7.0

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(200, text="<html>"), Answer(200, text="["), Answer(200, json=None),
            Answer(200, json=[]), Answer(200, json={"id": None, "messageId": 7}),
            Answer(200, json="text"), Answer(204), Answer(200, text="[" * 100_000),
            Answer(200, text='{"id": "' + "x" * 3_000_000), Answer(close="now"),
            Answer(json={"id": "x" * 500}, close="half"),
        ],
        ids=lambda answer: f"{answer.status}-{answer.text[:9]}-{answer.json}-{answer.close}"[:40],
    )  # fmt: skip
    @pytest.mark.anyio
    async def test_answer_without_id_is_uncertain(self, answer: Answer) -> None:
        """A success that cannot be read, is huge, or breaks off may have been an acceptance."""
        assert type(await self.error(answer)) is Uncertain

    @pytest.mark.anyio
    async def test_nobody_there_is_deferred(self) -> None:
        """Without a connection nothing was sent."""
        async with serving(lambda _: Answer()) as gone:
            pass
        channel = self.channel(gone.url)
        with pytest.raises(Deferred):
            await channel.send(sample_email(), "key-1")
        await channel.aclose()

    @pytest.mark.anyio
    async def test_silence_after_the_request_is_uncertain(self) -> None:
        """A server that has read the request and does not answer may have accepted it."""
        async with self.against(lambda _: Answer(hang=5), timeout=0.2) as (channel, _):
            with pytest.raises(Uncertain):
                await channel.send(sample_email(), "key-1")

    @pytest.mark.anyio
    async def test_line_ends_start_nothing(self) -> None:
        """Names, subject, tags and metadata with line ends and quotes stay what they are."""
        evil = 'x"\r\nBcc: eve@example.net\r\n\r\n<eve@example.net>, '
        email = sample_email(
            from_=Address("shop@example.com", evil),
            to=(Address("ada@example.org", evil),),
            subject=evil,
            headers={"X-Shop": evil},
        )
        asked = await self.sent(email)
        for octets in (asked.body, str(asked.headers).encode()):
            assert b"\r\nBcc" not in octets
            assert b"\\r\\nBcc" not in octets

    @pytest.mark.anyio
    async def test_what_is_not_carried_is_refused(self) -> None:
        """A field beyond the capabilities is an error that names it; nothing is sent."""
        async with self.against(self.fake().answer) as (channel, server):
            can = channel.capabilities
            limits: list[tuple[bool, dict[str, Any], str]] = [
                (not can.inline_images, {"attachments": (LOGO,)}, "cid"),
                (can.tags is not None, {"tags": tuple("abcdefghijkl")}, "tags"),
                (not can.tracking, {"track_opens": True}, "track_opens"),
                (can.reply_to == 1, {"reply_to": FULL["cc"] * 2}, "reply_to"),
                (True, {"to": ()}, "to is empty"),
                (True, {"html": "", "text": ""}, "html and text"),
            ]
            for applies, changes, named in limits:
                if applies:
                    with pytest.raises(Refused, match=named) as caught:
                        await channel.send(sample_email(**changes), "key-1")
                    assert type(channel).__name__ in str(caught.value)
            assert not server.asked
