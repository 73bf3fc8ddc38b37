"""What drivers over HTTP share: a driver states pure functions, and this sends.

A fault before the request began to be written is Deferred, any later one Uncertain. Redirects
are not followed: a request with credentials goes where it was sent to. Answers are read up to
a limit, and what is missing of one is what its reader finds missing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import httpx

from vero_channels.transport.http1 import Http1Transport
from vero_channels.transport.http_answers import Problem, problem, shortened, verdict
from vero_deliver.channel import Receipt
from vero_deliver.errors import (
    ConfigError,
    Deferred,
    DeliveryError,
    MessageError,
    Misconfigured,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import Rendered
from vero_deliver.secret import Secret, reveal

R = TypeVar("R", bound=Rendered)

MAX_ANSWER = 1_000_000  # bytes
_LONGEST_ID = 998  # characters: a Message-ID is one line of a header
_SHORTEST = 5  # characters; masking shorter ones would hide nothing and garble much
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
# what reading an answer of another form than expected raises
UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError)


class HttpChannel(ABC, Generic[R]):
    """One account at a provider with an HTTP API.

    A driver gives `request`, which is pure and holds no credentials, and `provider_id`; where the
    provider has codes of its own also `refusal`. `credentials` are header fields, added last;
    `secrets` are others that an answer might repeat, and that no error may show.
    base_url: None where each request has an address of its own. client: yours, with your proxy,
    certificates or hooks; you close it. timeout: seconds to connect, to write, and between two
    pieces of the answer.
    """

    def __init__(
        self,
        *,
        name: str,
        base_url: str | None,
        credentials: Mapping[str, str | Secret] | None = None,
        secrets: Sequence[str | Secret] = (),
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        if client is not None and not isinstance(client, httpx.AsyncClient):
            raise ConfigError(f"channel {name!r}: client is an httpx.AsyncClient, made in Python")
        if timeout <= 0:
            raise ConfigError(f"channel {name!r}: timeout is in seconds, more than 0")
        self._name = name
        self._base_url = "" if base_url is None else _checked_url(base_url, name)
        self._credentials = dict(credentials or {})
        self._secrets = _words([*self._credentials.values(), *secrets], name)
        self._timeout = httpx.Timeout(timeout).as_dict()
        self._transport = Http1Transport()
        self._client = client

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name!r}, base_url={self._base_url!r})"

    @property
    def name(self) -> str:
        """The configured name."""
        return self._name

    @property
    def idempotent(self) -> bool:
        """True where the provider delivers a repeated key once."""
        return False

    @abstractmethod
    def request(self, rendered: R, key: str) -> httpx.Request:
        """What is sent, without credentials. Pure.

        ValueError or MessageError where it cannot be; Refused where the provider cannot carry it.
        """

    @abstractmethod
    def provider_id(self, response: httpx.Response) -> str:
        """The id in a 2xx answer; any of KeyError, ValueError and the like where it has none.

        Raises the DeliveryError that the answer stands for where a 2xx says no.
        """

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """The error for an answer that only this provider gives; None for the usual meaning."""
        del response, found
        return None

    def authorized(self, request: httpx.Request) -> httpx.Request:
        """The request with credentials, as it leaves."""
        for field, secret in self._credentials.items():
            request.headers[field] = reveal(secret)
        return request

    async def send(self, rendered: R, key: str) -> Receipt:
        """Hand over to the provider. Raises a DeliveryError."""
        response = await self._exchange(self._made(rendered, key))
        return Receipt(self._name, self._accepted(response), datetime.now(UTC))

    async def aclose(self) -> None:
        """Close the connections; a later send opens new ones. A given client stays open."""
        await self._transport.aclose()

    def _made(self, rendered: R, key: str) -> httpx.Request:
        try:
            return self.request(rendered, key)
        except (MessageError, ValueError, TypeError) as error:
            raise Refused(f"this cannot be sent: {error}", channel=self._name) from None

    def post(self, path: str, **body: Any) -> httpx.Request:
        """A POST to a path below base_url; `body` as httpx.Request has it: json, data, files."""
        headers = {"accept": "application/json", **body.pop("headers", {})}
        if odd := [name for name, value in headers.items() if not value.isprintable()]:
            raise ValueError(f"the field {odd[0]!r} of the request holds a line end")
        request = httpx.Request(
            "POST",
            self._base_url + path,
            headers={**headers, "accept-encoding": "identity"},
            extensions={"timeout": self._timeout},
            **body,
        )
        request.read()  # a form as well: `content` is there for whoever wants to see it
        return request

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        """The answer, read up to MAX_ANSWER bytes. Raises Deferred, Uncertain or Misconfigured."""
        at = request.url.host
        try:
            request = self.authorized(request)
            response = await self._sent(request)
        except _NOT_SENT as fault:
            raise Deferred(f"{at}: {self._fault(fault)}", channel=self._name) from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as fault:
            raise Misconfigured(f"{at}: {self._fault(fault)}", channel=self._name) from None
        except httpx.TransportError as fault:
            detail = f"{at}: {self._fault(fault)} after the request was sent: it may be accepted"
            raise Uncertain(detail, channel=self._name) from None
        return await _read(response)

    async def _sent(self, request: httpx.Request) -> httpx.Response:
        if self._client is None:
            return await self._transport.handle_async_request(request)
        return await self._client.send(request, stream=True, auth=None, follow_redirects=False)

    def _accepted(self, response: httpx.Response) -> str:
        """The provider's id. Raises the DeliveryError that the answer stands for."""
        if not response.is_success:
            raise self._error(response)
        try:
            return identified(self.provider_id(response))
        except UNREADABLE:
            pass
        shown = self.said(problem(response)).detail
        detail = f"HTTP {response.status_code} without an id; it may be accepted: {shown}"
        raise Uncertain(detail, channel=self._name, code=str(response.status_code))

    def _error(self, response: httpx.Response) -> DeliveryError:
        found = self.said(problem(response))
        try:
            own = self.refusal(response, found)
        except UNREADABLE:  # an answer that is not of the provider's form
            own = None
        return own or verdict(response, found, channel=self._name)

    def _fault(self, fault: Exception) -> str:
        return self.shown(f"{type(fault).__name__}: {fault}".rstrip(": "))

    def said(self, found: Problem) -> Problem:
        """A provider's words as an error may show them: short, one line, no credentials."""
        return Problem(self.shown(found.code), self.shown(found.detail))

    def shown(self, text: str) -> str:
        """The text as an error may show it. Some providers repeat a wrong credential."""
        for secret in self._secrets:
            text = text.replace(secret.reveal(), "***")
        return shortened(text)


