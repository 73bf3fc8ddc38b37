"""Discord, webhooks. Source: "Webhook Resource", "Rate Limits", discord.com/developers/docs."""

from __future__ import annotations

from typing import Any, Final

import httpx

from vero_channels.transport.http_answers import MAX_WAIT, Problem, body
from vero_channels.transport.incoming_webhook import IncomingWebhook
from vero_deliver.errors import Deferred, DeliveryError, Misconfigured
from vero_deliver.secret import Secret

_TEXT: Final = 2_000  # characters
_OURS: Final = ("10015", "50027")  # unknown webhook, invalid webhook token


class Discord(IncomingWebhook):
    """One webhook of a channel. A body in JSON may hold content, embeds and the like."""

    max_bytes = 1_000_000

    def __init__(
        self,
        url: str | Secret,
        *,
        name: str = "discord",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(url, name=name, timeout=timeout, client=client)
        # only then is the answer the message, and not 204 before anything was stored
        self._url = self._url.copy_merge_params({"wait": "true"})

    def of_text(self, text: str) -> dict[str, Any]:
        """`content`; what looks like @everyone in it calls nobody."""
        if len(text) > _TEXT:
            raise ValueError(f"the text has {len(text):,} characters, Discord takes {_TEXT:,}")
        return {"content": text, "allowed_mentions": {"parse": []}}

    def provider_id(self, response: httpx.Response) -> str:
        """The id of the message."""
        found: str = body(response)["id"]
        return found

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """429 says how long to wait in its body, to the millisecond."""
        if response.status_code == 429:
            wait = float(body(response)["retry_after"])
            detail, wait = found.detail, min(max(wait, 0.0), MAX_WAIT)
            return Deferred(detail, channel=self._name, code=found.code, retry_after=wait)
        if found.code in _OURS:
            return Misconfigured(found.detail, channel=self._name, code=found.code)
        return super().refusal(response, found)
