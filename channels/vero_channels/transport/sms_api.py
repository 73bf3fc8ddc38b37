"""What drivers of SMS APIs share: the sender, the limits, and the meaning of a provider's codes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar
from urllib.parse import quote

import httpx

from vero_channels.transport.http import HttpChannel
from vero_channels.transport.http_answers import Problem, retry_after
from vero_channels.transport.keys import VERO_KEY, wire_key
from vero_channels.transport.senders import Sender, Senders
from vero_deliver.errors import ConfigError, Deferred, DeliveryError, Misconfigured
from vero_deliver.phone import E164
from vero_deliver.rendered import ContentName, RenderedSms
from vero_deliver.secret import Secret
from vero_deliver.segments import too_many

Codes = Mapping[str, type[DeliveryError]]


class SmsApi(HttpChannel[RenderedSms]):
    """A provider of text messages. senders: by country, "GB" to a name, a number or a code.

    codes: the provider's own, with what each means; any other has the meaning of its status.
    """

    contents: ClassVar[tuple[ContentName, ...]] = ("sms",)
    codes: ClassVar[Codes] = {}
    max_characters: ClassVar[int | None] = None
    may_choose_sender: bool = False  # the provider, where neither senders nor message name one

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        senders: Mapping[str, str] | None = None,
        credentials: Mapping[str, str | Secret] | None = None,
        secrets: Sequence[str | Secret] = (),
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        self._senders = Senders(senders or {})
        super().__init__(
            name=name,
            base_url=base_url,
            credentials=credentials,
            secrets=secrets,
            timeout=timeout,
            client=client,
        )

    @abstractmethod
    def sms_request(self, sms: RenderedSms, sender: Sender | None, key: str) -> httpx.Request:
        """What is sent, without credentials. Pure. sender: None leaves it to the provider."""

    def request(self, rendered: RenderedSms, key: str) -> httpx.Request:
        """As `sms_request`, the sender chosen. ValueError where the message cannot be sent."""
        if not E164.fullmatch(rendered.to):
            raise ValueError(f"to: {rendered.to[:40]!r} is no number as E.164 has it")
        if not rendered.body:
            raise ValueError("body is empty")
        if wrong := too_many(rendered.body, rendered.max_segments):
            raise ValueError(f"body {wrong}")
        limit, length = self.max_characters, len(rendered.body)
        if limit is not None and length > limit:
            raise ValueError(f"body has {length:,} characters, {self._provider} takes {limit:,}")
        sender = self._senders.choose(rendered.to, rendered.from_)
        if sender is None and not self.may_choose_sender:
            raise ValueError("there is no sender: name one in the message or in senders")
        return self.sms_request(rendered, sender, key)

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """By the provider's code, else 404 and 405: the path is the driver's or the options'."""
        if kind := self.codes.get(found.code):
            return self.error(kind, found, response)
        if response.status_code in (404, 405):
            detail = f"check base_url and the options: {found.detail}"
            return Misconfigured(detail, channel=self._name, code=found.code)
        return None

    def error(
        self, kind: type[DeliveryError], found: Problem, response: httpx.Response
    ) -> DeliveryError:
        """The error of that kind; Deferred says when to come back."""
        if issubclass(kind, Deferred):
            wait = retry_after(response)
            return kind(found.detail, channel=self._name, code=found.code, retry_after=wait)
        return kind(found.detail, channel=self._name, code=found.code)

    @property
    def _provider(self) -> str:
        return type(self).__name__


def checked_callback(url: str, option: str) -> str:
    """The URL that a provider posts to. ConfigError where it is none."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if url and (parsed.scheme not in ("https", "http") or not parsed.host or parsed.fragment):
        raise ConfigError(f"{option}: it is no https:// URL without a fragment")
    return url


def with_key(url: str, key: str) -> str:
    """A callback URL that brings the delivery's key back, for providers with no field for it."""
    mark = "&" if "?" in url else "?"
    return f"{url}{mark}{VERO_KEY}={quote(wire_key(key), safe='')}" if url else ""
