"""Who may ask the studio, and what its pages may do in the browser.

The page is for this machine: a name that leads here by DNS (rebinding) and a page of another
origin get nothing. The message itself is shown in a frame that has no scripts, no forms, no
origin, and, unless they are asked for, no images from elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_COMMON: Final = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_PAGE: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "frame-src 'self'; img-src 'self' data:{images}; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_FRAME: Final = (
    "default-src 'none'; img-src data:{images}; style-src 'unsafe-inline'{fonts}; "
    "font-src data:{images}; form-action 'none'; base-uri 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


def page_policy(*, images: bool = False) -> str:
    """The Content-Security-Policy of the studio's own pages."""
    return _PAGE.format(images=" https: http:" if images else "")


def frame_policy(*, images: bool = False) -> str:
    """That of a message. images: whether what it names on the internet is fetched."""
    remote = " https: http:" if images else ""
    return _FRAME.format(images=remote, fonts=remote)


class Guard:
    """Answers only requests that were made to this machine, by the studio's own pages."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        known = headers.get("host", "") in self._hosts
        if not known or (origin and origin.partition("://")[2] not in self._hosts):
            refusal = PlainTextResponse(
                "The studio answers at the address that it printed, on this machine only.\n", 403
            )
            await refusal(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                for name, value in _COMMON.items():
                    sent.setdefault(name, value)
                sent.setdefault("content-security-policy", page_policy())
            await send(message)

        await self._app(scope, receive, guarded)
