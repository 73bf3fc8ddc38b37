"""Broadcasts: one push for all who follow a channel of Apple's, by their Live Activities.

A device whose token is `/channels/ID` stands for them. Source: "Sending broadcast push
notification requests to APNs", developer.apple.com.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

LIMIT: Final = 5120  # octets of JSON

_TARGET: Final = re.compile(r"/channels/([A-Za-z0-9+/_-]{1,1000}={0,2})")
_TYPE: Final = "liveactivity"


def channel_id(token: str) -> str:
    """Of the channel that a token stands for; empty where it is a device's. ValueError: of none."""
    if not token.startswith("/"):
        return ""
    found = _TARGET.fullmatch(token)
    if found is None:
        raise ValueError(f"{token[:80]!r} is not /channels/ and a channel's ID in base64")
    return found[1]


def broadcast_path(bundle_id: str) -> str:
    """Where broadcasts to the app's channels go."""
    return f"/4/broadcasts/apps/{bundle_id}"


def broadcast_headers(headers: Mapping[str, str], channel: str) -> dict[str, str]:
    """The header fields of a broadcast, made of a push's. ValueError where it cannot be one.

    Without a ttl it is tried once and not kept: some channels take nothing else.
    """
    kind = headers["apns-push-type"]
    if kind != _TYPE:
        detail = f"a channel takes Live Activities, and this is {kind}"
        raise ValueError(f'{detail}: set "apns-push-type" = "{_TYPE}" in push.ios')
    return {
        "apns-push-type": kind,
        "apns-priority": headers["apns-priority"],
        "apns-channel-id": channel,
        "apns-expiration": headers.get("apns-expiration", "0"),
    }
