"""Brevo. Source: developers.brevo.com, "Send a transactional email" and "Idempotency"."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import httpx

from vero_channels.transport.capabilities import Capabilities
from vero_channels.transport.email_api import (
    EmailApi,
    apart,
    encoded,
    fields,
    files,
    pair,
    present,
    text,
)
from vero_channels.transport.http_answers import body
from vero_channels.transport.keys import VERO_KEY, key_uuid, wire_key
from vero_deliver.mime.headers import clean, phrase
from vero_deliver.rendered import Address, RenderedEmail
from vero_deliver.secret import Secret


class Brevo(EmailApi):
    """One API key. sandbox: everything is checked, nothing is delivered.

    A repeat within 30 minutes is delivered once (idempotencyKey), a later one again: so the
    channel does not call itself idempotent. Recipients see key and metadata in X-Mailin-custom.
    """

    capabilities: ClassVar = Capabilities(
        max_recipients=99, max_bytes=20_000_000, inline_images=False, reply_to=1, tracking=False,
        idempotency=True, sandbox=True,
    )  # fmt: skip

    def __init__(
        self,
        api_key: str | Secret,
        *,
        name: str = "brevo",
        sandbox: bool = False,
        base_url: str = "https://api.brevo.com",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            name=name,
            base_url=base_url,
            credentials={"api-key": api_key},
            timeout=timeout,
            client=client,
        )
        self._sandbox = sandbox

    def request(self, rendered: RenderedEmail, key: str) -> httpx.Request:
        """POST /v3/smtp/email."""
        if not rendered.html:
            raise ValueError("Brevo needs html; give the message an HTML body")
        to, cc, bcc = ([_address(address) for address in group] for group in apart(rendered))
        custom = {**dict(rendered.metadata), VERO_KEY: wire_key(key)}
        headers = {**fields(rendered), "X-Mailin-custom": json.dumps(custom, ensure_ascii=False)}
        odd = [name for name, value in headers.items() if not value.isascii()]
        if odd:
            raise ValueError(f"header {odd[0]!r} (metadata is X-Mailin-custom): ASCII only")
        if self._sandbox:
            headers["X-Sib-Sandbox"] = "drop"
        body = present(
            sender=_address(rendered.from_),
            to=to,
            cc=cc,
            bcc=bcc,
            replyTo=_address(rendered.reply_to[0]) if rendered.reply_to else None,
            subject=clean(rendered.subject),
            htmlContent=text(rendered.html),
            textContent=text(rendered.text),
            # the type is taken from the name's extension
            attachment=[
                {"name": clean(file.filename) or "attachment.bin", "content": encoded(file)}
                for file, _ in files(rendered)
            ],
            tags=[clean(tag) for tag in rendered.tags],
            headers={**headers, "idempotencyKey": key_uuid(key)},
        )
        return self.post("/v3/smtp/email", json=body)

    def provider_id(self, response: httpx.Response) -> str:
        """messageId, with its <>, as webhooks have it."""
        found: str = body(response)["messageId"]
        return found


def _address(address: Address) -> dict[str, Any]:
    made = pair(address)
    name = made.get("name", "")
    if not name.isascii() and not name.replace(" ", "").isalnum():
        # Brevo drops names with both non-ASCII characters and specials, unless encoded already
        made["name"] = phrase(name)
    return made
