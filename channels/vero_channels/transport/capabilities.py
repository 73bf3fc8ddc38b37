"""What an email provider can carry, as its driver declares it: nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vero_deliver import mime
from vero_deliver.rendered import RenderedEmail


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """The features of one provider's API for email; None is no limit, 0 or False none at all.

    max_recipients: to, cc and bcc of one message. max_bytes: of one request.
    batch: messages, each with its own body, in one call. idempotency: a repeated key is
    delivered once, at least for some time. sandbox: can be told to check and not to deliver.
    """

    max_recipients: int | None = None
    max_bytes: int | None = None
    batch: int = 1
    attachments: bool = True
    inline_images: bool = True
    cc_bcc: bool = True
    reply_to: int | None = None
    tags: int | None = None
    metadata: bool = True
    tracking: bool = True
    headers: bool = True
    utf8_addresses: bool = False
    idempotency: bool = False
    sandbox: bool = False


def unsupported(email: RenderedEmail, can: Capabilities) -> Iterator[str]:
    """What of this email the provider cannot carry: the field, the limit and what to do."""
    yield from _recipients(email, can)
    if not (email.html or email.text):
        yield "html and text are both empty; give one of them"
    if email.attachments and not can.attachments:
        yield "attachments are not carried; link to the files instead"
    if any(file.cid and email.html for file in email.attachments) and not can.inline_images:
        yield "attachments with a cid (inline images) are not carried; use https:// images"
    if email.headers and not can.headers:
        yield "headers are not carried; leave them out"
    if email.metadata and not can.metadata:
        yield "metadata is not carried; leave it out"
    if can.tags is not None and len(email.tags) > can.tags:
        yield f"tags: {len(email.tags)}, it takes {can.tags or 'none'}; leave some out"
    for name in ("track_opens", "track_clicks"):
        if getattr(email, name) is not None and not (can.tracking or email.tracked):
            yield f"{name} cannot be chosen for one message; set it in the account, leave it out"


def _recipients(email: RenderedEmail, can: Capabilities) -> Iterator[str]:
    if not email.to:
        yield "to is empty; it needs a recipient there"
    if (email.cc or email.bcc) and not can.cc_bcc:
        yield "cc and bcc are not carried; send each person a message"
    count = len(email.recipients)
    if can.max_recipients is not None and count > can.max_recipients:
        yield f"to, cc and bcc: {count} addresses, it takes {can.max_recipients}; send several"
    if can.reply_to is not None and len(email.reply_to) > can.reply_to:
        yield f"reply_to: {len(email.reply_to)} addresses, it takes {can.reply_to or 'none'}"
    if not can.utf8_addresses and mime.needs_smtputf8(email):
        yield "an address has non-ASCII characters before its @; use another channel for it"
