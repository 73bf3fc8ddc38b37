"""Microsoft Teams, webhooks of the Workflows app and the older incoming webhooks.

Source: "Create Incoming Webhooks", learn.microsoft.com/microsoftteams/platform. The older ones
answer 200 with `1`, and 200 with words where something went wrong.
"""

from __future__ import annotations

import re
from typing import Any, Final

import httpx

from vero_channels.transport.http_answers import Problem, verdict
from vero_channels.transport.incoming_webhook import IncomingWebhook
from vero_deliver.secret import Secret

# "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429
# with ContextId ..."
_FAILED: Final = re.compile(r"returned HTTP error ([1-5][0-9]{2})")


class Teams(IncomingWebhook):
    """One webhook of a channel or chat. A body in JSON is a message with its attachments."""

    max_bytes = 28 * 1024

    def __init__(
        self,
        url: str | Secret,
        *,
        name: str = "teams",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(url, name=name, timeout=timeout, client=client)

    def of_text(self, text: str) -> dict[str, Any]:
        """A message with one Adaptive Card that shows the text."""
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [{"type": "TextBlock", "text": text, "wrap": True}],
        }
        kind = "application/vnd.microsoft.card.adaptive"
        return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}

    def provider_id(self, response: httpx.Response) -> str:
        """Made of the key: Teams gives none. Raises what the words of an error stand for."""
        said = response.content.decode("utf-8", "replace").strip()
        if found := _FAILED.search(said):
            told = self.said(Problem(found[1], said))
            raise verdict(httpx.Response(int(found[1])), told, channel=self._name)
        if response.status_code == 200 and said != "1":
            raise ValueError("not accepted")
        return self.made_id(response)
