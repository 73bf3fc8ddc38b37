"""The key of a delivery: what makes it one, wherever it is filed.

It is the outbox's index, the provider's idempotency key and the seed of the Message-ID.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from vero_deliver.errors import DataError
from vero_deliver.message import Message
from vero_deliver.rendered import ContentName
from vero_deliver.user import Device, User

_PLAIN = re.compile(r"[^a-z0-9]+")


def derive_key(
    message: Message,
    user: User,
    *,
    data: Mapping[str, Any] | None = None,
    event: Mapping[str, Any] | None = None,
    campaign: Mapping[str, Any] | None = None,
) -> str:
    """A key for this message version, user and data: sending the same again gives the same key.

    Raises DataError where the data is no JSON: it holds itself, or its names are no strings.
    """
    who = user.id or user.email or user.phone
    seed = [message.version, who, data or {}, event or {}, campaign or {}]
    try:
        text = json.dumps(seed, sort_keys=True, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise DataError(f"no key can be derived from the data, pass one: {error}") from None
    digest = hashlib.sha256(text.encode("utf-8"))
    name = _PLAIN.sub("-", (message.id or message.title).lower()).strip("-")[:40]
    return f"{name or 'message'}-{digest.hexdigest()[:20]}"


def delivery_key(key: str, content: ContentName, device: Device | None = None) -> str:
    """The key of one delivery out of those that a caller's key stands for.

    "order-1" becomes "order-1-email"; a push adds eight digits that name the device.
    """
    if device is None:
        return f"{key}-{content}"
    digest = hashlib.sha256(device.token.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{key}-{content}-{digest[:8]}"
