"""The key of a delivery: what makes it one, wherever it is filed.

It is the outbox's index, the provider's idempotency key and the seed of the Message-ID.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from vero_deliver.errors import DataError
from vero_deliver.message import Message
from vero_deliver.plain import kind_of
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

    The user counts by id, else email, else phone: other attributes change nothing. Raises
    DataError where the data has no lasting form: an object of the caller's own, a generator.
    """
    who = user.id or user.email or user.phone
    seed = [message.version, who, data or {}, event or {}, campaign or {}]
    try:
        text = json.dumps(seed, sort_keys=True, default=_lasting)
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


def _lasting(value: Any) -> Any:
    """What JSON lacks, in a form that the next process gives too; no address, no hash order."""
    if isinstance(value, (date, time, timedelta, Decimal, UUID, PurePath)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, (set, frozenset)):
        return sorted(json.dumps(item, sort_keys=True, default=_lasting) for item in value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Enum):
        return value.name
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{kind_of(value)} is not the same in the next process")
