"""The driver `postmark` against a fake of its email API."""

from __future__ import annotations

from typing import Any

import pytest
from email_apis import SECRET, EmailApiContract, Fake, full_email
from http_server import Answer, Asked

from vero_channels.email.postmark import Postmark
from vero_deliver.channel import Receipt
from vero_deliver.errors import Deferred, DeliveryError, Gone, Misconfigured, Refused, Uncertain
from vero_deliver.rendered import Address
from vero_deliver.testing import sample_email

INACTIVE = (
    "You tried to send to a recipient that has been marked as inactive.\n"
    "Found inactive addresses: gone@example.org.\nInactive recipients are ones that have "
    "generated a hard bounce, a spam complaint, or a manual suppression."
)


class FakePostmark(Fake):
    """200 with a MessageID, or a list of such answers; gone@ is inactive."""

    def answer(self, asked: Asked) -> Answer:
        assert asked.headers["x-postmark-server-token"] in (SECRET, "POSTMARK_API_TEST")
        if asked.path == "/email/batch":
            assert 1 < len(asked.json) <= 500
            return Answer(200, [self.message(message) for message in asked.json])
        assert asked.path == "/email"
        said = self.message(asked.json)
        return Answer(422 if said["ErrorCode"] else 200, said)

    def message(self, message: dict[str, Any]) -> dict[str, Any]:
        if "gone@" in message["To"]:
            return {"ErrorCode": 406, "Message": INACTIVE}
        said = {"To": message["To"], "SubmittedAt": "2026-01-02T12:00:00Z", "ErrorCode": 0}
        return {**said, "MessageID": self.new_id(), "Message": "OK"}


class TestPostmark(EmailApiContract):
    fake = FakePostmark

    def channel(self, url: str, **options: Any) -> Postmark:
        return Postmark(SECRET, base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """Every field of the email is where Postmark reads it."""
        body = (await self.sent(full_email(), stream="news")).json
        bill, logo = body.pop("Attachments")
        assert (bill["Name"], logo["ContentID"]) == ("účet.pdf", "cid:logo@shop")
        assert {"Name": "X-Shop", "Value": "1"} in body.pop("Headers")
        assert body == {
            "From": '"Ada \\"The Shop\\", Žofie" <shop@example.com>',
            "To": '"Ada, Countess" <ada@example.org>',
            "Cc": "cy@example.org",
            "Bcc": '"Bo" <bo@example.org>',
            "ReplyTo": '"Help" <help@example.com>',
            "Subject": "Objednávka č. 1",
            "TextBody": "Ahoj",
            "HtmlBody": '<p>Ahoj <img src="cid:logo@shop"></p>',
            "Tag": "receipt",
            "Metadata": {"order": "1001", "vero_key": "key-1"},
            "TrackOpens": True,
            "TrackLinks": "None",
            "MessageStream": "news",
        }

    @pytest.mark.anyio
    async def test_sandbox_uses_the_test_token(self) -> None:
        """The documented token stands in place of ours."""
        asked = await self.sent(sample_email(), sandbox=True)
        assert asked.headers["x-postmark-server-token"] == "POSTMARK_API_TEST"

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [(422, 406, Gone), (422, 300, Refused), (422, 400, Misconfigured), (401, 10, Misconfigured),
         (422, 412, Misconfigured), (422, 100, Deferred), (422, 402, Refused)],
    )  # fmt: skip
    @pytest.mark.anyio
    async def test_codes(self, status: int, code: int, kind: type[DeliveryError]) -> None:
        """ErrorCode decides."""
        error = await self.error(Answer(status, {"ErrorCode": code, "Message": "said so"}))
        assert type(error) is kind
        assert error.code == str(code)

    @pytest.mark.anyio
    async def test_half_of_the_recipients_is_no_receipt(self) -> None:
        """A success that leaves addresses out is an error that says who it is, never repeated."""
        text = (
            "Message OK, but will not deliver to these inactive addresses: gone@example.org."
            " Inactive recipients are ones that have generated a hard bounce or a spam complaint."
        )
        said = {"ErrorCode": 0, "MessageID": "m-1", "Message": text, "To": "x"}
        error = await self.error(Answer(200, said))
        assert type(error) is Refused
        assert "gone@example.org" in str(error)

    @pytest.mark.anyio
    async def test_one_unreadable_answer_of_many(self) -> None:
        """It leaves only its own message in doubt; one answer too few leaves all."""
        good = {"ErrorCode": 0, "MessageID": "m-1", "Message": "OK"}
        batch = [(self.sample(f"k{n}"), f"k{n}") for n in range(3)]
        for said, kinds in (
            ([good, {"ErrorCode": 0}, good], [Receipt, Uncertain, Receipt]),
            ([good, good], [Uncertain] * 3),
            ([good, None, {**good, "MessageID": ""}], [Receipt, Uncertain, Uncertain]),
        ):
            answer = Answer(200, said)
            async with self.against(lambda _, answer=answer: answer) as (channel, _):
                assert isinstance(channel, Postmark)
                assert [type(each) for each in await channel.send_many(batch)] == kinds

    @pytest.mark.anyio
    async def test_many_in_one_call(self) -> None:
        """Each message has its own outcome."""
        batch = [(self.sample(f"k{n}"), f"k{n}") for n in range(3)]
        batch[1] = (sample_email(to=(Address("gone@example.org"),)), "k1")
        async with self.against(self.fake().answer) as (channel, server):
            assert isinstance(channel, Postmark)
            found = await channel.send_many(batch)
        assert [type(each) for each in found] == [Receipt, Gone, Receipt]
        assert len(server.asked) == 1
        keys = [message["Metadata"]["vero_key"] for message in server.asked[0].json]
        assert keys == ["k0", "k1", "k2"]
