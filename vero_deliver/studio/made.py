"""What one recipient gets: each content rendered as a send would, made once and looked at often."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from vero_deliver.deliver import Deliverer
from vero_deliver.errors import RenderError
from vero_deliver.message import Message
from vero_deliver.mime import Domains
from vero_deliver.render import About
from vero_deliver.rendered import (
    ContentName,
    Rendered,
    RenderedEmail,
    RenderedPush,
    RenderedSms,
    Skipped,
    digest,
)
from vero_deliver.studio.people import Person


@dataclass(frozen=True)
class Item:
    """One delivery as it would be: a content, its key, and the rendered or why there is none."""

    content: ContentName
    key: str
    outcome: Rendered | Skipped | RenderError
    domains: Domains

    @cached_property
    def raw(self) -> bytes:
        """The email's bytes as its driver is handed them; empty for another content."""
        if isinstance(self.outcome, RenderedEmail):
            return self.domains.signed(self.outcome, self.key)
        return b""

    @cached_property
    def digest(self) -> str:
        """What the outbox records; empty where nothing was made."""
        if isinstance(self.outcome, (Skipped, RenderError)):
            return ""
        return digest(self.outcome, self.key)

    @cached_property
    def printed(self) -> str:
        """SHA-256 of what `render -f eml` prints: with signatures, where there are any."""
        return hashlib.sha256(self.raw).hexdigest() if self.raw else ""


@dataclass(frozen=True)
class Made:
    """A message for one person at one moment."""

    message: Message
    person: Person
    at: datetime
    language: str
    items: Sequence[Item]

    def first(self, content: ContentName) -> Item | None:
        """The first delivery of that content; None where the message has none."""
        return next((item for item in self.items if item.content == content), None)

    def rendered(self, content: ContentName) -> list[Item]:
        """The deliveries of that content that could be made."""
        return [
            item
            for item in self.items
            if item.content == content and not isinstance(item.outcome, (Skipped, RenderError))
        ]

    @property
    def email(self) -> RenderedEmail | None:
        """The email, where one was made."""
        item = self.first("email")
        return item.outcome if item and isinstance(item.outcome, RenderedEmail) else None

    @property
    def pushes(self) -> list[RenderedPush]:
        """The push for each device."""
        return [i.outcome for i in self.items if isinstance(i.outcome, RenderedPush)]

    @property
    def sms(self) -> RenderedSms | None:
        """The text message, where one was made."""
        item = self.first("sms")
        return item.outcome if item and isinstance(item.outcome, RenderedSms) else None


def make(
    deliverer: Deliverer, message: Message, person: Person, at: datetime, domains: Domains
) -> Made:
    """What `send` would hand over. Raises MessageError where the message itself is broken."""
    who = person.recipient
    about = About(data=who.data, event=who.event, who=who.label, now=at)
    found = deliverer.render(message, who.user, **about)
    items = [Item(content, key, outcome, domains) for content, key, outcome in found]
    language = deliverer.renderer.language(message, who.user)
    if not who.user.devices:  # drawn for them all the same, though none would be sent
        for number, item in enumerate(items):
            if item.content == "push" and isinstance(item.outcome, Skipped):
                its_own: About = {**about, "key": item.key}
                outcome = deliverer.renderer.render(message, who.user, "push", **its_own)
                items[number] = Item("push", item.key, outcome, domains)
    return Made(message, person, at, language, items)
