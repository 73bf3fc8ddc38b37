"""What readers of SMS providers' webhooks share: answers of people, numbers, forms, our key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qs, parse_qsl

from vero_channels.transport.keys import VERO_KEY, named
from vero_channels.transport.webhooks import Post
from vero_deliver.errors import ConfigError, NotUnderstood
from vero_deliver.feedback import Kind, Reason
from vero_deliver.feedback.keywords import keyword
from vero_deliver.mime import Named

_DIGITS: Final = re.compile(r"[1-9][0-9]{8,14}")  # a number without its +; codes are shorter


class Fate(NamedTuple):
    """What a provider's code says: kind, reason, and whether the number is dead."""

    kind: Kind
    reason: Reason
    permanent: bool | None = None


INVALID: Final = Fate("bounced", "invalid", True)
UNREACHABLE: Final = Fate("bounced", "timed_out", False)
BLOCKED: Final = Fate("bounced", "blocked", None)
SPAM: Final = Fate("bounced", "spam", False)
STOPPED: Final = Fate("rejected", "unsubscribed", None)
OURS: Final = Fate("failed", "other", None)  # the account, its credit, its sender


def answered(text: str) -> Kind:
    """What somebody's message means: STOP is unsubscribed, START resubscribed; else inbound."""
    meanings: dict[str, Kind] = {"stop": "unsubscribed", "start": "resubscribed"}
    return meanings.get(keyword(text), "inbound")


def number(text: str) -> str:
    """With the + that some providers leave out."""
    return f"+{text}" if _DIGITS.fullmatch(text) else text


def in_query(post: Post) -> Named:
    """The delivery that the callback's URL names."""
    try:
        values = parse_qs(post.query, max_num_fields=100).get(VERO_KEY, [""])
    except ValueError:
        return named("")
    return named(values[0])


def form(post: Post, channel: str) -> dict[str, list[str]]:
    """The fields of a form, in order of their names. NotUnderstood where it is none."""
    try:
        text = post.body.decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError:  # UnicodeDecodeError is one
        raise NotUnderstood("it is no form", channel=channel) from None
    fields: dict[str, list[str]] = {}
    for name, value in sorted(pairs):
        fields.setdefault(name, []).append(value)
    return fields


def flat(fields: Mapping[str, list[str]]) -> dict[str, str]:
    """The first value of each field."""
    return {name: values[0] for name, values in fields.items()}


def need_urls(urls: object) -> None:
    """ConfigError where there is no list of URLs, or one with a query, which every post brings."""
    if isinstance(urls, str) or not isinstance(urls, (list, tuple)) or not urls:
        raise ConfigError("urls: give a list with the URL that the provider posts to")
    if any("?" in url or "#" in url for url in urls):
        raise ConfigError("urls: give the URL up to its ?; the rest comes with each post")
