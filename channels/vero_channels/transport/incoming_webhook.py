"""What drivers of incoming webhooks share: a chat channel's URL is all there is of an account."""

from __future__ import annotations

import json
from abc import abstractmethod
from typing import Any, ClassVar

import httpx

from vero_channels.transport.http import HttpChannel
from vero_channels.transport.http_answers import Problem
from vero_channels.transport.keys import key_uuid
from vero_deliver.errors import ConfigError, DeliveryError, Misconfigured
from vero_deliver.rendered import ContentName, RenderedHttp
from vero_deliver.secret import Secret, reveal


class IncomingWebhook(HttpChannel[RenderedHttp]):
    """Posts to one chat channel whose URL is a secret; URL and headers of a message are not used.

    The body of a message is the provider's own JSON object, or plain text, which `of_text` wraps.
    """

    contents: ClassVar[tuple[ContentName, ...]] = ("http",)
    max_bytes: ClassVar[int]

    def __init__(
        self,
        url: str | Secret,
        *,
        name: str,
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        """url: as the provider shows it once. ConfigError, which does not show it."""
        try:
            self._url = httpx.URL(reveal(url))
        except httpx.InvalidURL:
            self._url = httpx.URL()
        if not self._url.host or self._url.path == "/":
            raise ConfigError("url: it is no URL of an incoming webhook; copy it whole")
        super().__init__(
            name=name,
            base_url=str(self._url.copy_with(path="/", query=None, fragment=None)),
            secrets=(url, self._url.path),
            timeout=timeout,
            client=client,
        )

    @abstractmethod
    def of_text(self, text: str) -> dict[str, Any]:
        """The provider's JSON for a plain text. ValueError where it is too long."""

    def request(self, rendered: RenderedHttp, key: str) -> httpx.Request:
        """The post, its URL without the secret part."""
        request = self.post("/***", json=self._payload(rendered.body))
        if len(request.content) > self.max_bytes:
            raise ValueError(f"the body has {len(request.content)} bytes, at most {self.max_bytes}")
        request.extensions["key"] = key  # not sent: none of these providers has a place for it
        return request

    def authorized(self, request: httpx.Request) -> httpx.Request:
        """To the real URL."""
        request.url = self._url
        return request

    def made_id(self, response: httpx.Response) -> str:
        """An id made of the key, where the provider gives none."""
        return key_uuid(response.request.extensions["key"])

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """404, 405, 410: the webhook or its channel is gone, for every message alike."""
        if response.status_code in (404, 405, 410):
            return Misconfigured(found.detail, channel=self._name, code=found.code)
        return None

    def _payload(self, body: bytes) -> dict[str, Any]:
        text = body.decode()  # UnicodeDecodeError is a ValueError
        try:
            found = json.loads(text)
        except ValueError:
            found = text
        except RecursionError:
            raise ValueError("the body is nested too deep") from None
        if isinstance(found, dict):
            return found
        if not text.strip():
            raise ValueError("the body is empty")
        return self.of_text(found if isinstance(found, str) else text)
