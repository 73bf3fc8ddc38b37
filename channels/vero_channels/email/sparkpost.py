"""SparkPost Transmissions. Source: developers.sparkpost.com, transmissions.apib (2026-06)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

import httpx

from vero_channels.transport.capabilities import Capabilities
from vero_channels.transport.email_api import (
    EmailApi,
    apart,
    bare,
    encoded,
    fields,
    files,
    mailboxes,
    pair,
    present,
    text,
    unsubscribes,
)
from vero_channels.transport.http_answers import Problem, body
from vero_channels.transport.keys import VERO_KEY, wire_key
from vero_deliver.errors import Deferred, DeliveryError, Gone, Misconfigured, Refused
from vero_deliver.mime.headers import clean
from vero_deliver.rendered import Address, RenderedEmail
from vero_deliver.secret import Secret

_HOSTS = {"us": "https://api.sparkpost.com", "eu": "https://api.eu.sparkpost.com"}
_SUPPRESSED = "suppressed"  # 1902: "recipient address suppressed due to customer policy"
_UNCONFIGURED = "7001"  # the sending domain is not one of the account, or not verified


class SparkPost(EmailApi):
    """One API key, which needs "Transmissions: Read/Write".

    Substitutions are off, so braces of the message stay what they are. subaccount: its id.
    return_path: envelope sender; its domain must be a verified bounce domain.
    """

    capabilities: ClassVar = Capabilities(max_bytes=20_000_000, tags=1, utf8_addresses=True)

    def __init__(
        self,
        api_key: str | Secret,
        *,
        name: str = "sparkpost",
        region: Literal["us", "eu"] = "us",
        ip_pool: str = "",
        subaccount: int | None = None,
        return_path: str = "",
        base_url: str = "",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        super().__init__(
            name=name,
            base_url=base_url or _HOSTS[region],
            credentials={"authorization": api_key},  # no "Bearer"
            timeout=timeout,
            client=client,
        )
        self._ip_pool, self._return_path, self._subaccount = ip_pool, return_path, subaccount

    def request(self, rendered: RenderedEmail, key: str) -> httpx.Request:
        """POST /api/v1/transmissions with the content inline."""
        to, cc, bcc = apart(rendered)
        body = present(
            options=present(
                open_tracking=rendered.track_opens,
                click_tracking=rendered.track_clicks,
                # it adds a List-Unsubscribe of its own to what is not transactional
                transactional=rendered.kind == "transactional" or unsubscribes(rendered),
                ip_pool=self._ip_pool,
                perform_substitutions=False,
            ),
            recipients=list(_recipients(to, [*to, *cc, *bcc])),
            content=_content(rendered, cc),
            campaign_id=clean(rendered.tags[0]) if rendered.tags else None,
            metadata={**dict(rendered.metadata), VERO_KEY: wire_key(key)},
            return_path=self._return_path,
        )
        headers = {} if self._subaccount is None else {"x-msys-subaccount": str(self._subaccount)}
        return self.post("/api/v1/transmissions", json=body, headers=headers)

    def provider_id(self, response: httpx.Response) -> str:
        """The transmission's id, once every recipient was accepted."""
        results = body(response)["results"]
        rejected, accepted = (
            results["total_rejected_recipients"],
            results["total_accepted_recipients"],
        )
        if rejected:
            said = results.get("rcpt_to_errors") or body(response).get("errors") or ""
            count = f"refused for {rejected} of {rejected + accepted} recipients"
            detail = f"{count}, transmission {results['id']}: {said}"
            raise Refused(self.shown(detail), channel=self._name)
        found: str = results["id"]
        return found

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """420: a sending limit is used up. 1902: suppressed. 7001: the domain is not verified."""
        if response.status_code == 420:
            return Deferred(found.detail, channel=self._name, code=found.code)
        if found.code == "1902" and _SUPPRESSED in found.detail:
            return Gone(found.detail, channel=self._name, code=found.code)
        if found.code == _UNCONFIGURED:
            return Misconfigured(found.detail, channel=self._name, code=found.code)
        return super().refusal(response, found)


def _recipients(shown: list[Address], everyone: list[Address]) -> Iterator[dict[str, Any]]:
    header_to = mailboxes(shown)
    for address in everyone:
        yield {"address": {"email": bare(address), "header_to": header_to}}


def _content(email: RenderedEmail, cc: list[Address]) -> dict[str, Any]:
    attached = list(files(email))
    headers = {**fields(email), **({"Cc": mailboxes(cc)} if cc else {})}
    content = present(
        **{"from": pair(email.from_)},
        subject=clean(email.subject),
        reply_to=mailboxes(email.reply_to),
        headers=headers,
    )
    # substitutions cannot be turned off for these
    if "{{" in str(content) or "{{" in mailboxes(email.to):
        raise ValueError("a name, the subject or a header holds {{, which SparkPost would run")
    return content | present(
        text=text(email.text),
        html=text(email.html),
        attachments=[
            _file(file, clean(file.filename) or "attachment")
            for file, inline in attached
            if not inline
        ],
        inline_images=[_file(file, file.cid) for file, inline in attached if inline],
    )


def _file(file: Any, name: str) -> dict[str, str]:
    return {"name": name, "type": clean(file.content_type), "data": encoded(file)}
