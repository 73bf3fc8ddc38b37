"""Mandrill (Mailchimp Transactional), messages/send 1.0. Source: mailchimp.com/developer."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Final

import httpx

from vero_channels.transport.capabilities import Capabilities
from vero_channels.transport.email_api import (
    EmailApi,
    apart,
    encoded,
    fields,
    files,
    mailboxes,
    pair,
    present,
    text,
)
from vero_channels.transport.http_answers import Problem, body, verdict
from vero_channels.transport.keys import VERO_KEY, wire_key
from vero_deliver.errors import Deferred, DeliveryError, Gone, Misconfigured, Refused
from vero_deliver.mime.headers import clean
from vero_deliver.rendered import RenderedEmail
from vero_deliver.secret import Secret, reveal

_ACCEPTED: Final = ("sent", "queued", "scheduled")
# reject_reason of one recipient
_GONE: Final = ("hard-bounce", "invalid")
_OURS: Final = ("invalid-sender", "unsigned", "test-mode-limit", "recipient-limit")
# errors come as HTTP 500; their `name` tells them apart
_SETTINGS: Final = ("Invalid_Key", "PaymentRequired", "Unknown_Subaccount")
_BUSY: Final = ("ServiceUnavailable",)


class Mandrill(EmailApi):
    """One API key; a key made for tests delivers nothing. ip_pool, subaccount: names of them.

    Merge tags are off, so that *|TAGS|* of the message stay what they are.
    """

    capabilities: ClassVar = Capabilities(max_bytes=25_000_000)

    def __init__(
        self,
        api_key: str | Secret,
        *,
        name: str = "mandrill",
        ip_pool: str = "",
        subaccount: str = "",
        base_url: str = "https://mandrillapp.com",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            name=name, base_url=base_url, secrets=(api_key,), timeout=timeout, client=client
        )
        self._api_key, self._ip_pool, self._subaccount = api_key, ip_pool, subaccount

    def request(self, rendered: RenderedEmail, key: str) -> httpx.Request:
        """POST /api/1.0/messages/send; `authorized` adds `key` to the body."""
        recipients = [
            {**pair(address), "type": kind}
            for kind, group in zip(("to", "cc", "bcc"), apart(rendered), strict=True)
            for address in group
        ]
        attached = list(files(rendered))
        reply_to = {"Reply-To": mailboxes(rendered.reply_to)} if rendered.reply_to else {}
        message = present(
            **pair(rendered.from_, "from_email", "from_name"),
            to=recipients,
            subject=clean(rendered.subject),
            html=text(rendered.html),
            text=text(rendered.text),
            headers={**fields(rendered), **reply_to},
            attachments=[
                _file(file, clean(file.filename) or "attachment")
                for file, inline in attached
                if not inline
            ],
            images=[_file(file, file.cid) for file, inline in attached if inline],
            tags=[clean(tag) for tag in rendered.tags],
            metadata={**dict(rendered.metadata), VERO_KEY: wire_key(key)},
            track_opens=rendered.track_opens,
            track_clicks=rendered.track_clicks,
            subaccount=self._subaccount,
            preserve_recipients=True,
            merge=False,
        )
        made = present(message=message, ip_pool=self._ip_pool, **{"async": False})
        return self._post(json=made)

    def _post(self, **body: Any) -> httpx.Request:
        return self.post("/api/1.0/messages/send", **body)

    def authorized(self, request: httpx.Request) -> httpx.Request:
        """Mandrill reads the key from the body."""
        first = b'{"key":%s,' % json.dumps(reveal(self._api_key)).encode()
        content = first + request.content.removeprefix(b"{")
        return self._post(content=content, headers={"content-type": "application/json"})

    def provider_id(self, response: httpx.Response) -> str:
        """_id of the first recipient; each has one, and a status."""
        recipients = body(response)
        refused = [each for each in recipients if each["status"] not in _ACCEPTED]
        if refused:
            raise self._rejected(refused, len(recipients))
        found: str = recipients[0]["_id"]
        return found

    def _rejected(self, refused: list[dict[str, Any]], of: int) -> DeliveryError:
        reasons = [str(each.get("reject_reason") or each["status"]) for each in refused]
        listed = [f"{each['email']} ({why})" for each, why in zip(refused, reasons, strict=True)]
        kind: type[DeliveryError] = Refused
        if len(refused) == of and all(why in _GONE for why in reasons):
            kind = Gone
        elif len(refused) == of and all(why in _OURS for why in reasons):
            kind = Misconfigured
        detail = f"refused for {len(refused)} of {of} recipients: {', '.join(listed)}"
        return kind(self.shown(detail), channel=self._name, code=reasons[0])

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """{"status": "error", "code": -1, "name": "Invalid_Key", "message": ...}, with HTTP 500."""
        name = _name(response)
        if name in _SETTINGS:
            return Misconfigured(found.detail, channel=self._name, code=name)
        if name in _BUSY:
            return Deferred(found.detail, channel=self._name, code=name)
        if name == "ValidationError":
            return Refused(found.detail, channel=self._name, code=name)
        found = Problem(name or found.code, found.detail)
        return super().refusal(response, found) or verdict(response, found, channel=self._name)


def _file(file: Any, name: str) -> dict[str, str]:
    return {"type": clean(file.content_type), "name": name, "content": encoded(file)}


def _name(response: httpx.Response) -> str:
    try:
        return str(body(response)["name"])
    except (KeyError, TypeError, ValueError):
        return ""
