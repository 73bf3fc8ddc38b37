"""The driver `mailgun` against a fake of Messages v3."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from email_apis import SECRET, EmailApiContract, Fake, full_email
from http_server import Answer, Asked

from vero_channels.email.mailgun import Mailgun
from vero_deliver.errors import ConfigError, Deferred, Misconfigured
from vero_deliver.rendered import File
from vero_deliver.testing import sample_email


class FakeMailgun(Fake):
    """200 with the Message-ID; Basic authentication as user `api`."""

    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/v3/mg.example.com/messages"
        login = base64.b64encode(f"api:{SECRET}".encode()).decode()
        assert asked.headers["authorization"] == f"Basic {login}"
        assert asked.fields("from")
        assert asked.fields("to")
        message_id = f"<{self.new_id()}@mg.example.com>"
        return Answer(200, {"id": message_id, "message": "Queued. Thank you."})


class TestMailgun(EmailApiContract):
    fake = FakeMailgun

    def channel(self, url: str, **options: Any) -> Mailgun:
        return Mailgun(SECRET, "mg.example.com", base_url=url, **options)

    @pytest.mark.anyio
    async def test_form(self) -> None:
        """Every field of the email is where Mailgun reads it."""
        asked = await self.sent(full_email(), sandbox=True, ip_pool="pool-1")
        form = [(name, value.decode()) for name, value, filename, _ in asked.form if not filename]
        assert form == [
            ("from", '"Ada \\"The Shop\\", Žofie" <shop@example.com>'),
            ("to", '"Ada, Countess" <ada@example.org>'),
            ("cc", "cy@example.org"),
            ("bcc", '"Bo" <bo@example.org>'),
            ("subject", "Objednávka č. 1"),
            ("text", "Ahoj"),
            ("html", '<p>Ahoj <img src="cid:logo@shop"></p>'),
            ("h:Reply-To", '"Help" <help@example.com>'),
            ("h:List-Unsubscribe", "<https://example.com/u/1>"),
            ("h:List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("h:X-Shop", "1"),
            ("o:tag", "receipt"),
            ("v:order", "1001"),
            ("v:vero_key", "key-1"),
            ("o:tracking-opens", "yes"),
            ("o:tracking-clicks", "no"),
            ("o:testmode", "yes"),
            ("o:sending-ip-pool", "pool-1"),
        ]
        files = [(name, value, kind) for name, value, filename, kind in asked.form if filename]
        assert files == [
            ("attachment", b"%PDF-1", "application/pdf"),
            ("inline", b"\x89PNG\r\n", "image/png"),
        ]
        assert b'filename="logo@shop"' in asked.body

    @pytest.mark.anyio
    async def test_no_content_ends_its_part(self) -> None:
        """A file that holds the delimiter of the same email without it is only a file."""
        first = (await self.sent(sample_email())).headers["content-type"].partition("=")[2]
        evil = f'\r\n--{first}\r\nContent-Disposition: form-data; name="bcc"\r\n\r\neve@example.net'
        file = File("x.txt", evil.encode(), "text/plain")
        asked = await self.sent(sample_email(text=evil, attachments=(file,)))
        assert not asked.fields("bcc")
        assert asked.fields("text") == [evil]

    @pytest.mark.anyio
    async def test_names_of_parts_are_quoted(self) -> None:
        """Quotes in a file's name, and a metadata name with a line end, start no field."""
        evil = 'x"; name="bcc'
        email = sample_email(
            attachments=(File(evil, b"x", "text/plain"),), metadata={f"{evil}\r\nA: b": "v"}
        )
        asked = await self.sent(email)
        assert not asked.fields("bcc")
        assert len(asked.form) == 8

    @pytest.mark.anyio
    async def test_text_says_when_to_come_back(self) -> None:
        """429 has no header, but a sentence."""
        text = "account-requests-per-sec limit exceeded, try again after 120 seconds"
        error = await self.error(Answer(429, {"message": text}))
        assert isinstance(error, Deferred)
        assert error.retry_after == 120.0

    @pytest.mark.anyio
    async def test_wrong_path_is_our_fault(self) -> None:
        """Mailgun answers 200 to any path."""
        error = await self.error(Answer(200, text="Mailgun Magnificent API"))
        assert isinstance(error, Misconfigured)

    @pytest.mark.parametrize("domain", ["mg.example.com/../x", "a/b", "", "a%2fb", "a?b", "x\r\n"])
    def test_domain_is_a_name(self, domain: str) -> None:
        """What would lead to another path is refused when the channel is made."""
        with pytest.raises(ConfigError, match="domain"):
            Mailgun(SECRET, domain)
