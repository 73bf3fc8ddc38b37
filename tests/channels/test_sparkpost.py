"""The driver `sparkpost` against a fake of Transmissions."""

from __future__ import annotations

from typing import Any

import pytest
from email_apis import SECRET, EmailApiContract, Fake, full_email
from http_server import Answer, Asked

from vero_channels.email.sparkpost import SparkPost
from vero_deliver.errors import Deferred, DeliveryError, Gone, Misconfigured, Refused
from vero_deliver.testing import sample_email


class FakeSparkPost(Fake):
    """200 with the counts of a transmission."""

    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/api/v1/transmissions"
        assert asked.headers["authorization"] == SECRET
        count = len(asked.json["recipients"])
        counts = {"total_accepted_recipients": count, "total_rejected_recipients": 0}
        return Answer(200, {"results": {**counts, "id": self.new_id()}})


class TestSparkPost(EmailApiContract):
    fake = FakeSparkPost

    def channel(self, url: str, **options: Any) -> SparkPost:
        return SparkPost(SECRET, base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """Every field of the email is where SparkPost reads it."""
        asked = await self.sent(full_email(), ip_pool="news", subaccount=7, return_path="b@x.cz")
        assert asked.headers["x-msys-subaccount"] == "7"
        body = asked.json
        content = body.pop("content")
        to = '"Ada, Countess" <ada@example.org>'
        assert body == {
            "options": {
                "open_tracking": True,
                "click_tracking": False,
                "transactional": True,
                "ip_pool": "news",
                "perform_substitutions": False,
            },
            "recipients": [
                {"address": {"email": email, "header_to": to}}
                for email in ("ada@example.org", "cy@example.org", "bo@example.org")
            ],
            "campaign_id": "receipt",
            "metadata": {"order": "1001", "vero_key": "key-1"},
            "return_path": "b@x.cz",
        }
        assert content["headers"]["Cc"] == "cy@example.org"
        assert content["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert content["reply_to"] == '"Help" <help@example.com>'
        assert content["attachments"][0]["name"] == "účet.pdf"
        assert content["inline_images"][0]["name"] == "logo@shop"
        assert "bo@example.org" not in str(content)

    @pytest.mark.parametrize(("accepted", "rejected"), [(1, 1), (0, 1)])
    @pytest.mark.anyio
    async def test_rejected_inside_of_200(self, accepted: int, rejected: int) -> None:
        """A success that left recipients out is no receipt, and is not sent again."""
        results = {
            "total_accepted_recipients": accepted,
            "total_rejected_recipients": rejected,
            "rcpt_to_errors": [{"message": "invalid recipient", "code": "5002"}],
            "id": "11668787484950529",
        }
        error = await self.error(Answer(200, {"results": results}))
        assert type(error) is Refused
        assert f"{rejected} of {accepted + rejected}" in str(error)

    @pytest.mark.parametrize(
        ("status", "code", "kind"),
        [(420, "2101", Deferred), (400, "7001", Misconfigured), (400, "1902", Gone)],
    )
    @pytest.mark.anyio
    async def test_codes(self, status: int, code: str, kind: type[DeliveryError]) -> None:
        """What only SparkPost says."""
        said = {"errors": [{"message": "no", "code": code, "description": "address suppressed"}]}
        error = await self.error(Answer(status, said))
        assert type(error) is kind
        assert error.code == code

    @pytest.mark.anyio
    async def test_braces_run_nothing(self) -> None:
        """The template language is off for bodies; what cannot be kept from it is refused."""
        assert (await self.sent(sample_email(html="{{ name }}"))).json["content"][
            "html"
        ] == "{{ name }}"
        channel = self.channel("http://127.0.0.1:9")
        with pytest.raises(Refused, match=r"\{\{"):
            await channel.send(sample_email(subject="Hi {{ name }}"), "key-1")
