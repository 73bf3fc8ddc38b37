"""HTTP requests to any URL, signed; for webhooks of your own and of your users."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Final

import httpx

from vero_channels.transport.guard import BlockedError, Guard
from vero_channels.transport.http1 import Http1Transport
from vero_channels.transport.http_answers import Problem
from vero_channels.transport.http_anywhere import HttpAnywhere
from vero_channels.transport.keys import wire_key
from vero_channels.transport.standard_webhooks import ID, Signatures
from vero_deliver.errors import (
    ConfigError,
    DeliveryError,
    Gone,
    Misconfigured,
    Refused,
)
from vero_deliver.rendered import ContentName, RenderedHttp
from vero_deliver.secret import Secret, reveal

_KEY: Final = "idempotency-key"
# what the connection, and we, say ourselves
_OURS: Final = frozenset(
    "accept-encoding connection content-length expect host idempotency-key keep-alive"  # noqa: SIM905
    " proxy-authorization proxy-connection te trailer transfer-encoding upgrade webhook-id"
    " webhook-signature webhook-timestamp".split()
)


class Http(HttpAnywhere[RenderedHttp]):
    """Requests to the URL that each message names, or else to `url`.

    https and public addresses only, but for what `allow` names: hosts, addresses, networks.
    authorization: the field of that name, for requests to `url`, which then all go there.
    signing_secrets: of Standard Webhooks; each request is signed with all of them.
    idempotent: the receiver acts once on a repeated Idempotency-Key, which every request has.
    max_bytes: of a request's body. ca_file: authorities to trust instead of the system's.
    timeout: seconds, as ever; the whole exchange may take twice as long.
    """

    contents: ClassVar[tuple[ContentName, ...]] = ("http",)

    def __init__(
        self,
        *,
        name: str = "http",
        url: str | Secret = "",
        authorization: str | Secret = "",
        signing_secrets: Sequence[str | Secret] = (),
        allow: Sequence[str] = (),
        idempotent: bool = False,
        max_bytes: int = 1_000_000,
        ca_file: str | Path | None = None,
        timeout: float = 30.0,
    ) -> None:
        if authorization and not url:
            raise ConfigError("authorization goes to `url` only: give that as well")
        self._guard = Guard(allow)
        self._signatures = Signatures(signing_secrets)
        self._url = self._checked(reveal(url), ConfigError) if url else None
        hidden = self._url.raw_path.decode() if self._url else ""
        super().__init__(
            name=name,
            credentials={"authorization": authorization} if authorization else {},
            secrets=[*signing_secrets, *([hidden] if hidden.strip("/") else [])],
            timeout=timeout,
            transport=Http1Transport(guard=self._guard, verify=_authorities(ca_file, name)),
        )
        self._only_there = bool(authorization)
        if self._signatures:
            self.signed_fields = ("webhook-timestamp", "webhook-signature")
        self._repeatable, self._max_bytes = idempotent, max_bytes

    def __repr__(self) -> str:
        return f"Http(name={self._name!r})"

    @property
    def idempotent(self) -> bool:
        """As the option says: only the receiver knows."""
        return self._repeatable

    def request(self, rendered: RenderedHttp, key: str) -> httpx.Request:
        """The request with its key, before it is signed. A secret `url` shows its host only."""
        if len(rendered.body) > self._max_bytes:
            size = len(rendered.body)
            raise ValueError(f"the body has {size} bytes, max_bytes is {self._max_bytes}")
        if taken := sorted({name.lower() for name in rendered.headers} & _OURS):
            raise ValueError(f"http.headers: {taken[0]} is set by the channel")
        if rendered.url and self._only_there:
            raise ValueError("the message names a URL, and this channel only sends to its own")
        url = self._checked(rendered.url, ValueError) if rendered.url else self._own()
        headers = httpx.Headers({"accept": "*/*", "user-agent": "vero-deliver"})
        headers.update(rendered.headers)  # in whatever case the names are
        headers["accept-encoding"] = "identity"
        headers[_KEY] = wire_key(key, allowed=ID)
        if self._signatures:
            headers["webhook-id"] = headers[_KEY]
        request = httpx.Request(
            rendered.method,
            url,
            headers=headers,
            content=rendered.body,
            extensions={"timeout": self._timeout, "own_url": not rendered.url},
        )
        if odd := [name for name, value in request.headers.items() if not value.isprintable()]:
            raise ValueError(f"the field {odd[0]!r} holds a line end")
        return request

    def authorized(self, request: httpx.Request) -> httpx.Request:
        """To the real URL, with credentials, signed for this moment."""
        if request.extensions["own_url"] and self._url is not None:
            request.url = self._url
        if self._signatures:
            at, id_ = datetime.now(UTC), request.headers[_KEY]
            request.headers.update(self._signatures.fields(id_, at, request.content))
        return super().authorized(request)

    def provider_id(self, response: httpx.Response) -> str:
        """The key as it was sent: a receiver need not answer with an id of its own."""
        found: str = response.request.headers[_KEY]
        return found

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """A URL of the message's is its user's affair; ours is the whole channel's.

        410: the receiver wants no more (Standard Webhooks).
        """
        status = response.status_code
        if response.request.extensions["own_url"]:
            if status in (404, 405, 410):
                return Misconfigured(found.detail, channel=self._name, code=found.code)
            return None
        if status == 410:
            return Gone(found.detail or "410 Gone", channel=self._name, code=found.code)
        if status < 400:
            detail = f"HTTP {status}: redirects are not followed"
            return Refused(detail, channel=self._name, code=str(status))
        if status in (401, 402, 403):
            return Refused(found.detail or "not allowed", channel=self._name, code=found.code)
        return None

    def is_chosen(self, rendered: RenderedHttp) -> bool:
        """Where the message names the URL."""
        return bool(rendered.url)

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super()._sent(request)
        except BlockedError as fault:
            kind = Misconfigured if request.extensions["own_url"] else Refused
            raise kind(str(fault), channel=self._name, code="blocked") from None

    def _own(self) -> httpx.URL:
        if self._url is None:
            raise ValueError("it names no URL (http.url), and the channel has none")
        return self._url.copy_with(path="/***", query=None)

    def _checked(self, text: str, wrong: type[Exception]) -> httpx.URL:
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL:
            url = httpx.URL()
        detail = ""
        if url.scheme not in ("https", "http") or not url.host:
            detail = "is no https:// URL of a host"
        elif url.userinfo:
            detail = "holds credentials, which others would see"
        elif url.scheme == "http" and not self._guard.allows_host(url.host):
            detail = "is http; that is for hosts which the channel's `allow` names"
        if detail:
            raise wrong(f"url {detail}")
        return url.copy_with(fragment=None)


def _authorities(ca_file: str | Path | None, name: str) -> ssl.SSLContext | bool:
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise ConfigError(f"channel {name!r}: ca_file: {error}") from None
