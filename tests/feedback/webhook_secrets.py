"""The moment and the secrets that every provider in the tests signs with."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Final

from vero_deliver.secret import Secret

NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECONDS: Final = str(int(NOON.timestamp()))

NEW: Final = "new-secret-new-secret-new-secret"
OLD: Final = "old-secret-old-secret-old-secret"
FOREIGN: Final = "foreign-secret-foreign-secret-00"
BOTH: Final = (Secret(NEW), Secret(OLD))


def whsec(secret: str) -> str:
    return "whsec_" + base64.b64encode(secret.encode()).decode()
