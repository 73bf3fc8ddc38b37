"""Django's email backend over the channel that carries email in a project.

Source: "Sending email", "Defining a custom email backend", docs.djangoproject.com.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address as Parsed
from email.message import EmailMessage as Part
from email.message import Message as OldPart
from email.utils import getaddresses
from typing import Any
from uuid import uuid4

from anyio.from_thread import BlockingPortal, start_blocking_portal
from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage

from vero_deliver.channel import Channel
from vero_deliver.errors import ConfigError, DeliveryError, MessageError
from vero_deliver.project import Project
from vero_deliver.rendered import Address, File, RenderedEmail

# header fields that have a place of their own in RenderedEmail
_OURS = {"from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id"}


class Backend(BaseEmailBackend):  # type: ignore[misc]  # Django has no types
    """Sends each message over the channel for email of VERO_DELIVER_PROJECT, one call each.

    VERO_DELIVER_PROJECT: a folder of the project, default the current one. VERO_DELIVER_ENV: the
    environment, default "dev", which writes to files. A channel stays open between messages of
    one call, or from open() to close(). Errors are those of vero_deliver.errors, unless
    fail_silently.
    """

    def __init__(self, fail_silently: bool = False, **options: Any) -> None:
        super().__init__(fail_silently=fail_silently, **options)
        self._lock = threading.RLock()
        self._opened: tuple[Any, BlockingPortal, Channel[RenderedEmail]] | None = None

    def open(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        """True where this call has opened it; Django then closes it."""
        with self._lock:
            if self._opened is not None:
                return False
            project = Project.find(
                getattr(settings, "VERO_DELIVER_PROJECT", "."),
                env=getattr(settings, "VERO_DELIVER_ENV", "dev"),
            )
            channel = project.deliverer(["email"]).channels.get("email")
            if channel is None:
                raise ConfigError(f"no channel carries email in the environment {project.env!r}")
            context = start_blocking_portal()
            self._opened = context, context.__enter__(), channel
            return True

    def close(self) -> None:
        """Close the channel. Idempotent."""
        with self._lock:
            if self._opened is None:
                return
            context, portal, channel = self._opened
            self._opened = None
            try:
                portal.call(channel.aclose)
            finally:
                context.__exit__(None, None, None)

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """How many were accepted."""
        sent = 0
        with self._lock:
            try:
                opened = self.open()
            except (ConfigError, OSError):
                if not self.fail_silently:
                    raise
                return 0
            try:
                for message in email_messages:
                    sent += self._send(message)
            finally:
                if opened:
                    self.close()
        return sent

    def _send(self, message: EmailMessage) -> bool:
        if not message.recipients():
            return False
        assert self._opened is not None  # noqa: S101  # send_messages has opened it
        _, portal, channel = self._opened
        try:
            rendered = rendered_of(message)
            key = message.extra_headers.get("X-Vero-Key") or f"django-{uuid4().hex}"
            portal.call(channel.send, rendered, key)
        except (DeliveryError, MessageError, ValueError):
            if not self.fail_silently:
                raise
            return False
        return True


def rendered_of(message: EmailMessage) -> RenderedEmail:
    """Django's message as channels take it. ValueError where an address is none."""
    html = next(
        (
            str(content)
            for content, kind in getattr(message, "alternatives", None) or ()
            if kind == "text/html"
        ),
        "",
    )
    text = str(message.body)
    if message.content_subtype == "html":
        html, text = text, ""
    [sender] = _addresses([message.extra_headers.get("From", message.from_email)])
    return RenderedEmail(
        from_=sender,
        to=_addresses(message.to),
        cc=_addresses(message.cc),
        bcc=_addresses(message.bcc),
        reply_to=_addresses(message.reply_to),
        subject=" ".join(str(message.subject).split()),
        html=html,
        text=text,
        headers={
            name: str(value)
            for name, value in message.extra_headers.items()
            if name.lower() not in _OURS and name != "X-Vero-Key"
        },
        attachments=tuple(_file(one) for one in message.attachments),
        at=datetime.now(UTC),
    )


def _addresses(entries: Sequence[Any]) -> tuple[Address, ...]:
    found: list[Address] = []
    for entry in entries or ():
        if any(char in str(entry) for char in "\r\n"):
            raise ValueError("an address holds a line end")
        for name, address in getaddresses([str(entry)]):
            parsed = Parsed(addr_spec=address) if address.isascii() else None
            if not address or "@" not in address or (parsed is not None and not parsed.domain):
                raise ValueError(f"{str(entry)[:80]!r} is no address")
            found.append(Address(address, name))
    return tuple(found)


def _file(attachment: Any) -> File:
    """One of Django's three forms: name, content and type; a part of the email package."""
    if isinstance(attachment, (Part, OldPart)):
        raw = attachment.get_payload(decode=True)
        return File(
            filename=attachment.get_filename() or "attachment",
            content=raw if isinstance(raw, bytes) else str(attachment.get_payload()).encode(),
            content_type=attachment.get_content_type(),
            cid=(attachment.get("Content-ID") or "").strip("<> "),
        )
    filename, content, kind = attachment
    if hasattr(content, "as_bytes"):
        content = content.as_bytes()
    return File(
        filename=filename or "attachment",
        content=content.encode() if isinstance(content, str) else bytes(content),
        content_type=kind or "application/octet-stream",
    )
