"""What readers of webhooks share: what is posted, and who may post."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Protocol

from vero_deliver.errors import ConfigError, NotAuthentic
from vero_deliver.feedback import Feedback
from vero_deliver.secret import Secret


@dataclass(frozen=True, slots=True)
class Post:
    """One request of a provider.

    body: the bytes as they came. headers: names in lower case. at: now, with its timezone.
    """

    body: bytes
    headers: Mapping[str, str]
    at: datetime

    @classmethod
    def of(cls, body: bytes, headers: Mapping[str, str], at: datetime | None = None) -> Post:
        """From a framework's request; `at` left out is this moment."""
        named = {name.lower(): value for name, value in headers.items()}
        return cls(body, named, at or datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The provider asks whether we want its posts: visit `url` to say so."""

    channel: str
    topic: str
    url: str


@dataclass(frozen=True, slots=True)
class Answers:
    """HTTP statuses, as a provider understands them.

    forged: nothing shows that it comes from there. stop: it cannot be read, do not repeat it.
    again: it could not be taken now, repeat it later. any_origin: pages of every origin may post
    and see the status (Fetch, "CORS protocol").
    """

    forged: int = 403
    stop: int = 400
    again: int = 500
    any_origin: bool = False


class Reader(Protocol):
    """Reads the posts of one provider's account.

    answers: what this provider wants to hear.
    """

    answers: ClassVar[Answers]

    @property
    def name(self) -> str:
        """The configured name of the channel."""
        ...

    async def read(self, post: Post) -> list[Feedback] | Confirmation:
        """Its feedback in order; empty for a probe. Raises NotAuthentic and NotUnderstood."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may post, for providers that do not sign: any one of these credentials is enough.

    basic: (user, password). bearer: tokens. header: (name, value). Give the new and the old one
    while they are rotated. None at all, or an empty one, is a ConfigError.
    """

    basic: Sequence[tuple[str, Secret]] = ()
    bearer: Sequence[Secret] = ()
    header: Sequence[tuple[str, Secret]] = ()

    def __post_init__(self) -> None:
        secrets = [*self.bearer, *(secret for _, secret in (*self.basic, *self.header))]
        need_secrets(secrets, "access")

    def check(self, post: Post, channel: str) -> None:
        """Raises NotAuthentic where the post has none of the credentials."""
        scheme, _, given = post.headers.get("authorization", "").partition(" ")
        given = given.strip()
        allowed = False
        if scheme.lower() == "basic":
            known = [f"{user}:{secret.reveal()}" for user, secret in self.basic]
            allowed = same(_base64_text(given), known)
        elif scheme.lower() == "bearer":
            allowed = same(given, [secret.reveal() for secret in self.bearer])
        for name, secret in self.header:
            allowed |= same(post.headers.get(name.lower(), ""), [secret.reveal()])
        if not allowed:
            raise NotAuthentic("the post has none of the credentials of access", channel=channel)


def need_secrets(secrets: Sequence[Secret], option: str) -> None:
    """ConfigError where there is none, or an empty one, which everybody knows."""
    if not secrets or not all(secrets):
        raise ConfigError(f"{option}: give at least one secret, and none that is empty")


def same(given: str, known: Sequence[str]) -> bool:
    """True where it is one of the known, in a time that does not tell how much of it fits."""
    found = False
    for one in known:
        found |= hmac.compare_digest(_octets(given), _octets(one))
    return found


def recent(seconds: str, post: Post, tolerance: float, channel: str) -> None:
    """Raises NotAuthentic where a signed moment is further than `tolerance` seconds from now."""
    try:
        age = post.at.timestamp() - int(seconds)
    except (ValueError, OverflowError):
        raise NotAuthentic("its timestamp is no number of seconds", channel=channel) from None
    if abs(age) > tolerance:
        raise NotAuthentic(f"it was signed more than {tolerance:.0f} s from now", channel=channel)


def header(post: Post, name: str, channel: str) -> str:
    """A header that an authentic post has."""
    value = post.headers.get(name.lower(), "")
    if not value:
        raise NotAuthentic(f"it has no header {name}", channel=channel)
    return value


def of_base64(text: str) -> bytes:
    """The octets; none where it is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _base64_text(given: str) -> str:
    return of_base64(given).decode("utf-8", "surrogateescape")


def _octets(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")
