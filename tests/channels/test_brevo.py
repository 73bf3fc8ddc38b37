"""The driver `brevo` against a fake of its transactional API."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from email_apis import SECRET, EmailApiContract, Fake
from http_server import Answer, Asked

from vero_channels.email.brevo import Brevo
from vero_deliver.errors import Misconfigured, Refused
from vero_deliver.testing import sample_email


class FakeBrevo(Fake):
    """201 with a messageId. The time of idempotency is over between any two requests."""

    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/v3/smtp/email"
        assert asked.headers["api-key"] == SECRET
        uuid.UUID(asked.json["headers"]["idempotencyKey"])
        return Answer(201, {"messageId": f"<{self.new_id()}@smtp-relay.mailin.fr>"})


class TestBrevo(EmailApiContract):
    fake = FakeBrevo

    def channel(self, url: str, **options: Any) -> Brevo:
        return Brevo(SECRET, base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """Every field that Brevo carries is where it reads it."""
        body = (await self.sent(self.carried(), sandbox=True)).json
        headers = body.pop("headers")
        assert json.loads(headers["X-Mailin-custom"]) == {"order": "1001", "vero_key": "key-1"}
        assert headers["X-Sib-Sandbox"] == "drop"
        assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert body.pop("attachment")[0]["name"] == "účet.pdf"
        assert body.pop("sender")["name"].startswith("=?utf-8?")
        assert body == {
            "to": [{"email": "ada@example.org", "name": "Ada, Countess"}],
            "cc": [{"email": "cy@example.org"}],
            "bcc": [{"email": "bo@example.org", "name": "Bo"}],
            "replyTo": {"email": "help@example.com", "name": "Help"},
            "subject": "Objednávka č. 1",
            "htmlContent": '<p>Ahoj <img src="cid:logo@shop"></p>',
            "textContent": "Ahoj",
            "tags": ["receipt"],
        }

    @pytest.mark.anyio
    async def test_same_key_same_uuid(self) -> None:
        """A repeat has the same idempotencyKey, another key another."""
        keys = [
            (await self.sent(sample_email(), key)).json["headers"]["idempotencyKey"]
            for key in ("a", "a", "b")
        ]
        assert keys[0] == keys[1] != keys[2]

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"html": ""}, "html"),
            ({"metadata": {"a": "č"}}, "ASCII"),
            ({"headers": {"X": "č"}}, "X"),
        ],
    )
    @pytest.mark.anyio
    async def test_what_brevo_garbles_is_refused(self, changes: dict[str, Any], named: str) -> None:
        """Non-ASCII header values leave Brevo as raw octets."""
        channel = self.channel("http://127.0.0.1:9")
        with pytest.raises(Refused, match=named):
            await channel.send(sample_email(**changes), "key-1")

    @pytest.mark.anyio
    async def test_no_credits_is_our_fault(self) -> None:
        """402 not_enough_credits."""
        error = await self.error(Answer(402, {"code": "not_enough_credits", "message": "none"}))
        assert type(error) is Misconfigured
        assert error.code == "not_enough_credits"
