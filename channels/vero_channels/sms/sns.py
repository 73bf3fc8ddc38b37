"""Amazon SNS, Publish to a phone number. Source: botocore's service model sns 2010-03-31.

SNS has no field for a reference, and posts no delivery reports: what became of a message is in
CloudWatch, under the id in its receipt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import httpx

from vero_channels.transport.http_answers import Problem
from vero_channels.transport.senders import Sender
from vero_channels.transport.sigv4 import Account
from vero_channels.transport.sms_api import Codes, SmsApi
from vero_deliver.errors import Deferred, DeliveryError, Gone, Misconfigured
from vero_deliver.rendered import RenderedSms
from vero_deliver.secret import Secret

_FIELD: Final = r"<{0}>([^<]*)</{0}>"
# "Invalid parameter: PhoneNumber Reason: +1234 is not valid to publish to"
_NUMBER: Final = re.compile(r"parameter: PhoneNumber")


class Sns(SmsApi):
    """One account in one region, by a user that may call sns:Publish.

    session_token: with temporary credentials. A message that is marketing is sent as
    Promotional, any other as Transactional.
    """

    max_characters = 1600
    may_choose_sender = True
    codes: ClassVar[Codes] = {
        "Throttling": Deferred,
        "ThrottlingException": Deferred,
        "Throttled": Deferred,
        "KMSThrottling": Deferred,
        "OptedOut": Gone,
        "AuthorizationError": Misconfigured,
        "InvalidSecurity": Misconfigured,
        "InvalidClientTokenId": Misconfigured,
        "SignatureDoesNotMatch": Misconfigured,
        "OptInRequired": Misconfigured,
    }

    signed_fields = ("x-amz-date", "authorization")

    def __init__(
        self,
        access_key: str,
        secret_key: str | Secret,
        region: str,
        *,
        name: str = "sns",
        session_token: str | Secret = "",
        senders: Mapping[str, str] | None = None,
        base_url: str = "",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._account = Account(name, access_key, secret_key, session_token, region)
        super().__init__(
            name=name,
            base_url=base_url or f"https://sns.{region}.amazonaws.com",
            senders=senders,
            secrets=self._account.secrets,
            timeout=timeout,
            client=client,
        )

    def sms_request(self, sms: RenderedSms, sender: Sender | None, key: str) -> httpx.Request:
        """POST / of the action Publish."""
        del key
        fields = {
            "Action": "Publish",
            "Version": "2010-03-31",
            "PhoneNumber": sms.to,
            "Message": sms.body,
        }
        for number, (name, value) in enumerate(_attributes(sms, sender), 1):
            entry = f"MessageAttributes.entry.{number}"
            fields[f"{entry}.Name"] = name
            fields[f"{entry}.Value.DataType"] = "String"
            fields[f"{entry}.Value.StringValue"] = value
        return self.post("/", data=fields)

    def authorized(self, request: httpx.Request) -> httpx.Request:
        """Signed by Signature Version 4, for this moment."""
        return self._account.signed(request, "sns")

    def provider_id(self, response: httpx.Response) -> str:
        """MessageId, out of XML."""
        return _text(response, "MessageId")

    def problem(self, response: httpx.Response) -> Problem:
        """Code and Message, out of XML."""
        try:
            return Problem(_text(response, "Code"), _text(response, "Message"))
        except ValueError:
            return super().problem(response)

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """A number that can be none is told in words only."""
        if _NUMBER.search(found.detail):
            return Gone(found.detail, channel=self._name, code=found.code)
        return super().refusal(response, found)


def _attributes(sms: RenderedSms, sender: Sender | None) -> Iterator[tuple[str, str]]:
    kind = "Promotional" if sms.kind == "marketing" else "Transactional"
    yield "AWS.SNS.SMS.SMSType", kind
    if sender is not None:
        named = sender.kind == "alphanumeric"
        yield ("AWS.SNS.SMS.SenderID" if named else "AWS.MM.SMS.OriginationNumber"), sender.text


def _text(response: httpx.Response, name: str) -> str:
    """The text of an element that holds nothing else. ValueError where there is none."""
    found = re.search(_FIELD.format(name), response.content.decode("utf-8", "replace"))
    if not found:
        raise ValueError(f"no {name}")
    return found[1]
