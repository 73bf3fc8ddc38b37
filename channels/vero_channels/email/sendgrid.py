"""SendGrid Mail Send v3. Source: Twilio's published OpenAPI, tsg_mail_v3 (2026-01)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

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
    unsubscribes,
)
from vero_channels.transport.http_answers import Problem
from vero_channels.transport.keys import VERO_KEY, wire_key
from vero_deliver.errors import DeliveryError, Misconfigured
from vero_deliver.mime.headers import clean
from vero_deliver.rendered import RenderedEmail
from vero_deliver.secret import Secret, reveal

_HOSTS = {"global": "https://api.sendgrid.com", "eu": "https://api.eu.sendgrid.com"}


class SendGrid(EmailApi):
    """One API key, which needs the scope "Mail Send" only.

    region: "eu" for a subuser whose data stays in the EU. sandbox: checked, not delivered.
    ip_pool: name of the pool to send from. subuser: send on behalf of it.
    """

    capabilities: ClassVar = Capabilities(
        max_recipients=1000, max_bytes=30_000_000, reply_to=1000, tags=10, sandbox=True,
        utf8_addresses=True,
    )  # fmt: skip

    def __init__(
        self,
        api_key: str | Secret,
        *,
        name: str = "sendgrid",
        region: Literal["global", "eu"] = "global",
        sandbox: bool = False,
        ip_pool: str = "",
        subuser: str = "",
        base_url: str = "",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            name=name,
            base_url=base_url or _HOSTS[region],
            credentials={"authorization": Secret(f"Bearer {reveal(api_key)}")},
            secrets=(api_key,),
            timeout=timeout,
            client=client,
        )
        self._sandbox, self._ip_pool, self._subuser = sandbox, ip_pool, subuser

    def request(self, rendered: RenderedEmail, key: str) -> httpx.Request:
        """POST /v3/mail/send with one personalization."""
        to, cc, bcc = ([pair(address) for address in group] for group in apart(rendered))
        bodies = (("text/plain", text(rendered.text)), ("text/html", text(rendered.html)))
        body = present(
            personalizations=[present(to=to, cc=cc, bcc=bcc)],
            **{"from": pair(rendered.from_)},
            reply_to_list=[pair(address) for address in rendered.reply_to],
            subject=clean(rendered.subject),
            content=[{"type": kind, "value": value} for kind, value in bodies if value],
            attachments=list(_attachments(rendered)),
            headers=fields(rendered),
            categories=[clean(tag) for tag in dict.fromkeys(rendered.tags)],
            custom_args={**dict(rendered.metadata), VERO_KEY: wire_key(key)},
            tracking_settings=_tracking(rendered),
            mail_settings={"sandbox_mode": {"enable": True}} if self._sandbox else None,
            ip_pool_name=self._ip_pool,
        )
        headers = {"on-behalf-of": self._subuser} if self._subuser else {}
        return self.post("/v3/mail/send", json=body, headers=headers)

    def provider_id(self, response: httpx.Response) -> str:
        """X-Message-Id: webhooks send it with a suffix as sg_message_id. A sandbox has none."""
        if self._sandbox and response.status_code == 200:
            return response.headers.get("x-message-id") or "sandbox"
        return response.headers["x-message-id"]

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """400 for a sender that is not verified is the account's fault, not the message's."""
        if "verified Sender Identity" in found.detail:
            return Misconfigured(found.detail, channel=self._name, code=found.code)
        return super().refusal(response, found)


def _attachments(email: RenderedEmail) -> Any:
    for file, inline in files(email):
        yield {
            "content": encoded(file),
            "type": clean(file.content_type),
            "filename": clean(file.filename) or "attachment",
            "disposition": "inline" if inline else "attachment",
            **({"content_id": file.cid} if inline else {}),
        }


def _tracking(email: RenderedEmail) -> dict[str, Any]:
    opens, clicks = email.track_opens, email.track_clicks
    return present(
        open_tracking=None if opens is None else {"enable": opens},
        click_tracking=None if clicks is None else {"enable": clicks, "enable_text": clicks},
        # SendGrid's own link would stand beside the message's
        subscription_tracking={"enable": False} if unsubscribes(email) else None,
    )
