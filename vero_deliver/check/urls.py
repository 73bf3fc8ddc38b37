"""URLs as mail filters look at them."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

# hosts that hide where a link leads; spam is the other thing they are used for
SHORTENERS: Final = frozenset(
    ("bit.ly", "bitly.com", "buff.ly", "cutt.ly", "dub.sh", "goo.gl", "is.gd", "lnkd.in", "ow.ly",
     "rb.gy", "rebrand.ly", "s.id", "short.io", "shorturl.at", "t.co", "t.ly", "tiny.cc",
     "tinyurl.com", "v.gd")
)  # fmt: skip
_LOCAL: Final = ("localhost", ".localhost", ".local", ".internal", ".lan", ".home.arpa", ".test")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_SHOWN: Final = re.compile(
    r"(?:https?://)?((?:[\w-]+\.)+[a-z]{2,24})(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE
)


def parts(url: str) -> SplitResult | None:
    """The parts of an http(s) URL; None for any other, and for one that is none."""
    try:
        split = urlsplit(url.strip())
        _ = split.port
    except ValueError:
        return None
    return split if split.scheme.lower() in ("http", "https") else None


def host_of(url: str) -> str:
    """The host in lower case, no dot at its end; empty where there is none."""
    split = parts(url)
    return (split.hostname or "").rstrip(".") if split else ""


def has_scheme(url: str) -> bool:
    """Whether it says what it is: https:, mailto:, tel:, an app's own."""
    return bool(_SCHEME.match(url))


def is_local(host: str) -> bool:
    """Whether only the author's own network knows the host."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost" or host.endswith(_LOCAL[1:]) or "." not in host


def is_shortener(host: str) -> bool:
    """Whether the host only leads elsewhere."""
    return host.removeprefix("www.") in SHORTENERS


def shown_host(text: str) -> str:
    """The host that a link's text names, where all of it is an address; else empty."""
    found = _SHOWN.fullmatch(text.strip())
    return found[1].lower() if found else ""


def is_related(one: str, other: str) -> bool:
    """Whether hosts are the same, or below one another, whatever their www."""
    one, other = one.removeprefix("www."), other.removeprefix("www.")
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
