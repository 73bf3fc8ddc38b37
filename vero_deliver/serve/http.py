"""The little of HTTP that the app needs beside ASGI: a request, an answer, a form."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any, Final
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

_LARGEST: Final = 64 * 1024  # octets of a form
_MOST: Final = 200  # fields of a form
_PATIENCE: Final = 30.0  # seconds until it is there
# of everything: nobody keeps it, follows it from a search engine, or learns the token by Referer
_ALWAYS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back."""

    status: int
    body: bytes = b""
    kind: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)

    async def send(self, send: Send, *, with_body: bool = True) -> None:
        """Hand it to the server; without its body to a HEAD."""
        named = {
            "content-type": self.kind,
            "content-length": str(len(self.body)),
            **_ALWAYS,
            **self.headers,
        }
        fields = [
            (name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()
        ]
        start = {"type": "http.response.start", "status": self.status, "headers": fields}
        await send(start)
        await send({"type": "http.response.body", "body": self.body if with_body else b""})


def headers_of(scope: Scope) -> dict[str, str]:
    """Header fields, names in lower case."""
    return {n.decode("latin-1").lower(): v.decode("latin-1") for n, v in scope["headers"]}


def path_of(scope: Scope) -> str:
    """The path below which the app is mounted, without its slashes."""
    path: str = scope["path"]
    root = scope.get("root_path", "").rstrip("/")
    if root and path.startswith(f"{root}/"):  # some mounts leave their own part in both
        path = path.removeprefix(root)
    return path.lstrip("/")


async def form_of(receive: Receive, kind: str) -> dict[str, list[str]] | Answer:
    """The fields of a posted form, or the answer to what is none. kind: its Content-Type."""
    body = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE):
            while True:
                part = await receive()
                if part["type"] != "http.request":
                    return Answer(400)
                body += part.get("body", b"")
                if len(body) > _LARGEST:
                    return Answer(413, b"the form is too large\n")
                if not part.get("more_body", False):
                    break
    except TimeoutError:
        return Answer(408)
    if kind.lower().startswith("multipart/form-data"):
        return _multipart(kind, bytes(body))
    try:
        return parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MOST)
    except ValueError:  # UnicodeDecodeError is one
        return Answer(400, b"that is no form\n")


def _multipart(kind: str, body: bytes) -> dict[str, list[str]]:
    """RFC 7578: how mailbox providers should post a one-click unsubscription (RFC 8058 3.2)."""
    head = f"Content-Type: {kind}\r\n\r\n".encode("latin-1", "replace")
    parts = message_from_bytes(head + body).get_payload()
    fields: dict[str, list[str]] = {}
    for part in parts[:_MOST] if isinstance(parts, list) else []:
        if isinstance(part, str):
            continue
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            fields.setdefault(name, []).append(value.decode("utf-8", "replace").strip())
    return fields
