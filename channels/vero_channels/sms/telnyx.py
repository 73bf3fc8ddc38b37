"""Telnyx Messaging. Source: developers.telnyx.com, "Send a message", "Error codes"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import httpx

from vero_channels.transport.http_answers import body
from vero_channels.transport.keys import wire_key
from vero_channels.transport.senders import Sender
from vero_channels.transport.sms_api import Codes, SmsApi, checked_callback, with_key
from vero_deliver.errors import Deferred, Gone, Misconfigured, Refused
from vero_deliver.rendered import RenderedSms
from vero_deliver.secret import Secret, reveal


class Telnyx(SmsApi):
    """One account. messaging_profile: its id; needed for names as senders, and it may choose.

    webhook_url: in place of the profile's own; then the key travels in it.
    """

    codes: ClassVar[Codes] = {
        "40300": Gone,  # blocked: the recipient said STOP
        "40310": Gone,  # invalid To
        "40001": Gone,  # not routable: a landline, or not in service
        "40012": Gone,  # invalid destination number
        "40302": Refused,  # too long
        "40306": Refused,  # no name as a sender in that country
        "40008": Refused,  # undeliverable
        "10009": Misconfigured,  # authentication
        "20100": Misconfigured,  # no credit
        "20012": Misconfigured,  # account inactive
        "40305": Misconfigured,  # invalid From
        "40013": Misconfigured,  # invalid source number
        "40312": Misconfigured,  # messaging profile disabled
        "40318": Deferred,  # the queue is full
        "10011": Deferred,  # too many requests
    }

    def __init__(
        self,
        api_key: str | Secret,
        *,
        name: str = "telnyx",
        messaging_profile: str = "",
        senders: Mapping[str, str] | None = None,
        webhook_url: str = "",
        base_url: str = "https://api.telnyx.com",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            name=name,
            base_url=base_url,
            senders=senders,
            credentials={"authorization": Secret(f"Bearer {reveal(api_key)}")},
            secrets=(api_key,),
            timeout=timeout,
            client=client,
        )
        self._profile = messaging_profile
        self._webhook = checked_callback(webhook_url, "webhook_url")
        self.may_choose_sender = bool(messaging_profile)

    def sms_request(self, sms: RenderedSms, sender: Sender | None, key: str) -> httpx.Request:
        """POST /v2/messages."""
        if sender and sender.kind == "alphanumeric" and not self._profile:
            raise ValueError("a name as sender needs the channel's messaging_profile")
        fields = {
            "from": sender.text if sender else "",
            "to": sms.to,
            "text": sms.body,
            "messaging_profile_id": self._profile,
            "webhook_url": with_key(self._webhook, key),
        }
        given = {name: value for name, value in fields.items() if value}
        # its SDK sends this field; how long a repeat is known is not documented
        return self.post("/v2/messages", json=given, headers={"idempotency-key": wire_key(key)})

    def provider_id(self, response: httpx.Response) -> str:
        """data.id."""
        found: str = body(response)["data"]["id"]
        return found
