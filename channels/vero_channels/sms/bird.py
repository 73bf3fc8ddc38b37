"""Bird (MessageBird), SMS. Source: bird.com/docs and its SDK, messagebird-sdk 0.106."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar, Final

import httpx

from vero_channels.transport.http_answers import body
from vero_channels.transport.keys import VERO_KEY, wire_key
from vero_channels.transport.senders import Sender
from vero_channels.transport.sms_api import Codes, SmsApi
from vero_deliver.errors import ConfigError, Deferred, Gone, Misconfigured, Refused
from vero_deliver.rendered import RenderedSms
from vero_deliver.secret import Secret, reveal

_REGION: Final = re.compile(r"[a-z]{2,4}[0-9]{0,2}")


class Bird(SmsApi):
    """One workspace. region: where it is, as in its API keys, "bk_eu1_...".

    The key is the Idempotency-Key, and in the metadata. For how long it counts Bird does not say;
    an hour is relied on.
    """

    idempotency_window: ClassVar = timedelta(hours=1)

    codes: ClassVar[Codes] = {
        "SMSInvalidRecipient": Gone,
        "invalid_destination": Gone,
        "landline_unreachable": Gone,
        "recipient_opted_out": Gone,
        "SMSRecipientSuppressed": Gone,
        "SMSSenderNotConfigured": Misconfigured,
        "sender_unregistered": Refused,  # in that country
        "SenderCategoryNotPermitted": Refused,
        "insufficient_balance": Misconfigured,
        "provider_unavailable": Deferred,
    }

    def __init__(
        self,
        api_key: str | Secret,
        region: str,
        *,
        name: str = "bird",
        senders: Mapping[str, str] | None = None,
        base_url: str = "",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        if not _REGION.fullmatch(region):
            raise ConfigError(f"channel {name!r}: region is what an API key has after bk_: eu1")
        super().__init__(
            name=name,
            base_url=base_url or f"https://{region}.platform.bird.com",
            senders=senders,
            credentials={"authorization": Secret(f"Bearer {reveal(api_key)}")},
            secrets=(api_key,),
            timeout=timeout,
            client=client,
        )

    @property
    def idempotent(self) -> bool:
        """True, for `idempotency_window`: Bird answers a repeated key from what it has kept."""
        return True

    def sms_request(self, sms: RenderedSms, sender: Sender | None, key: str) -> httpx.Request:
        """POST /v1/sms/messages."""
        carried = wire_key(key)
        fields = {
            "to": sms.to,
            "from": sender.text if sender else None,
            "text": sms.body,
            "category": sms.kind,
            "metadata": {**sms.metadata, VERO_KEY: carried},
        }
        return self.post("/v1/sms/messages", json=fields, headers={"idempotency-key": carried})

    def provider_id(self, response: httpx.Response) -> str:
        """id, "sms_..."."""
        found: str = body(response)["id"]
        return found
