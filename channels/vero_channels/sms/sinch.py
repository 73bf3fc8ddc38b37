"""Sinch SMS REST API. Source: developers.sinch.com/docs/sms, "Batches", "Errors"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal
from urllib.parse import quote

import httpx

from vero_channels.transport.http_answers import body
from vero_channels.transport.keys import wire_key
from vero_channels.transport.senders import Sender
from vero_channels.transport.sms_api import Codes, SmsApi, checked_callback
from vero_deliver.errors import Misconfigured, Refused
from vero_deliver.rendered import RenderedSms
from vero_deliver.secret import Secret, reveal


class Sinch(SmsApi):
    """One service plan. callback_url: in place of the plan's own, for delivery reports.

    The key is client_reference.
    """

    max_characters = 2000
    may_choose_sender = True
    codes: ClassVar[Codes] = {
        "unauthorized": Misconfigured,
        "missing_credentials": Misconfigured,
        "forbidden": Misconfigured,
        "syntax_invalid_parameter_format": Refused,
        "syntax_constraint_violation": Refused,
    }

    def __init__(
        self,
        service_plan_id: str,
        api_token: str | Secret,
        *,
        name: str = "sinch",
        region: Literal["us", "eu", "au", "br", "ca"] = "eu",
        senders: Mapping[str, str] | None = None,
        callback_url: str = "",
        base_url: str = "",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            name=name,
            base_url=base_url or f"https://{region}.sms.api.sinch.com",
            senders=senders,
            credentials={"authorization": Secret(f"Bearer {reveal(api_token)}")},
            secrets=(api_token,),
            timeout=timeout,
            client=client,
        )
        self._plan = service_plan_id
        self._callback = checked_callback(callback_url, "callback_url")

    def sms_request(self, sms: RenderedSms, sender: Sender | None, key: str) -> httpx.Request:
        """POST /xms/v1/{plan}/batches, a batch of one."""
        fields: dict[str, object] = {
            "to": [sms.to],
            "body": sms.body,
            "delivery_report": "per_recipient",
            "client_reference": wire_key(key, 255),
        }
        if sender:
            fields["from"] = sender.text.removeprefix("+")
        if self._callback:
            fields["callback_url"] = self._callback
        return self.post(f"/xms/v1/{quote(self._plan, safe='')}/batches", json=fields)

    def provider_id(self, response: httpx.Response) -> str:
        """The batch's id."""
        found: str = body(response)["id"]
        return found