def identified(found: object) -> str:
    """The id of a message. ValueError where this can be none."""
    if isinstance(found, str) and 0 < len(found) <= _LONGEST_ID and found.isprintable():
        return found
    raise ValueError("no id")


async def _read(response: httpx.Response) -> httpx.Response:
    """The answer with what could be read of its body: its status counts even if no more comes."""
    pieces, size = [], 0
    if response.is_stream_consumed:  # by a hook of the client's
        return response
    try:
        async for piece in response.aiter_raw():  # identity was asked for: nothing to inflate
            pieces.append(piece[: MAX_ANSWER - size])
            size += len(pieces[-1])
            if size >= MAX_ANSWER:
                break
    except httpx.TransportError:
        pieces = pieces if not response.is_success else []
    finally:
        await response.aclose()
    headers = [(n, v) for n, v in response.headers.multi_items() if n != "content-encoding"]
    return httpx.Response(response.status_code, headers=headers, content=b"".join(pieces))


def _checked_url(text: str, name: str) -> str:
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError):
        url = httpx.URL()
    wrong = ""
    if url.scheme not in ("https", "http") or not url.host or url.query or url.fragment:
        wrong = "is no https:// URL of a host"
    elif url.userinfo:
        wrong = "holds credentials; give them as options"
    elif url.scheme == "http" and url.host not in ("127.0.0.1", "::1", "localhost"):
        wrong = "is http, which is for this machine only; use https"
    if wrong:
        raise ConfigError(f"channel {name!r}: base_url {wrong}")
    return str(url).rstrip("/")


def _words(secrets: Sequence[str | Secret], name: str) -> list[Secret]:
    """What must not be shown, the longest first. ConfigError where one cannot be right."""
    words: set[str] = set()
    for secret in secrets:
        value = reveal(secret)
        if not value.strip() or not value.isascii() or not value.isprintable():
            raise ConfigError(f"channel {name!r}: a credential is empty or holds odd characters")
        words |= {word for word in (value, *value.split(" ")) if len(word) > _SHORTEST}
    return [Secret(word) for word in sorted(words, key=len, reverse=True)]
