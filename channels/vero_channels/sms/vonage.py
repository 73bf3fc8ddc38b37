"""Vonage Messages API v1, channel sms. Source: developer.vonage.com, "Messages API"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import httpx

from vero_channels.transport.http import UNREADABLE, basic
from vero_channels.transport.http_answers import Problem, body
from vero_channels.transport.keys import wire_key
from vero_channels.transport.senders import Sender
from vero_channels.transport.sms_api import Codes, SmsApi, checked_callback
from vero_deliver.errors import Deferred, Gone, Misconfigured, Refused
from vero_deliver.rendered import RenderedSms
from vero_deliver.secret import Secret


class Vonage(SmsApi):
    """One account, by its API key and secret. webhook_url: where it posts what became of each.

    The key is client_ref.
    """

    max_characters = 3200
    codes: ClassVar[Codes] = {
        "1000": Deferred,  # throttled
        "1040": Gone,  # invalid message: no such prefix
        "1050": Gone,  # number barred
        "1170": Gone,  # invalid recipient
        "1240": Gone,  # illegal number
        "1021": Refused,
        "1020": Refused,
        "1120": Refused,  # this sender is not allowed in that country
        "1060": Misconfigured,  # account barred
        "1070": Misconfigured,  # no credit
        "1080": Misconfigured,  # account not enabled
    }

    def __init__(
        self,
        api_key: str,
        api_secret: str | Secret,
        *,
        name: str = "vonage",
        senders: Mapping[str, str] | None = None,
        webhook_url: str = "",
        base_url: str = "https://api.nexmo.com",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            name=name,
            base_url=base_url,
            senders=senders,
            credentials={"authorization": basic(api_key, api_secret)},
            secrets=(api_secret,),
            timeout=timeout,
            client=client,
        )
        self._webhook = checked_callback(webhook_url, "webhook_url")

    def sms_request(self, sms: RenderedSms, sender: Sender | None, key: str) -> httpx.Request:
        """POST /v1/messages; numbers go without their +."""
        fields = {
            "channel": "sms",
            "message_type": "text",
            "to": sms.to.removeprefix("+"),
            "from": sender.text.removeprefix("+") if sender else "",
            "text": sms.body,
            "client_ref": wire_key(key, 100),
        }
        if self._webhook:
            fields["webhook_url"] = self._webhook
        return self.post("/v1/messages", json=fields)

    def provider_id(self, response: httpx.Response) -> str:
        """message_uuid."""
        found: str = body(response)["message_uuid"]
        return found

    def problem(self, response: httpx.Response) -> Problem:
        """RFC 7807; the code ends `type`: "https://developer.vonage.com/api-errors/messages#1120"."""
        found = super().problem(response)
        try:
            said = body(response)
            code = said["type"].rpartition("#")[2]
            return Problem(code or found.code, f"{said['title']}: {said['detail']}")
        except UNREADABLE:
            return found
