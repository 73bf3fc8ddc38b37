"""Whom a message of FCM is for, and how long it may be."""

from __future__ import annotations

import re
from typing import Any, Final

from vero_channels.transport.push_api import encoded

LIMIT: Final = 4096  # octets of keys and values of data and notification
TOPIC_LIMIT: Final = 2048  # of a message to a topic
APPLE_LIMIT: Final = 4096  # octets of JSON
LONGEST_TOKEN: Final = 10_000  # characters

_TOPIC: Final = re.compile(r"/topics/([A-Za-z0-9._~%-]{1,900})")
_CONDITION: Final = re.compile(r"'[^']+' in topics")


def checked_message(message: dict[str, Any], token: str) -> None:
    """Address the message: a topic or condition takes the place of a device's token.

    ValueError where the token is none, or the message longer than FCM takes.
    """
    if not token.strip() or len(token) > LONGEST_TOKEN:
        raise ValueError("the device's token is none")
    limit = LIMIT
    if token[0] == "/" or " in topics" in token:
        limit = TOPIC_LIMIT
        del message["token"]
        message |= _to_topic(token)
    _check_size(message, limit)


def _to_topic(target: str) -> dict[str, str]:
    topic = _TOPIC.fullmatch(target)
    if topic:
        return {"topic": topic[1]}
    if target[0] != "/" and _CONDITION.search(target):
        return {"condition": target}
    raise ValueError(f"{target[:80]!r} is neither /topics/NAME nor a condition on topics")


def _check_size(message: dict[str, Any], limit: int) -> None:
    """ValueError where what the app gets is longer than FCM takes."""
    size = 0
    for name in ("notification", "data"):
        for field, value in message.get(name, {}).items():
            size += len(field) + len(value if value.isascii() else value.encode())
    if size > limit:
        detail = f"data and notification have {size} bytes and may have {limit}"
        raise ValueError(f"{detail}: shorten the body, the link or data")
    apns = message.get("apns")
    if apns:
        encoded(apns.get("payload", {}), APPLE_LIMIT, "payload for Apple")
