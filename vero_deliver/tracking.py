"""Where our own links lead: opens, clicks, unsubscribing, the mail in a browser.

Each is a token below one URL. It names the environment and the delivery by its key's digest, and
a click's destination, so that nothing has to be looked up, and nobody can send people elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import idna

from vero_deliver.errors import ConfigError
from vero_deliver.mime import key_digest
from vero_deliver.secret import Secret, reveal
from vero_deliver.suppression import digest_of
from vero_deliver.tokens import SHORTEST_SECRET, is_long_enough, seal, unseal

OPEN, CLICK, LEAVE, VIEW = "o", "c", "u", "v"  # the first part of each path
_PURPOSE: Final = "vero-deliver tracking 1 {}"
_LONGEST_URL: Final = 4_000  # characters of a destination
_UTM: Final = ("source", "medium", "campaign", "term", "content", "id")
_UNESCAPED: Final = "!#$%&'()*+,/:;=?@[]~"  # what may stand in a URL as it is (RFC 3986)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Who may unsubscribe, and from what.

    delivery: digest of its key. address: digest of the email address, as suppressions have it.
    topic: empty for all marketing.
    """

    delivery: str
    address: str
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Links of ours, and what they say.

    url: where `vero-deliver serve` is reached, "https://t.example.com". secrets: the first signs,
    all are believed. env: tokens of another environment are none. opens, clicks: what is tracked
    unless a message says otherwise. utm: added to links that have none: source, medium, campaign,
    term, content, id.

    Raises ConfigError where it cannot be.
    """

    url: str
    secrets: Sequence[str | Secret] = field(repr=False)
    env: str = ""
    opens: bool = False
    clicks: bool = False
    utm: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        local = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if not parts.hostname or parts.username or parts.query or parts.fragment:
            raise ConfigError("url: write where this is reached, https://t.example.com")
        if parts.scheme != "https" and not (parts.scheme == "http" and local):
            raise ConfigError("url: is no https:// URL; http is for this machine only")
        if isinstance(self.secrets, (str, Secret)) or not self.secrets:
            raise ConfigError("secrets: give a list, the one that signs first")
        if not all(is_long_enough(secret) for secret in self.secrets):
            raise ConfigError(f"secrets: one has less than {SHORTEST_SECRET} characters")
        if unknown := [name for name in self.utm if name not in _UTM]:
            raise ConfigError(f"utm: {unknown[0]!r} is none of {', '.join(_UTM)}")
        object.__setattr__(self, "url", self.url.rstrip("/"))

    def __reduce__(self) -> tuple[Any, ...]:
        # to the processes of render_many, which sign as this one does; never into a file
        plain = [reveal(secret) for secret in self.secrets]
        return _again, (self.url, plain, self.env, self.opens, self.clicks, dict(self.utm))

    def open(self, key: str) -> str:
        """The picture of one pixel that tells of an open."""
        return f"{self._link(OPEN, key_digest(key))}.gif"

    def click(self, key: str, url: str) -> str:
        """The link that leads to `url`. ValueError where that is no http(s) URL of a host."""
        return self._link(CLICK, key_digest(key), _destination(url))

    def leave(self, key: str, email: str, topic: str = "") -> str:
        """The page where somebody unsubscribes; a POST of one click does so at once."""
        return self._link(LEAVE, key_digest(key), digest_of("email", email), topic)

    def view(self, key: str) -> str:
        """The mail in a browser."""
        return self._link(VIEW, key_digest(key))

    def opened(self, token: str) -> str:
        """The digest of the delivery that was opened. ValueError where it is no token of ours."""
        [delivery] = self._said(OPEN, token, 1)
        return delivery

    def clicked(self, token: str) -> tuple[str, str]:
        """The digest of the delivery, and where the click goes. Errors as `opened`."""
        delivery, url = self._said(CLICK, token, 2)
        return delivery, _destination(url)

    def leaving(self, token: str) -> Leaving:
        """Who wants no more. Errors as `opened`."""
        return Leaving(*self._said(LEAVE, token, 3))

    def viewed(self, token: str) -> str:
        """The digest of the delivery to show. Errors as `opened`."""
        [delivery] = self._said(VIEW, token, 1)
        return delivery

    def with_utm(self, url: str) -> str:
        """The URL with the parameters of ours that it does not have."""
        if not self.utm:
            return url
        parts = urlsplit(url)
        there = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        ours = [(f"utm_{name}", value) for name, value in self.utm.items()]
        added = urlencode([(name, value) for name, value in ours if name not in there])
        query = "&".join(filter(None, (parts.query, added)))
        return parts._replace(query=query).geturl()

    def _link(self, kind: str, *said: str) -> str:
        octets = json.dumps([self.env, *said], separators=(",", ":")).encode("ascii")
        return f"{self.url}/{kind}/{seal(_PURPOSE.format(kind), self.secrets[0], octets)}"

    def _said(self, kind: str, token: str, count: int) -> list[str]:
        said: list[str] = json.loads(unseal(_PURPOSE.format(kind), self.secrets, token))
        env = said.pop(0)
        if env != self.env or len(said) != count:
            raise ValueError("the token is of another environment")
        return said


def _destination(url: str) -> str:
    """The URL as a header may have it."""
    if len(url) > _LONGEST_URL:
        raise ValueError("the URL is too long")
    parts = urlsplit(url)  # ValueError for broken brackets
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        raise ValueError("it is no http(s) URL of a host")
    if any(ord(char) < 33 or ord(char) == 127 for char in url) or "\\" in parts.netloc:
        raise ValueError("the URL holds blanks or control characters")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the URL holds credentials, which hide where it leads")
    host = parts.netloc
    if not host.isascii():
        # as browsers do: Python's own codec is of 2003 and leads from faß.de to fass.de
        name, colon, port = host.partition(":")
        host = idna.encode(name, uts46=True).decode("ascii") + colon + port  # or a ValueError
    return quote(parts._replace(netloc=host).geturl(), safe=_UNESCAPED)


def _again(
    url: str, secrets: list[str], env: str, opens: bool, clicks: bool, utm: dict[str, str]
) -> Tracking:
    hidden = [Secret(secret) for secret in secrets]
    return Tracking(url=url, secrets=hidden, env=env, opens=opens, clicks=clicks, utm=utm)
