"""Amazon SES API v2, SendEmail. Source: botocore's service model sesv2 2019-09-27."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Final

import httpx

from vero_channels.transport.capabilities import Capabilities
from vero_channels.transport.email_api import (
    EmailApi,
    apart,
    encoded,
    fields,
    files,
    flag,
    present,
    text,
)
from vero_channels.transport.http_answers import Problem, body, retry_after, verdict
from vero_channels.transport.keys import VERO_KEY, wire_key
from vero_channels.transport.sigv4 import Account
from vero_deliver import mime
from vero_deliver.errors import Deferred, DeliveryError, Misconfigured
from vero_deliver.mime.headers import clean
from vero_deliver.rendered import RenderedEmail
from vero_deliver.secret import Secret

_TAG: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")  # names and values of message tags
_MAX_HEADERS: Final = 15
_BUSY: Final = ("ThrottlingException", "TooManyRequestsException", "LimitExceededException")
_OURS: Final = (
    "AccountSuspendedException",
    "MailFromDomainNotVerifiedException",
    "SendingPausedException",
)


class Ses(EmailApi):
    """One identity of an account in one region, by a user that may call ses:SendEmail.

    configuration_set: decides on events, IP pool and tracking; feedback has the key, tag and
    metadata as message tags only with one. session_token: with temporary credentials.
    """

    capabilities: ClassVar = Capabilities(max_recipients=50, max_bytes=40_000_000, tags=1)

    signed_fields = ("x-amz-date", "authorization")

    def __init__(
        self,
        access_key: str,
        secret_key: str | Secret,
        region: str,
        *,
        name: str = "ses",
        session_token: str | Secret = "",
        configuration_set: str = "",
        base_url: str = "",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._account = Account(name, access_key, secret_key, session_token, region)
        super().__init__(
            name=name,
            base_url=base_url or f"https://email.{region}.amazonaws.com",
            secrets=self._account.secrets,
            timeout=timeout,
            client=client,
        )
        self._configuration_set = configuration_set

    def request(self, rendered: RenderedEmail, key: str) -> httpx.Request:
        """POST /v2/email/outbound-emails with Simple content."""
        to, cc, bcc = ([mime.mailbox(address) for address in group] for group in apart(rendered))
        opens, clicks = rendered.track_opens, rendered.track_clicks
        tracking = present(
            OpenTrackingEnabled=flag(opens, "ENABLED", "DISABLED"),
            ClickTrackingEnabled=flag(clicks, "ENABLED", "DISABLED"),
        )
        body = present(
            FromEmailAddress=mime.mailbox(rendered.from_),
            Destination=present(ToAddresses=to, CcAddresses=cc, BccAddresses=bcc),
            ReplyToAddresses=[mime.mailbox(address) for address in rendered.reply_to],
            Content={"Simple": _simple(rendered)},
            EmailTags=list(_tags(rendered, key)),
            ConfigurationSetName=self._configuration_set,
            ConfigurationOverrides={"Tracking": tracking} if tracking else None,
        )
        return self.post("/v2/email/outbound-emails", json=body)

    def authorized(self, request: httpx.Request) -> httpx.Request:
        """Signed by Signature Version 4, for this moment."""
        return self._account.signed(request, "ses")

    def provider_id(self, response: httpx.Response) -> str:
        """MessageId."""
        found: str = body(response)["MessageId"]
        return found

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """The kind of an error is in a header, `MessageRejected:http://...`."""
        code = response.headers.get("x-amzn-errortype", "").partition(":")[0] or found.code
        if code in _BUSY:
            wait = retry_after(response)
            return Deferred(found.detail, channel=self._name, code=code, retry_after=wait)
        # "Email address is not verified. The following identities failed the check ..."
        if code in _OURS or "is not verified" in found.detail:
            return Misconfigured(found.detail, channel=self._name, code=code)
        found = Problem(code, found.detail)
        return super().refusal(response, found) or verdict(response, found, channel=self._name)


def _simple(email: RenderedEmail) -> dict[str, Any]:
    headers = fields(email)
    if len(headers) > _MAX_HEADERS:
        raise ValueError(f"{len(headers)} headers, SES takes {_MAX_HEADERS}")
    odd = [name for name, value in headers.items() if not value.isascii() or not value]
    if odd:
        raise ValueError(f"header {odd[0]!r}: SES takes only ASCII, and no empty value")
    return present(
        Subject=_utf8(clean(email.subject)),
        Body=present(
            Text=_utf8(text(email.text)) if email.text else None,
            Html=_utf8(text(email.html)) if email.html else None,
        ),
        Headers=[{"Name": name, "Value": value} for name, value in headers.items()],
        Attachments=[
            {
                "RawContent": encoded(file),
                "FileName": clean(file.filename) or "attachment",
                "ContentType": clean(file.content_type),
                "ContentDisposition": "INLINE" if inline else "ATTACHMENT",
                "ContentTransferEncoding": "BASE64",
                **({"ContentId": file.cid} if inline else {}),
            }
            for file, inline in files(email)
        ],
    )


def _utf8(data: str) -> dict[str, str]:
    return {"Data": data, "Charset": "UTF-8"}


def _tags(email: RenderedEmail, key: str) -> Iterator[dict[str, str]]:
    pairs = {
        **dict(email.metadata),
        **dict(zip(("tag",), email.tags, strict=False)),
        VERO_KEY: wire_key(key, 256, _TAG),
    }
    for name, value in pairs.items():
        if not _TAG.fullmatch(name) or not _TAG.fullmatch(value):
            raise ValueError(
                f"tags and metadata ({name!r}): SES takes letters, digits, - and _ only, up to 256"
            )
        yield {"Name": name, "Value": value}
