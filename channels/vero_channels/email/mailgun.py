"""Mailgun Messages API v3. Source: Mailgun's published OpenAPI (mailgun-mcp-server, 2026-07)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import ClassVar, Literal

import httpx

from vero_channels.transport.capabilities import Capabilities
from vero_channels.transport.email_api import (
    EmailApi,
    apart,
    basic,
    fields,
    files,
    flag,
    mailbox,
    mailboxes,
    text,
)
from vero_channels.transport.http_answers import Problem, body
from vero_channels.transport.keys import VERO_KEY, wire_key
from vero_deliver.errors import ConfigError, Deferred, DeliveryError, Misconfigured
from vero_deliver.mime.headers import clean
from vero_deliver.rendered import RenderedEmail
from vero_deliver.secret import Secret

_HOSTS = {"us": "https://api.mailgun.net", "eu": "https://api.eu.mailgun.net"}
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
# "... limit exceeded, try again after 120 seconds"
_AGAIN = re.compile(r"try again after ([0-9]{1,6}) seconds")

_Part = tuple[str, tuple[str | None, bytes, str | None]]


class Mailgun(EmailApi):
    """One sending domain of one account.

    region: "eu" for a domain made there; the other region does not know it. sandbox: accepted,
    not delivered (o:testmode). ip_pool: id of the pool to send from.
    """

    capabilities: ClassVar = Capabilities(
        max_recipients=1000, max_bytes=25_000_000, tags=3, sandbox=True
    )

    def __init__(
        self,
        api_key: str | Secret,
        domain: str,
        *,
        name: str = "mailgun",
        region: Literal["us", "eu"] = "us",
        sandbox: bool = False,
        ip_pool: str = "",
        base_url: str = "",
        timeout: float = 30.0,
        client: httpx.AsyncClient | None = None,
    ) -> None:
        if not _DOMAIN.fullmatch(domain):
            raise ConfigError(f"channel {name!r}: domain is a name like mg.example.com")
        super().__init__(
            name=name,
            base_url=base_url or _HOSTS[region],
            credentials={"authorization": basic("api", api_key)},
            secrets=(api_key,),
            timeout=timeout,
            client=client,
        )
        self._path = f"/v3/{domain}/messages"  # nothing in it needs quoting
        self._sandbox, self._ip_pool = sandbox, ip_pool

    def request(self, rendered: RenderedEmail, key: str) -> httpx.Request:
        """POST /v3/{domain}/messages, multipart/form-data."""
        parts: list[_Part] = [
            (name, (None, value.encode(), None)) for name, value in self._form(rendered, key)
        ]
        for file, inline in files(rendered):
            # HTML shows an inline file by its name: cid:<name>
            name, shown = ("inline", file.cid) if inline else ("attachment", clean(file.filename))
            parts.append((name, (shown or "attachment", file.content, clean(file.content_type))))
        form = f"multipart/form-data; boundary={_boundary(parts)}"
        return self.post(self._path, files=parts, headers={"content-type": form})

    def _form(self, rendered: RenderedEmail, key: str) -> Iterator[tuple[str, str]]:
        yield "from", mailbox(rendered.from_)
        for name, group in zip(("to", "cc", "bcc"), apart(rendered), strict=True):
            yield from ((name, mailbox(address)) for address in group)
        yield "subject", clean(rendered.subject)
        yield from (("text", text(rendered.text)),) if rendered.text else ()
        yield from (("html", text(rendered.html)),) if rendered.html else ()
        if rendered.reply_to:
            yield "h:Reply-To", mailboxes(rendered.reply_to)
        yield from ((f"h:{name}", value) for name, value in fields(rendered).items())
        yield from (("o:tag", clean(tag)) for tag in rendered.tags)
        metadata = {**dict(rendered.metadata), VERO_KEY: wire_key(key)}
        yield from ((f"v:{clean(name)}", text(value)) for name, value in metadata.items())
        options = {
            "o:tracking-opens": flag(rendered.track_opens, "yes", "no"),
            "o:tracking-clicks": flag(rendered.track_clicks, "yes", "no"),
            "o:testmode": "yes" if self._sandbox else None,
            "o:sending-ip-pool": self._ip_pool or None,
        }
        yield from ((name, value) for name, value in options.items() if value)

    def provider_id(self, response: httpx.Response) -> str:
        """`id` without its <>, as webhooks have it."""
        if b"Mailgun Magnificent API" in response.content:  # what it says of a wrong path
            detail = "there is no such API at base_url; check base_url and domain"
            raise Misconfigured(detail, channel=self._name, code=str(response.status_code))
        found: str = body(response)["id"]
        return found.strip("<>")

    def refusal(self, response: httpx.Response, found: Problem) -> DeliveryError | None:
        """404 is a domain that this region does not know; 429 says in its text when to return."""
        again = _AGAIN.search(found.detail)
        if response.status_code == 429 and again:
            wait = float(again[1])
            return Deferred(found.detail, channel=self._name, code=found.code, retry_after=wait)
        return super().refusal(response, found)


def _boundary(parts: list[_Part]) -> str:
    """A delimiter that no part can hold: it is a hash of all of them."""
    digest = hashlib.sha256()
    for name, (filename, content, kind) in parts:
        digest.update(f"{name}\0{filename}\0{kind}\0{len(content)}\0".encode("utf-8", "replace"))
        digest.update(content)
    return f"vd-{digest.hexdigest()[:40]}"
