"""The driver `resend` against a fake of its API."""

from __future__ import annotations

from typing import Any

import pytest
from email_apis import SECRET, EmailApiContract, Fake
from http_server import Answer, Asked

from vero_channels.email.resend import Resend
from vero_deliver.channel import Receipt
from vero_deliver.errors import Deferred, Refused
from vero_deliver.rendered import Address, File
from vero_deliver.testing import sample_email


class FakeResend(Fake):
    """200 with an id; the same again for a repeated Idempotency-Key, 409 with another body."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: dict[str, tuple[bytes, Answer]] = {}

    def answer(self, asked: Asked) -> Answer:
        assert asked.headers["authorization"] == f"Bearer {SECRET}"
        key = asked.headers["idempotency-key"]
        assert 0 < len(key) <= 256
        if key not in self.seen:
            self.seen[key] = (asked.body, self.new(asked))
        body, answer = self.seen[key]
        if body != asked.body:
            return Answer(409, {"name": "invalid_idempotent_request", "message": "other body"})
        return answer

    def new(self, asked: Asked) -> Answer:
        if asked.path == "/emails":
            if "bad@example.org" in str(asked.json["to"]):
                return Answer(422, {"name": "validation_error", "message": "Invalid `to` field."})
            return Answer(200, {"id": self.new_id()})
        assert asked.path == "/emails/batch"
        assert not any("attachments" in each for each in asked.json)
        if "bad@example.org" in str(asked.json):
            return Answer(422, {"name": "validation_error", "message": "Invalid `to` field."})
        return Answer(200, {"data": [{"id": self.new_id()} for _ in asked.json]})


class TestResend(EmailApiContract):
    fake = FakeResend

    def channel(self, url: str, **options: Any) -> Resend:
        return Resend(SECRET, base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """Every field of the email is where Resend reads it, and the key in a header and a tag."""
        asked = await self.sent(self.carried())
        assert asked.headers["idempotency-key"] == "key-1"
        body = asked.json
        bill, logo = body.pop("attachments")
        assert (bill["filename"], bill["content_type"]) == ("účet.pdf", "application/pdf")
        assert logo["content_id"] == "logo@shop"
        assert body.pop("headers")["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert body == {
            "from": '"Ada \\"The Shop\\", Žofie" <shop@example.com>',
            "to": ['"Ada, Countess" <ada@example.org>'],
            "cc": ["cy@example.org"],
            "bcc": ['"Bo" <bo@example.org>'],
            "reply_to": ['"Help" <help@example.com>'],
            "subject": "Objednávka č. 1",
            "html": '<p>Ahoj <img src="cid:logo@shop"></p>',
            "text": "Ahoj",
            "tags": [
                {"name": "order", "value": "1001"},
                {"name": "receipt", "value": "true"},
                {"name": "vero_key", "value": "key-1"},
            ],
        }

    @pytest.mark.anyio
    async def test_file_whose_name_lies_is_refused(self) -> None:
        """Resend accepts it and drops the message in silence."""
        email = sample_email(attachments=(File("a.pdf", b"x", "text/plain"),))
        async with self.against(self.fake().answer) as (channel, server):
            with pytest.raises(Refused, match=r"a\.pdf"):
                await channel.send(email, "key-1")
        assert not server.asked

    @pytest.mark.anyio
    async def test_same_key_at_the_same_time_comes_back(self) -> None:
        """409 while the first of two is at work is no refusal."""
        said = {"name": "concurrent_idempotent_requests", "message": "in progress"}
        assert type(await self.error(Answer(409, said))) is Deferred

    @pytest.mark.anyio
    async def test_one_bad_message_does_not_take_the_batch(self) -> None:
        """A batch is refused whole: then each is sent alone, and the others arrive."""
        batch = [(self.sample(f"k{n}"), f"k{n}") for n in range(4)]
        batch[1] = (sample_email(to=(Address("bad@example.org"),)), "k1")
        file = File("a.txt", b"x", "text/plain")
        batch[3] = (sample_email(attachments=(file,)), "k3")
        async with self.against(self.fake().answer) as (channel, server):
            assert isinstance(channel, Resend)
            found = await channel.send_many(batch)
        assert [type(each) for each in found] == [Receipt, Refused, Receipt, Receipt]
        assert [asked.path for asked in server.asked] == [
            "/emails", "/emails/batch", "/emails", "/emails", "/emails",
        ]  # fmt: skip

    @pytest.mark.anyio
    async def test_batch_of_250(self) -> None:
        """100 in a call."""
        batch = [(self.sample(f"k{n}"), f"k{n}") for n in range(250)]
        async with self.against(self.fake().answer) as (channel, server):
            assert isinstance(channel, Resend)
            found = await channel.send_many(batch)
        assert all(isinstance(each, Receipt) for each in found)
        assert [len(asked.json) for asked in server.asked] == [100, 100, 50]
