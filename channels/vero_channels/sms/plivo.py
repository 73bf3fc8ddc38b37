"""Plivo Message API. Source: plivo.com/docs/messaging, "Send a message", and its SDK plivo 4.63.

Plivo has no field for a reference: the key travels in the callback's URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote

import httpx

from vero_channels.transport.http import basic
from vero_channels.transport.http_answers import body
from vero_channels.transport.senders import Sender
from vero_channels.transport.sms_api import SmsApi, checked_callback, with_key
from vero_deliver.errors import ConfigError, Gone
from vero_deliver.rendered import RenderedSms
from vero_deliver.secret import Secret


class Plivo(SmsApi):
    """One account or subaccount. powerpack: its UUID; it then chooses the sender.

    callback_url: where Plivo posts what became of each message.
    """

    max_characters: ClassVar[int | None] = 1600

    def __init__(
        self,
        auth_id: str,
        auth_token: str | Secret,
        *,
        name: str = "plivo",
        powerpack: str = "",
        senders: Mapping[str, str] | None = None,
        callback_url: str = "",
        base_url: str = "https://api.plivo.com",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        if powerpack and senders:
            raise ConfigError("powerpack: a powerpack chooses the sender; leave out senders")
        super().__init__(
            name=name,
            base_url=base_url,
            senders=senders,
            credentials={"authorization": basic(auth_id, auth_token)},
            secrets=(auth_token,),
            timeout=timeout,
            client=client,
        )
        self._account, self._powerpack = auth_id, powerpack
        self._callback = checked_callback(callback_url, "callback_url")
        self.may_choose_sender = bool(powerpack)

    def sms_request(self, sms: RenderedSms, sender: Sender | None, key: str) -> httpx.Request:
        """POST /v1/Account/{id}/Message/. Either src or powerpack_uuid, never both."""
        fields = {
            "src": sender.text if sender and not self._powerpack else "",
            "powerpack_uuid": self._powerpack,
            "dst": sms.to,
            "text": sms.body,
            "type": "sms",
            "url": with_key(self._callback, key),
            "method": "POST" if self._callback else "",
        }
        path = f"/v1/Account/{quote(self._account, safe='')}/Message/"
        return self.post(path, json={name: value for name, value in fields.items() if value})

    def provider_id(self, response: httpx.Response) -> str:
        """message_uuid, one for each recipient. Raises Gone where the number is named as wrong."""
        said = body(response)
        if said.get("invalid_number"):
            detail = "Plivo calls the number invalid"
            raise Gone(detail, channel=self._name, code="invalid_number")
        [found] = said["message_uuid"]
        return str(found)
