"""Mailjet Send API v3.1. Source: dev.mailjet.com, "Send API v3.1" (api-documentation, 2023)."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

import httpx

from vero_channels.transport.capabilities import Capabilities
from vero_channels.transport.email_api import (
    apart,
    basic,
    encoded,
    fields,
    files,
    flag,
    pair,
    present,
    text,
)
from vero_channels.transport.http_answers import Problem, body, told, verdict
from vero_channels.transport.http_batch import Batch, BatchEmailApi
from vero_channels.transport.keys import wire_key
from vero_deliver.errors import DeliveryError
from vero_deliver.mime.headers import clean
from vero_deliver.rendered import Address, RenderedEmail
from vero_deliver.secret import Secret

_HOSTS = {"global": "https://api.mailjet.com", "us": "https://api.us.mailjet.com"}


class Mailjet(BatchEmailApi):
    """One API key and its secret. sandbox: everything is checked, nothing is delivered.

    Feedback has the delivery's key as CustomID, and the metadata as Payload.
    """

    capabilities: ClassVar = Capabilities(
        max_recipients=50, max_bytes=20_000_000, batch=50, reply_to=1, tags=1, sandbox=True,
        utf8_addresses=True,
    )  # fmt: skip

    def __init__(
        self,
        api_key: str | Secret,
        secret_key: str | Secret,
        *,
        name: str = "mailjet",
        region: Literal["global", "us"] = "global",
        sandbox: bool = False,
        base_url: str = "",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            name=name,
            base_url=base_url or _HOSTS[region],
            credentials={"authorization": basic(api_key, secret_key)},
            secrets=(api_key, secret_key),
            timeout=timeout,
            client=client,
        )
        self._sandbox = sandbox

    def request(self, rendered: RenderedEmail, key: str) -> httpx.Request:
        """POST /v3.1/send with one message."""
        return self.batch_request([(rendered, key)])

    def batch_request(self, batch: Batch) -> httpx.Request:
        """POST /v3.1/send."""
        messages = [_message(rendered, key) for rendered, key in batch]
        sandbox = {"SandboxMode": True} if self._sandbox else {}
        return self.post("/v3.1/send", json={"Messages": messages, **sandbox})

    def provider_id(self, response: httpx.Response) -> str:
        """MessageID of the first recipient; feedback on another has another."""
        return self._outcome(body(response)["Messages"][0])

    def outcomes(self, response: httpx.Response, batch: Batch) -> list[str | DeliveryError]:
        """Some messages of a call may be accepted and others not."""
        del batch
        return self.each(body(response)["Messages"], self._outcome)

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """An error of the message stands in Messages, one of the call outside."""
        try:
            self._outcome(body(response)["Messages"][0])
        except DeliveryError as error:
            return error
        except (KeyError, IndexError, TypeError, ValueError):
            pass  # an error of the call
        return super().refusal(response, found)

    def _outcome(self, message: dict[str, Any]) -> str:
        if message["Status"] == "success":
            return str(int(message["To"][0]["MessageID"]))
        first = message["Errors"][0]
        status = first.get("StatusCode")
        status = status if status in range(400, 600) else 400
        found = self.said(told(first, str(status)))
        raise verdict(httpx.Response(status), found, channel=self._name)


def _message(email: RenderedEmail, key: str) -> dict[str, Any]:
    if not email.html and (email.track_opens or email.track_clicks):
        raise ValueError("track_opens and track_clicks need html with Mailjet")
    to, cc, bcc = ([_address(address) for address in group] for group in apart(email))
    attached = [(_file(file, inline), inline) for file, inline in files(email)]
    return present(
        From=_address(email.from_),
        To=to,
        Cc=cc,
        Bcc=bcc,
        ReplyTo=_address(email.reply_to[0]) if email.reply_to else None,
        Subject=clean(email.subject),
        TextPart=text(email.text),
        HTMLPart=text(email.html),
        Attachments=[file for file, inline in attached if not inline],
        InlinedAttachments=[file for file, inline in attached if inline],
        Headers=fields(email),
        CustomCampaign=clean(email.tags[0]) if email.tags else None,
        CustomID=wire_key(key),
        EventPayload=json.dumps(dict(email.metadata)) if email.metadata else None,
        TrackOpens=flag(email.track_opens, "enabled", "disabled") if email.html else None,
        TrackClicks=flag(email.track_clicks, "enabled", "disabled") if email.html else None,
    )


def _address(address: Address) -> dict[str, str]:
    return pair(address, "Email", "Name")


def _file(file: Any, inline: bool) -> dict[str, str]:
    return {
        # it adds charset=utf-8 to text, even where there is one
        "ContentType": clean(file.content_type).partition(";")[0],
        "Filename": clean(file.filename) or "attachment",
        "Base64Content": encoded(file),
        **({"ContentID": file.cid} if inline else {}),
    }
