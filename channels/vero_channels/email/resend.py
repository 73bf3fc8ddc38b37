"""Resend. Source: Resend's published OpenAPI (resend-openapi), and its page "Idempotency Keys"."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar, Final

import httpx

from vero_channels.transport.capabilities import Capabilities
from vero_channels.transport.email_api import (
    apart,
    encoded,
    fields,
    files,
    mailbox,
    present,
    text,
)
from vero_channels.transport.http_answers import Problem, body
from vero_channels.transport.http_batch import Batch, BatchEmailApi
from vero_channels.transport.keys import VERO_KEY, wire_key
from vero_deliver.errors import Deferred, DeliveryError
from vero_deliver.mime.headers import clean
from vero_deliver.rendered import File, RenderedEmail
from vero_deliver.secret import Secret, reveal

_TAG: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")  # names and values of tags
_TYPES: Final = mimetypes.MimeTypes()  # Python's own: the machine's may differ
_KEY_LIMIT: Final = 256  # characters of Idempotency-Key


class Resend(BatchEmailApi):
    """One API key. A repeated key is delivered once for 24 hours; with another body it is refused.

    For trials there are addresses such as delivered@resend.dev.
    """

    idempotency_window: ClassVar = timedelta(hours=24)

    capabilities: ClassVar = Capabilities(
        max_recipients=50, max_bytes=40_000_000, batch=100, tracking=False, idempotency=True
    )

    def __init__(
        self,
        api_key: str | Secret,
        *,
        name: str = "resend",
        base_url: str = "https://api.resend.com",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            name=name,
            base_url=base_url,
            credentials={"authorization": Secret(f"Bearer {reveal(api_key)}")},
            secrets=(api_key,),
            timeout=timeout,
            client=client,
        )

    @property
    def idempotent(self) -> bool:
        """True, for `idempotency_window`."""
        return True

    def request(self, rendered: RenderedEmail, key: str) -> httpx.Request:
        """POST /emails."""
        headers = {"idempotency-key": wire_key(key, _KEY_LIMIT)}
        return self.post("/emails", json=_message(rendered, key), headers=headers)

    def batch_request(self, batch: Batch) -> httpx.Request:
        """POST /emails/batch."""
        messages = [_message(rendered, key) for rendered, key in batch]
        keys = "\n".join(wire_key(key, _KEY_LIMIT) for _, key in batch)
        headers = {"idempotency-key": hashlib.sha256(keys.encode()).hexdigest()}
        return self.post("/emails/batch", json=messages, headers=headers)

    def batchable(self, rendered: RenderedEmail) -> bool:
        """A batch takes no attachments."""
        return not rendered.attachments

    def provider_id(self, response: httpx.Response) -> str:
        """`id`, a UUID."""
        found: str = body(response)["id"]
        return found

    def outcomes(self, response: httpx.Response, batch: Batch) -> list[str | DeliveryError]:
        """An id for each: a batch is accepted whole or not at all."""
        del batch
        return self.each(body(response)["data"], lambda each: each["id"])

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """409 concurrent_idempotent_requests: the first of two is still at work."""
        if found.code == "concurrent_idempotent_requests":
            return Deferred(found.detail, channel=self._name, code=found.code, retry_after=1.0)
        return super().refusal(response, found)


def _message(email: RenderedEmail, key: str) -> dict[str, Any]:
    to, cc, bcc = ([mailbox(address) for address in group] for group in apart(email))
    return present(
        **{"from": mailbox(email.from_)},
        to=to,
        cc=cc,
        bcc=bcc,
        reply_to=[mailbox(address) for address in email.reply_to],
        subject=clean(email.subject),
        html=text(email.html),
        text=text(email.text),
        headers=fields(email),
        attachments=[_attachment(file, inline) for file, inline in files(email)],
        tags=list(_tags(email, key)),
    )


def _tags(email: RenderedEmail, key: str) -> Iterator[dict[str, str]]:
    pairs = {
        **dict(email.metadata),
        **dict.fromkeys(email.tags, "true"),
        VERO_KEY: wire_key(key, 256, _TAG),
    }
    for name, value in pairs.items():
        if not _TAG.fullmatch(name) or not _TAG.fullmatch(value):
            raise ValueError(
                f"tags and metadata ({name!r}): Resend takes letters, digits, - and _, up to 256"
            )
        yield {"name": name, "value": value}


def _attachment(file: File, inline: bool) -> dict[str, str]:
    name = clean(file.filename) or "attachment"
    kind = clean(file.content_type)
    by_name, _ = _TYPES.guess_type(name)
    if by_name and by_name != kind.partition(";")[0].strip().lower():
        raise ValueError(  # it accepts such a message and drops it
            f"attachment {name!r} is {kind}, but its extension says {by_name}; rename it"
        )
    made = {"filename": name, "content": encoded(file), "content_type": kind}
    return made | ({"content_id": file.cid} if inline else {})
