"""The links of an email that come back to us: what is in them, and who reads it.

    <url>/c/<token>  click: the delivery and the URL that it leads to
    <url>/o/<token>  open: the delivery
    <url>/u/<token>  preferences: the delivery, the address and the topic
    <url>/v/<token>  view in browser: the delivery

A delivery stands there as the 16 octets of `mime.key_digest`. Environment and purpose are signed
and not written, so that a link of one is worth nothing in another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Literal
from urllib.parse import quote, urlsplit

import idna

from vero_deliver import tokens
from vero_deliver.errors import ConfigError
from vero_deliver.mime import key_digest
from vero_deliver.plain import nearest
from vero_deliver.secret import Secret

Purpose = Literal["click", "open", "preferences", "view"]
PATHS: Final[Mapping[Purpose, str]] = {"click": "c", "open": "o", "preferences": "u", "view": "v"}
UTM: Final = ("source", "medium", "campaign", "term", "content", "id")
LONGEST_URL: Final = 2_000  # characters of a destination; longer links are left as they are

_LONGEST_TOKEN: Final = 4_000
_DIGEST: Final = 16  # octets
_BASE: Final = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?(/[\w.~-]+)*", re.ASCII | re.IGNORECASE)
_BLANK: Final = re.compile(r"[\t\n\r]")  # what browsers leave out of a URL
_CONTROL: Final = re.compile("[\0-\x20\x7f\\\\]")
_HOST: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\]", re.IGNORECASE)
_KEPT: Final = "%/?#[]@!$&'()*+,;=:~|^{}`"  # of ASCII only quotes and < > are changed


@dataclass(frozen=True, slots=True)
class Told:
    """What a link names. digest: `mime.key_digest` of the delivery's key.

    url: where a click leads to. content, address, topic: of preferences.
    """

    digest: str
    url: str = ""
    content: Literal["email", "sms"] = "email"
    address: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracking:
    """Makes and reads the links of one environment. Pickles with its secrets, for processes.

    url: where `vero-deliver serve` is reached, "https://t.example.com". env: is signed along.
    secrets: the first one signs; former ones are still read, while mails with them are about.
    opens, clicks: whether emails are tracked that do not say. utm: "source", "medium", ... to
    templates of their values; added to links that have none of that name.
    """

    url: str
    secrets: Sequence[Secret] = field(repr=False)
    env: str = "dev"
    opens: bool = False
    clicks: bool = False
    utm: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _BASE.fullmatch(self.url.rstrip("/")):
            raise ConfigError(f"url: {self.url[:80]!r} is no URL such as https://t.example.com")
        object.__setattr__(self, "url", self.url.rstrip("/"))
        if not self.secrets:
            raise ConfigError("secrets: give the secret that signs the links")
        try:
            for secret in self.secrets:
                tokens.checked(secret)
        except ConfigError as error:
            raise ConfigError(f"secrets: {error}") from None
        for name in self.utm:
            if name not in UTM:
                hint = nearest(name, UTM) or f"; known: {', '.join(UTM)}"
                raise ConfigError(f"utm: unknown {name!r}{hint}")

    def click(self, key: str, url: str) -> str:
        """The link that leads to `url`, as `destination` gives it, and says so."""
        return self._link("click", key, url)

    def open(self, key: str) -> str:
        """The address of the picture that nobody sees."""
        return self._link("open", key)

    def preferences(self, key: str, content: str, address: str, topic: str) -> str:
        """The way out: one click of a mail program, or the page where people choose."""
        return self._link("preferences", key, "\0".join((content, topic, address)))

    def view(self, key: str) -> str:
        """The email in a browser."""
        return self._link("view", key)

    def read(self, purpose: Purpose, token: str) -> Told:
        """What the token of a link names. Raises ValueError where it is not ours, or changed."""
        signed = self._purpose(purpose)
        named = tokens.read_token(token, self.secrets, signed, longest=_LONGEST_TOKEN)
        digest, rest = named[:_DIGEST].hex(), named[_DIGEST:].decode("utf-8", "surrogatepass")
        if purpose == "click":
            if destination(rest) != rest or not rest:
                raise ValueError("the token leads nowhere")
            return Told(digest, url=rest)
        if purpose == "preferences":
            content, topic, address = rest.split("\0", 2)
            return Told(digest, "", "sms" if content == "sms" else "email", address, topic)
        return Told(digest)

    def _link(self, purpose: Purpose, key: str, rest: str = "") -> str:
        named = bytes.fromhex(key_digest(key)) + rest.encode("utf-8", "surrogatepass")
        token = tokens.make_token(self.secrets[0], self._purpose(purpose), named)
        return f"{self.url}/{PATHS[purpose]}/{token}"

    def _purpose(self, purpose: Purpose) -> bytes:
        return f"vero-deliver {purpose} 1\0{self.env}\0".encode("utf-8", "surrogatepass")

    def __reduce__(self) -> tuple[Any, ...]:
        known = [secret.reveal() for secret in self.secrets]
        options = {name: getattr(self, name) for name in ("url", "env", "opens", "clicks")}
        return partial(_remade, utm=dict(self.utm), **options), (known,)


def destination(href: str) -> str:
    """The URL of a link as a Location field may have it; empty where a click is not led there.

    Led to are http and https with a host, without user and password, of at most LONGEST_URL
    characters. A host of other scripts is written as DNS has it, other characters as percent and
    octets (RFC 3986), the rest as it is.
    """
    url = _BLANK.sub("", href).strip("\0\x0c ")
    if len(url) > LONGEST_URL or _CONTROL.search(url):
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not parts.hostname:
        return ""
    host = _host(parts.netloc.rpartition(":")[0] if port is not None else parts.netloc.rstrip(":"))
    if not host:
        return ""
    netloc = host if port is None else f"{host}:{port}"
    _, _, behind = url.partition("://")
    behind = behind[len(parts.netloc) :]
    try:
        return f"{parts.scheme}://{netloc}{quote(behind, safe=_KEPT)}"
    except UnicodeEncodeError:  # a lone surrogate
        return ""


def _host(text: str) -> str:
    """The host in ASCII; empty where it is none."""
    if not text.isascii():
        try:
            text = idna.encode(text, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return ""
    return text if _HOST.fullmatch(text) else ""


def _remade(known: Sequence[str], **options: Any) -> Tracking:
    return Tracking(secrets=[Secret(one) for one in known], **options)
