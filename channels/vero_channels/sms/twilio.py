"""Twilio Programmable Messaging. Source: twilio.com/docs, "Messages resource", "Error dictionary".

Twilio has no field for a reference: the key travels in the status callback's URL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Final

import httpx

from vero_channels.transport.http import basic
from vero_channels.transport.http_answers import body
from vero_channels.transport.senders import Sender
from vero_channels.transport.sms_api import Codes, SmsApi, checked_callback, with_key
from vero_deliver.errors import ConfigError, Deferred, Gone, Misconfigured, Refused
from vero_deliver.rendered import RenderedSms
from vero_deliver.secret import Secret

_ACCOUNT: Final = re.compile(r"AC[0-9a-fA-F]{32}")
_SERVICE: Final = re.compile(r"MG[0-9a-fA-F]{32}")


class Twilio(SmsApi):
    """One account or subaccount. messaging_service: its SID; it then chooses the sender.

    api_key: SID of an API key ("SK..."), whose secret takes the place of the auth token.
    status_callback: where Twilio posts what became of each message.
    """

    max_characters = 1600
    codes: ClassVar[Codes] = {
        "21211": Gone,  # invalid To
        "21214": Gone,  # To cannot be reached
        "21217": Gone,  # not a phone number
        "21614": Gone,  # To is not a mobile number
        "21610": Gone,  # To has unsubscribed: STOP
        "21612": Refused,  # no way from this sender to To
        "21408": Refused,  # the account may not send to To's country
        "21608": Refused,  # a trial account sends to verified numbers only
        "20003": Misconfigured,  # authentication
        "20005": Misconfigured,  # account not active
        "21212": Misconfigured,  # invalid From
        "21603": Misconfigured,  # From is missing
        "21606": Misconfigured,  # From is not ours, or sends no SMS
        "21659": Misconfigured,  # From is no Twilio number
        "21660": Misconfigured,  # From belongs to another account
        "21701": Misconfigured,  # no such messaging service
        "21703": Misconfigured,  # the messaging service has no number
        "21609": Misconfigured,  # invalid StatusCallback
        "30002": Misconfigured,  # account suspended
        "21611": Deferred,  # the queue of From is full
        "20429": Deferred,  # too many requests
        "63038": Deferred,  # daily limit of the account
    }

    def __init__(
        self,
        account_sid: str,
        auth_token: str | Secret,
        *,
        name: str = "twilio",
        api_key: str = "",
        messaging_service: str = "",
        senders: Mapping[str, str] | None = None,
        status_callback: str = "",
        base_url: str = "https://api.twilio.com",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        if not _ACCOUNT.fullmatch(account_sid):
            raise ConfigError("account_sid is AC and 32 hex digits")
        if messaging_service and not _SERVICE.fullmatch(messaging_service):
            raise ConfigError("messaging_service is MG and 32 hex digits")
        super().__init__(
            name=name,
            base_url=base_url,
            senders=senders,
            credentials={"authorization": basic(api_key or account_sid, auth_token)},
            secrets=(auth_token,),
            timeout=timeout,
            client=client,
        )
        self._account, self._service = account_sid, messaging_service
        self._callback = checked_callback(status_callback, "status_callback")
        self.may_choose_sender = bool(messaging_service)

    def sms_request(self, sms: RenderedSms, sender: Sender | None, key: str) -> httpx.Request:
        """POST /2010-04-01/Accounts/{sid}/Messages.json."""
        fields = {
            "To": sms.to,
            "From": sender.text if sender else "",
            "MessagingServiceSid": self._service,
            "Body": sms.body,
            "StatusCallback": with_key(self._callback, key),
        }
        path = f"/2010-04-01/Accounts/{self._account}/Messages.json"
        return self.post(path, data={name: value for name, value in fields.items() if value})

    def provider_id(self, response: httpx.Response) -> str:
        """The message's SID."""
        found: str = body(response)["sid"]
        return found
