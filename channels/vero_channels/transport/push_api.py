"""What drivers of push services over HTTP/2 share: one host, one client, what its faults mean."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx
import msgspec

from vero_channels.transport.http2 import Http2Client
from vero_channels.transport.http2_exchange import (
    Answer,
    Http2Error,
    UnsentError,
    UntrustedError,
)
from vero_channels.transport.http_answers import Problem, problem, verdict
from vero_deliver.errors import ConfigError, Deferred, DeliveryError, Misconfigured, Uncertain
from vero_deliver.rendered import ContentName

_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9A-Fa-f:]{2,45}")
# a token, whole or cut off, that an answer might repeat: JWT, or Google's access token
_TOKEN: Final = re.compile(r"(?:eyJ[\w-]{10,}|ya29\.[\w-]+)(?:\.[\w-]*)*")
_WORDS: Final = 300  # characters of a fault that are shown


class PushApi:
    """One account at a push service.

    connections: at most so many, opened where requests wait. timeout: seconds to connect, and for
    each push until its answer is there whole. ca_file: authorities in place of the system's.
    """

    contents: ClassVar[tuple[ContentName, ...]] = ("push",)

    def __init__(
        self,
        *,
        name: str,
        host: str,
        port: int,
        timeout: float,
        connections: int,
        ca_file: str | Path | None,
    ) -> None:
        self._name = name
        if not _HOST.fullmatch(host) or not 0 < port < 65536:
            raise self._wrong(f"{host!r}, port {port}: host is a name or address, without a port")
        if timeout <= 0 or connections < 1:
            raise self._wrong("timeout is in seconds, more than 0; connections is 1 or more")
        self._ca_file = ca_file
        self._context = self._tls()
        named = f"[{host}]" if ":" in host else host
        self._authority = named if port == 443 else f"{named}:{port}"
        self._http2 = Http2Client(
            host, port, context=self._context, connections=connections, timeout=timeout
        )

    @property
    def name(self) -> str:
        """The configured name."""
        return self._name

    @property
    def idempotent(self) -> bool:
        """False: a push that is sent twice is shown twice."""
        return False

    async def aclose(self) -> None:
        """Close the connections; a later send opens new ones."""
        await self._http2.aclose()

    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._ca_file)
        except OSError as error:
            raise self._wrong(f"ca_file {self._ca_file}: {error.strerror or error}") from None

    def _wrong(self, detail: str) -> ConfigError:
        return ConfigError(f"channel {self._name!r}: {detail}")

    def _fault(self, fault: Http2Error) -> DeliveryError:
        """Why there is no answer."""
        detail = f"{self._authority}: {self._shown(str(fault))}"
        if isinstance(fault, UntrustedError):
            return Misconfigured(detail, channel=self._name)
        if isinstance(fault, UnsentError):
            return Deferred(detail, channel=self._name)
        return Uncertain(f"{detail}; it may have been accepted", channel=self._name)

    def _verdict(self, answer: Answer, code: str = "") -> DeliveryError:
        """What an answer other than 200 means that has no reason which the driver knows."""
        response = as_response(answer)
        found = problem(response)
        found = Problem(self._shown(code or found.code), self._shown(found.detail))
        return verdict(response, found, channel=self._name)

    def _shown(self, text: str) -> str:
        """The text without tokens of ours, which a service might repeat."""
        return _TOKEN.sub("***", text)[:_WORDS]


def as_response(answer: Answer) -> httpx.Response:
    """The answer as the functions of http_answers take it."""
    return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


def encoded(body: Any, limit: int, what: str) -> bytes:
    """The body as JSON. ValueError where it is longer than `limit` octets or no JSON."""
    try:
        octets = _ENCODER.encode(body)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"the {what} is no JSON: {error}") from None
    if len(octets) > limit:
        raise ValueError(
            f"the {what} has {len(octets)} bytes and may have {limit}: shorten the body, the link "
            "or data"
        )
    return octets


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, str):  # template text that knows its file
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no place in JSON")


_ENCODER: Final = msgspec.json.Encoder(enc_hook=_plain)
