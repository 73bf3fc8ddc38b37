"""The driver `mailjet` against a fake of Send API v3.1."""

from __future__ import annotations

import json
from typing import Any

import pytest
from email_apis import SECRET, EmailApiContract, Fake, full_email
from http_server import Answer, Asked

from vero_channels.email.mailjet import Mailjet
from vero_deliver.channel import Receipt
from vero_deliver.errors import Misconfigured, Refused, Uncertain
from vero_deliver.rendered import Address
from vero_deliver.testing import sample_email


def wrong(code: str, status: int, text: str) -> dict[str, Any]:
    """A message's error as the documentation shows it."""
    error = {"ErrorIdentifier": "x", "ErrorCode": code, "StatusCode": status, "ErrorMessage": text}
    return {"Status": "error", "Errors": [{**error, "ErrorRelatedTo": ["To"]}]}


class FakeMailjet(Fake):
    """One object for each message; those to bad@ are in error."""

    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/v3.1/send"
        said = [self.message(message) for message in asked.json["Messages"]]
        assert len(said) <= 50
        return Answer(200, {"Messages": said})

    def message(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["To"][0]["Email"] == "bad@example.org":
            return wrong("mj-0013", 400, '"bad@example.org" is an invalid email address.')
        self.count += 1
        to = {
            "Email": message["To"][0]["Email"],
            "MessageUUID": "u",
            "MessageID": 10**18 + self.count,
        }
        return {
            "Status": "success",
            "CustomID": message["CustomID"],
            "To": [to],
            "Cc": [],
            "Bcc": [],
        }


class TestMailjet(EmailApiContract):
    fake = FakeMailjet

    def channel(self, url: str, **options: Any) -> Mailjet:
        return Mailjet("key", SECRET, base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """Every field of the email is where Mailjet reads it."""
        asked = await self.sent(full_email(), sandbox=True)
        assert asked.json["SandboxMode"] is True
        [message] = asked.json["Messages"]
        attachments, inlined = message.pop("Attachments"), message.pop("InlinedAttachments")
        assert attachments[0]["Filename"] == "účet.pdf"
        assert inlined[0]["ContentID"] == "logo@shop"
        assert json.loads(message.pop("EventPayload")) == {"order": "1001"}
        assert message.pop("Headers")["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert message == {
            "From": {"Email": "shop@example.com", "Name": 'Ada "The Shop", Žofie'},
            "To": [{"Email": "ada@example.org", "Name": "Ada, Countess"}],
            "Cc": [{"Email": "cy@example.org"}],
            "Bcc": [{"Email": "bo@example.org", "Name": "Bo"}],
            "ReplyTo": {"Email": "help@example.com", "Name": "Help"},
            "Subject": "Objednávka č. 1",
            "TextPart": "Ahoj",
            "HTMLPart": '<p>Ahoj <img src="cid:logo@shop"></p>',
            "CustomCampaign": "receipt",
            "CustomID": "key-1",
            "TrackOpens": "enabled",
            "TrackClicks": "disabled",
        }

    @pytest.mark.parametrize("status", [200, 400])
    @pytest.mark.anyio
    async def test_error_of_the_message(self, status: int) -> None:
        """It stands inside of Messages, whatever the status of the call."""
        said = wrong("mj-0013", 400, "is an invalid email address.")
        error = await self.error(Answer(status, {"Messages": [said]}))
        assert type(error) is Refused
        assert error.code == "mj-0013"

    @pytest.mark.anyio
    async def test_unauthorized_sender_is_our_fault(self) -> None:
        """send-0008 has StatusCode 403 inside of a 400."""
        said = wrong("send-0008", 403, "is not an authorized sender email address")
        assert type(await self.error(Answer(400, {"Messages": [said]}))) is Misconfigured

    @pytest.mark.anyio
    async def test_many_in_calls_of_50(self) -> None:
        """Outcomes stand in the order of the batch, good and bad ones mixed."""
        batch = [(self.sample(f"k{n}"), f"k{n}") for n in range(120)]
        batch[60] = (sample_email(to=(Address("bad@example.org"),)), "k60")
        batch[61] = (sample_email(to=()), "k61")
        async with self.against(self.fake().answer) as (channel, server):
            assert isinstance(channel, Mailjet)
            found = await channel.send_many(batch)
        sizes = [len(asked.json["Messages"]) for asked in server.asked]
        assert sizes == [50, 50, 19]
        refused = [number for number, each in enumerate(found) if isinstance(each, Refused)]
        assert refused == [60, 61]
        ids = [each.provider_id for each in found if isinstance(each, Receipt)]
        assert len(set(ids)) == 118

    @pytest.mark.anyio
    async def test_lost_batch_is_uncertain_for_each(self) -> None:
        """No answer to a call leaves every message of it in doubt."""
        batch = [(self.sample(f"k{n}"), f"k{n}") for n in range(3)]
        async with self.against(lambda _: Answer(close="now")) as (channel, _):
            assert isinstance(channel, Mailjet)
            assert [type(each) for each in await channel.send_many(batch)] == [Uncertain] * 3
