"""What a message and a sender's values are to every user: looked at once, not once a user."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

from vero_deliver.data import Declaration
from vero_deliver.decode import check_variants, to_plain
from vero_deliver.errors import DataError, MessageError
from vero_deliver.message import Message
from vero_deliver.render.given import names
from vero_deliver.rendered import ContentName
from vero_deliver.source import where

RESERVED: Final = ("user", "event", "campaign", "message", "url", "now")
_RESERVED: Final = frozenset(RESERVED)
_KEPT = 1_000  # messages


class Given(NamedTuple):
    """The sender's values, checked. data: with the defaults of what the message declares."""

    data: Mapping[str, Any]
    event: Mapping[str, Any]
    campaign: Mapping[str, Any]


class Plan:
    """A message that was checked, and what its renderings share."""

    def __init__(self, message: Message) -> None:
        """Raises MessageError where a message made in Python would be refused as a folder."""
        self.message: Final = message
        self.name: Final = where(message.title) or message.id or message.title
        to_plain(message, where=lambda _: self.name)
        check_variants(message, lambda _: self.name)

    def check_content(self, content: ContentName) -> None:
        """Raise MessageError where the message has no such content."""
        if content not in self.message.contents:
            has = ", ".join(self.message.contents) or "nothing"
            raise MessageError(f"has no {content} content; it has {has}", where=self.name)

    def given(self, about: Mapping[str, Any]) -> Given:
        """The sender's part of About. Raises DataError; MessageError for a broken [data]."""
        data = names(about.get("data") or {}, "data")
        event, campaign = about.get("event"), about.get("campaign")
        event = dict(names(event, "event")) if event else {}
        campaign = dict(names(campaign, "campaign")) if campaign else {}
        if not _RESERVED.isdisjoint(data):
            taken = [name for name in RESERVED if name in data]
            raise DataError(f"data may not be named {', '.join(taken)}", where=self.name)
        return Given(self._declaration.check(data, where=self.name), event, campaign)

    def shown(self, language: str) -> dict[str, Any]:
        """What templates see as `message`."""
        return {**self._shown, "locale": language}

    @cached_property
    def _declaration(self) -> Declaration:
        return Declaration(self.message.data, where=self.name)

    @cached_property
    def _shown(self) -> dict[str, Any]:
        message = self.message
        return {
            "id": message.id,
            "title": message.title,
            "kind": message.kind,
            "version": message.version,
        }


class Plans:
    """The plans of the messages seen last, found by the message's identity."""

    def __init__(self) -> None:
        self._plans: dict[int, Plan] = {}

    def of(self, message: Message) -> Plan:
        """The message's plan. Raises MessageError as Plan does."""
        plan = self._plans.get(id(message))
        if plan is None or plan.message is not message:
            plan = Plan(message)
            if len(self._plans) >= _KEPT:
                self._plans.clear()
            self._plans[id(message)] = plan
        return plan
