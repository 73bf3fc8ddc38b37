"""A message for a user as deliveries to record: who, what, by when; nothing is rendered yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from vero_deliver.errors import DataError
from vero_deliver.keys import delivery_key, derive_key
from vero_deliver.message import Message
from vero_deliver.outbox.packing import pack, pack_user
from vero_deliver.outbox.records import Order, milliseconds
from vero_deliver.render import About
from vero_deliver.rendered import ContentName
from vero_deliver.user import User

Choose = Literal["all", "first"]
LONGEST_KEY: Final = 500  # characters: a database's index takes no more than some 2,700 bytes
_UNFIT: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Terms:
    """How a send is to be carried out.

    choose: "all" sends every content; "first" the first that reaches the user, in their order.
    not_before: the earliest moment; expires: the latest, in milliseconds.
    """

    choose: Choose
    not_before: int
    expires: int

    @classmethod
    def of(
        cls,
        now: int,
        *,
        choose: Choose,
        not_before: datetime | None,
        expires: datetime | timedelta,
    ) -> Terms:
        """From what the caller gave. Raises TypeError for a moment without a timezone."""
        if choose not in get_args(Choose):
            raise TypeError(f"choose: expected 'all' or 'first', got {choose!r}")
        begin = now if not_before is None else _stored("not_before", not_before)
        if isinstance(expires, timedelta):
            return cls(choose, begin, begin + expires // timedelta(milliseconds=1))
        return cls(choose, begin, _stored("expires", expires))


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
            rank=rank if terms.choose == "first" else None,
            user=packed_user,
            about=packed,
            due_at=terms.not_before,
            expires_at=terms.expires,
        )
        for rank, content in enumerate(contents)
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
