"""A message for a user as deliveries to record: who, what, by when; nothing is rendered yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from vero_deliver.choice import Choose, check_choice, in_order
from vero_deliver.errors import DataError
from vero_deliver.keys import delivery_key, derive_key
from vero_deliver.message import Message
from vero_deliver.outbox.packing import pack, pack_user
from vero_deliver.outbox.records import Order, milliseconds
from vero_deliver.render import About
from vero_deliver.rendered import ContentName
from vero_deliver.user import User

LONGEST_KEY: Final = 500  # characters: a database's index takes no more than some 2,700 bytes
_MILLISECOND: Final = timedelta(milliseconds=1)
_UNFIT: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Terms:
    """How a send is to be carried out.

    choose: see choice.Choose. not_before: the earliest moment; expires: the latest, in
    milliseconds. fallback_after: how long a content may go without being delivered before the next
    one goes; None for ever.
    """

    choose: Choose
    not_before: int
    expires: int
    fallback_after: int | None = None

    @classmethod
    def of(
        cls,
        now: int,
        *,
        choose: Choose,
        not_before: datetime | None,
        expires: datetime | timedelta,
        fallback_after: timedelta | None = None,
    ) -> Terms:
        """From what the caller gave. Raises TypeError for a moment without a timezone."""
        check_choice(choose)
        begin = now if not_before is None else _stored("not_before", not_before)
        if isinstance(expires, timedelta):
            end = begin + expires // _MILLISECOND
        else:
            end = _stored("expires", expires)
        if fallback_after is None:
            return cls(choose, begin, end)
        if choose == "all" or fallback_after <= timedelta(0):
            raise TypeError(
                "fallback_after is a length of time, with choose='first' or choose='preferred'"
            )
        return cls(choose, begin, end, fallback_after // _MILLISECOND)


def orders(
    message: Message, user: User, contents: Sequence[ContentName], about: About, terms: Terms
) -> list[Order]:
    """The deliveries of one send.

    Raises DataError where key, user or data cannot be kept.
    """
    key = about.get("key") or derive_key(
        message,
        user,
        data=about.get("data"),
        event=about.get("event"),
        campaign=about.get("campaign"),
    )
    user_id = user.id or user.email or user.phone
    for where, name in (("key", key), ("user.id, email or phone", user_id)):
        if len(name) > LONGEST_KEY or _UNFIT.search(name):
            raise DataError(
                f"at most {LONGEST_KEY} characters and no control characters, unlike {name[:40]!r}",
                where=where,
            )
    kept = {name: about.get(name) for name in ("data", "event", "campaign", "who", "now")}
    packed = pack({name: value for name, value in kept.items() if value}, "about")
    packed_user = pack_user(user)
    return [
        Order(
            key=its_key,
            send_key=key,
            user_id=user_id,
            message_id=message.id,
            message_version=message.version,
            content=content,
            kind=message.kind,
            rank=None if terms.choose == "all" else rank,
            fallback_after=terms.fallback_after if rank else None,
            user=packed_user,
            about=packed,
            due_at=terms.not_before,
            expires_at=terms.expires,
        )
        for rank, content in enumerate(in_order(contents, user, terms.choose))
        for its_key in _keys(key, content, user)
    ]


def _stored(name: str, given: datetime) -> int:
    if not (isinstance(given, datetime) and given.tzinfo):
        raise TypeError(f"{name}: expected a datetime with a timezone: datetime.now(UTC)")
    return milliseconds(given)


def _keys(key: str, content: ContentName, user: User) -> Iterator[str]:
    if content != "push" or not user.devices:
        yield delivery_key(key, content)
        return
    yield from dict.fromkeys(delivery_key(key, content, device) for device in user.devices)
