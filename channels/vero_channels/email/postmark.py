"""Postmark. Source: postmarkapp.com/developer, "Email API", "API error codes", "Batch emails"."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

import httpx

from vero_channels.transport.capabilities import Capabilities
from vero_channels.transport.email_api import (
    apart,
    encoded,
    fields,
    files,
    flag,
    mailbox,
    mailboxes,
    present,
    text,
)
from vero_channels.transport.http_answers import Problem, body, told, verdict
from vero_channels.transport.http_batch import Batch, BatchEmailApi
from vero_channels.transport.keys import VERO_KEY, wire_key
from vero_deliver.errors import Deferred, DeliveryError, Gone, Misconfigured, Refused
from vero_deliver.mime.headers import clean
from vero_deliver.rendered import RenderedEmail
from vero_deliver.secret import Secret

_TEST_TOKEN = "POSTMARK_API_TEST"  # noqa: S105  # documented: everything is checked, nothing sent
_VALUE: Final = 80  # characters of a metadata value
# bad token; sender signature not found, not confirmed; not allowed to send; account is pending,
# may not send
_OURS: Final = ("10", "400", "401", "405", "412", "413")
_BUSY: Final = ("100", "429")  # maintenance, rate limit
_INACTIVE: Final = "406"
# with 300: "Invalid 'From' address: 'a@example.com' is not a verified sender signature."
_UNVERIFIED: Final = "not a verified sender signature"
# "Message OK, but will not deliver to these inactive addresses: a@b.c, d@e.f. Inactive ..."
_PARTLY: Final = re.compile(r"will not deliver to these inactive addresses")


class Postmark(BatchEmailApi):
    """One server of an account. stream: the message stream, Postmark's own default if empty.

    sandbox: Postmark's test token is used in place of yours: checked, not delivered.
    """

    capabilities: ClassVar = Capabilities(
        max_recipients=50, max_bytes=10_000_000, batch=500, tags=1, sandbox=True
    )
    max_batch_bytes = 45_000_000

    def __init__(
        self,
        server_token: str | Secret,
        *,
        name: str = "postmark",
        stream: str = "",
        sandbox: bool = False,
        base_url: str = "https://api.postmarkapp.com",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            name=name,
            base_url=base_url,
            credentials={"x-postmark-server-token": _TEST_TOKEN if sandbox else server_token},
            timeout=timeout,
            client=client,
        )
        self._stream = stream

    def request(self, rendered: RenderedEmail, key: str) -> httpx.Request:
        """POST /email."""
        return self.post("/email", json=self._message(rendered, key))

    def batch_request(self, batch: Batch) -> httpx.Request:
        """POST /email/batch."""
        messages = [self._message(rendered, key) for rendered, key in batch]
        return self.post("/email/batch", json=messages)

    def provider_id(self, response: httpx.Response) -> str:
        """MessageID."""
        return self._outcome(body(response))

    def outcomes(self, response: httpx.Response, batch: Batch) -> list[str | DeliveryError]:
        """One object for each message, with an ErrorCode; the call is 200 whatever they say."""
        del batch
        answers = body(response)
        if not isinstance(answers, list):
            raise TypeError("no list")
        return self.each(answers, self._outcome)

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """ErrorCode decides, whatever the status: 406 is an address that bounced or complained."""
        own = self._own_error(_code(response), found) if response.status_code < 429 else None
        return own or super().refusal(response, found)

    def _own_error(self, code: str, found: Problem) -> DeliveryError | None:
        if code == _INACTIVE:
            return Gone(found.detail, channel=self._name, code=code)
        if code in _BUSY:
            return Deferred(found.detail, channel=self._name, code=code)
        if code in _OURS or _UNVERIFIED in found.detail:
            return Misconfigured(found.detail, channel=self._name, code=code)
        return None

    def _outcome(self, answer: dict[str, Any]) -> str:
        code, said = answer.get("ErrorCode", 0), answer["Message"]
        if code:
            found = self.said(told(answer, str(code)))
            own = self._own_error(found.code, found)
            raise own or verdict(httpx.Response(422), found, channel=self._name)
        if _PARTLY.search(said):
            # nothing may be sent again to those who got it
            detail = self.shown(f"sent as {answer['MessageID']}, but: {said}")
            raise Refused(detail, channel=self._name)
        found_id: str = answer["MessageID"]
        return found_id

    def _message(self, email: RenderedEmail, key: str) -> dict[str, Any]:
        to, cc, bcc = apart(email)
        return present(
            From=mailbox(email.from_),
            To=mailboxes(to),
            Cc=mailboxes(cc),
            Bcc=mailboxes(bcc),
            ReplyTo=mailboxes(email.reply_to),
            Subject=clean(email.subject),
            TextBody=text(email.text),
            HtmlBody=text(email.html),
            Headers=[{"Name": name, "Value": value} for name, value in fields(email).items()],
            Attachments=[
                {
                    "Name": clean(file.filename) or "attachment",
                    "Content": encoded(file),
                    "ContentType": clean(file.content_type),
                    **({"ContentID": f"cid:{file.cid}"} if inline else {}),
                }
                for file, inline in files(email)
            ],
            Tag=clean(email.tags[0]) if email.tags else None,
            Metadata={**dict(email.metadata), VERO_KEY: wire_key(key, _VALUE)},
            TrackOpens=email.track_opens,
            TrackLinks=flag(email.track_clicks, "HtmlAndText", "None"),
            MessageStream=self._stream,
        )


def _code(response: httpx.Response) -> str:
    try:
        return str(body(response)["ErrorCode"])
    except (KeyError, TypeError, ValueError):
        return ""
