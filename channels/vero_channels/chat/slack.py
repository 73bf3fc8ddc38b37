"""Slack, incoming webhooks. Source: docs.slack.dev, "Sending messages using incoming webhooks"."""

from __future__ import annotations

from typing import Any, Final

import httpx

from vero_channels.transport.http_answers import Problem
from vero_channels.transport.incoming_webhook import IncomingWebhook
from vero_deliver.errors import DeliveryError, Misconfigured
from vero_deliver.secret import Secret

_TEXT: Final = 40_000  # characters; Slack cuts what is longer
# plain text bodies of errors that no other message would escape
_OURS: Final = frozenset(
    "action_prohibited channel_is_archived channel_not_found invalid_token no_active_hooks"  # noqa: SIM905
    " no_service no_service_id no_team posting_to_general_channel_denied team_disabled"
    " user_not_found".split()
)


class Slack(IncomingWebhook):
    """One incoming webhook. A body in JSON may hold text, blocks and whatever else Slack takes."""

    max_bytes = 1_000_000

    def __init__(
        self,
        url: str | Secret,
        *,
        name: str = "slack",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(url, name=name, timeout=timeout, client=client)

    def of_text(self, text: str) -> dict[str, Any]:
        """`text`, the characters of Slack's own markup escaped."""
        if len(text) > _TEXT:
            raise ValueError(f"the text has {len(text):,} characters, Slack takes {_TEXT:,}")
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": escaped}

    def provider_id(self, response: httpx.Response) -> str:
        """Made of the key, where the answer is `ok`: Slack gives none."""
        if response.content.strip() != b"ok":
            raise ValueError("not ok")
        return self.made_id(response)

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """The body is the code: `channel_is_archived`."""
        if found.detail in _OURS:
            return Misconfigured(found.detail, channel=self._name, code=found.detail)
        return super().refusal(response, found)
