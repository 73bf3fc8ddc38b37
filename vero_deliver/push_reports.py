"""The tokens with which an app reports what became of a push: delivered, opened.

A push carries one (`vd_report`), signed with HMAC-SHA256, so that a report needs no login and
nobody can make one up; the app posts it back as push_guide/payload.md says. It names the channel
and the delivery and the moment of its rendering, and holds nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from vero_deliver.errors import ConfigError
from vero_deliver.secret import Secret
from vero_deliver.tokens import SHORTEST_SECRET as SHORTEST_SECRET
from vero_deliver.tokens import is_long_enough, seal, unseal

_LONGEST: Final = 2000  # characters of a token that are looked at
_PURPOSE: Final = "vero-deliver push report 1"  # the secret may sign other things too


@dataclass(frozen=True, slots=True)
class Reported:
    """The push that a token is of. key: as `vd_id` has it. at: when it was rendered, UTC."""

    channel: str
    key: str
    at: datetime


def make_token(secret: str | Secret, *, channel: str, key: str, at: datetime) -> str:
    """A token for one push; the same arguments give the same one.

    Raises ConfigError where the secret is shorter than SHORTEST_SECRET.
    """
    text = json.dumps([channel, key, int(at.timestamp())], separators=(",", ":"))
    return seal(_PURPOSE, checked(secret), text.encode("ascii"))


def read_token(
    token: str,
    secrets: Sequence[str | Secret],
    *,
    now: datetime,
    max_age: timedelta = timedelta(days=60),
) -> Reported:
    """What the token names. Raises ValueError where it is not ours, changed or too old.

    secrets: the present one and former ones, while they are changed. ConfigError for none.
    max_age: since the rendering; a push waits four weeks for a device, and reports wait there.
    """
    if not secrets:
        raise ConfigError("push reports: give the secret that signs them")
    named = unseal(_PURPOSE, [checked(secret) for secret in secrets], token, _LONGEST)
    channel, key, seconds = json.loads(named)
    at = datetime.fromtimestamp(seconds, UTC)
    if now - at > max_age:
        raise ValueError(f"the token is older than {max_age.days} days")
    return Reported(channel, key, at)


def checked(secret: str | Secret) -> str | Secret:
    """The secret. Raises ConfigError where it is too short to keep anybody out."""
    if not is_long_enough(secret):
        raise ConfigError(
            f"the secret for push reports has less than {SHORTEST_SECRET} characters; make one: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return secret
