"""The driver `sendgrid` against a fake of Mail Send v3."""

from __future__ import annotations

from typing import Any

import pytest
from email_apis import SECRET, EmailApiContract, Fake, full_email
from http_server import Answer, Asked

from vero_channels.email.sendgrid import SendGrid
from vero_deliver.errors import Misconfigured
from vero_deliver.testing import sample_email


class FakeSendGrid(Fake):
    """202 with an empty body and X-Message-Id."""

    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/v3/mail/send"
        if asked.headers["authorization"] != f"Bearer {SECRET}":
            said = {"message": "The provided authorization grant is invalid", "field": None}
            return Answer(401, {"errors": [said]})
        assert asked.json["content"]
        return Answer(202, headers={"x-message-id": self.new_id()})


class TestSendGrid(EmailApiContract):
    fake = FakeSendGrid

    def channel(self, url: str, **options: Any) -> SendGrid:
        return SendGrid(SECRET, base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """Every field of the email is where SendGrid reads it."""
        asked = await self.sent(full_email(), ip_pool="news", sandbox=True, subuser="eu")
        body = asked.json
        assert asked.headers["on-behalf-of"] == "eu"
        assert body["personalizations"] == [
            {
                "to": [{"email": "ada@example.org", "name": "Ada, Countess"}],
                "cc": [{"email": "cy@example.org"}],
                "bcc": [{"email": "bo@example.org", "name": "Bo"}],
            }
        ]
        assert body["from"] == {"email": "shop@example.com", "name": 'Ada "The Shop", Žofie'}
        assert body["reply_to_list"] == [{"email": "help@example.com", "name": "Help"}]
        assert [part["type"] for part in body["content"]] == ["text/plain", "text/html"]
        assert body["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert body["categories"] == ["receipt"]
        assert body["custom_args"] == {"order": "1001", "vero_key": "key-1"}
        assert body["tracking_settings"] == {
            "open_tracking": {"enable": True},
            "click_tracking": {"enable": False, "enable_text": False},
            "subscription_tracking": {"enable": False},
        }
        assert body["mail_settings"] == {"sandbox_mode": {"enable": True}}
        assert body["ip_pool_name"] == "news"
        bill, logo = body["attachments"]
        assert (bill["disposition"], bill["filename"]) == ("attachment", "účet.pdf")
        assert (logo["disposition"], logo["content_id"]) == ("inline", "logo@shop")

    @pytest.mark.anyio
    async def test_plain_email_asks_for_nothing_more(self) -> None:
        """What an email does not have is not in the body."""
        asked = await self.sent(sample_email())
        assert set(asked.json) == {
            "personalizations", "from", "subject", "content", "custom_args",
        }  # fmt: skip

    @pytest.mark.anyio
    async def test_unverified_sender_is_our_fault(self) -> None:
        """The answer is 403, with SendGrid's own words."""
        text = "The from address does not match a verified Sender Identity."
        error = await self.error(Answer(403, {"errors": [{"message": text, "field": "from"}]}))
        assert isinstance(error, Misconfigured)
        assert text in str(error)

    @pytest.mark.anyio
    async def test_reset_is_a_moment(self) -> None:
        """X-RateLimit-Reset in Unix time is turned into seconds from now."""
        error: Any = await self.error(Answer(429, headers={"x-ratelimit-reset": "1999999999"}))
        assert error.retry_after > 1000
