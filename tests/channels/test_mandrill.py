"""The driver `mandrill` against a fake of messages/send."""

from __future__ import annotations

from typing import Any

import pytest
from email_apis import SECRET, EmailApiContract, Fake, full_email
from http_server import Answer, Asked

from vero_channels.email.mandrill import Mandrill
from vero_deliver.errors import Deferred, DeliveryError, Gone, Misconfigured, Refused, Uncertain


class FakeMandrill(Fake):
    """200 with one object for each recipient."""

    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/api/1.0/messages/send"
        assert asked.json["key"] == SECRET
        self.count += 1
        return Answer(
            200,
            [
                {
                    "email": each["email"],
                    "status": "sent",
                    "reject_reason": None,
                    "_id": f"{self.count}-{n}",
                }
                for n, each in enumerate(asked.json["message"]["to"])
            ],
        )


class TestMandrill(EmailApiContract):
    fake = FakeMandrill

    def channel(self, url: str, **options: Any) -> Mandrill:
        return Mandrill(SECRET, base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """Every field of the email is where Mandrill reads it."""
        body = (await self.sent(full_email(), ip_pool="news", subaccount="eu")).json
        message = body.pop("message")
        assert body == {"key": SECRET, "ip_pool": "news", "async": False}
        assert message.pop("headers")["Reply-To"] == '"Help" <help@example.com>'
        assert message.pop("attachments")[0]["name"] == "účet.pdf"
        assert message.pop("images")[0]["name"] == "logo@shop"
        assert message == {
            "from_email": "shop@example.com",
            "from_name": 'Ada "The Shop", Žofie',
            "to": [
                {"email": "ada@example.org", "name": "Ada, Countess", "type": "to"},
                {"email": "cy@example.org", "type": "cc"},
                {"email": "bo@example.org", "name": "Bo", "type": "bcc"},
            ],
            "subject": "Objednávka č. 1",
            "html": '<p>Ahoj <img src="cid:logo@shop"></p>',
            "text": "Ahoj",
            "tags": ["receipt"],
            "metadata": {"order": "1001", "vero_key": "key-1"},
            "track_opens": True,
            "track_clicks": False,
            "subaccount": "eu",
            "preserve_recipients": True,
            "merge": False,
        }

    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("Invalid_Key", Misconfigured), ("PaymentRequired", Misconfigured),
            ("ValidationError", Refused), ("GeneralError", Uncertain),
            ("ServiceUnavailable", Deferred),
        ],
    )  # fmt: skip
    @pytest.mark.anyio
    async def test_names(self, name: str, kind: type[DeliveryError]) -> None:
        """Every error is HTTP 500; the name tells them apart."""
        said = {"status": "error", "code": -1, "name": name, "message": "said so"}
        error = await self.error(Answer(500, said))
        assert type(error) is kind
        assert error.code == name

    @pytest.mark.parametrize(
        ("statuses", "kind"),
        [
            ([("rejected", "hard-bounce")], Gone), ([("invalid", None)], Gone),
            ([("rejected", "spam")], Refused), ([("rejected", "unsigned")], Misconfigured),
            ([("sent", None), ("rejected", "hard-bounce")], Refused),
        ],
    )  # fmt: skip
    @pytest.mark.anyio
    async def test_recipients(
        self, statuses: list[tuple[str, str | None]], kind: type[DeliveryError]
    ) -> None:
        """A recipient that was rejected inside of a 200 makes no receipt."""
        said = [
            {"email": f"r{n}@example.org", "status": status, "reject_reason": why, "_id": f"i{n}"}
            for n, (status, why) in enumerate(statuses)
        ]
        assert type(await self.error(Answer(200, said))) is kind
