"""An ASGI application that takes the webhooks of several providers, each at a path of its own.

    app = App({"sendgrid": SendGrid(...), "mailgun-eu": Mailgun(...)}, take)

It is an application by itself (`uvicorn module:app`) and may be mounted in another one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from vero_channels.transport.webhooks import Confirmation, Post, Reader
from vero_deliver.errors import NotAuthentic, NotUnderstood
from vero_deliver.feedback import Feedback

_Scope = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_log = logging.getLogger(__name__)

_PATIENCE: Final = 30.0  # seconds until a body is there


class App:
    """Answers 200 once `take` has returned; the provider's own word for "again" where it raised.

    readers: by the path below which each is mounted, without slashes at its ends.
    take: gets the feedback of one post, in order. The same may come twice: keep (channel, id).
    confirm: gets what SNS asks at first; left out, a line in the log says what to do.
    largest: octets of a body; more is answered with 413.
    """

    def __init__(
        self,
        readers: Mapping[str, Reader],
        take: Callable[[Sequence[Feedback]], Awaitable[None]],
        *,
        confirm: Callable[[Confirmation], Awaitable[None]] | None = None,
        largest: int = 10 * 1024 * 1024,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._readers = {path.strip("/"): reader for path, reader in readers.items()}
        self._take, self._confirm = take, confirm
        self._largest, self._clock = largest, clock

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        if scope["type"] == "http":
            status, headers = await self._answer(scope, receive)
            fields = [(b"content-length", b"0"), *headers]
            await send({"type": "http.response.start", "status": status, "headers": fields})
            await send({"type": "http.response.body", "body": b""})
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        elif scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})

    async def _answer(
        self, scope: _Scope, receive: _Receive
    ) -> tuple[int, list[tuple[bytes, bytes]]]:
        reader = self._readers.get(_path(scope))
        if reader is None:
            return 404, []
        if scope["method"] == "HEAD":  # Mandrill looks whether there is anybody
            return 200, []
        if scope["method"] != "POST":
            return 405, [(b"allow", b"HEAD, POST")]
        headers = {n.decode("latin-1").lower(): v.decode("latin-1") for n, v in scope["headers"]}
        try:
            async with asyncio.timeout(_PATIENCE):
                body = await self._body(receive)
        except TimeoutError:
            return 408, []
        except _TooLargeError:
            return 413, []
        if body is None:
            return 400, []  # nobody hears it
        status = await self._read(reader, Post(body, headers, self._clock()))
        fields = [(b"www-authenticate", b'Basic realm="feedback"')] if status == 401 else []
        if reader.answers.any_origin:
            fields.append((b"access-control-allow-origin", b"*"))
        return status, fields

    async def _body(self, receive: _Receive) -> bytes | None:
        """None where the provider has gone before the end."""
        body = bytearray()
        while True:
            part = await receive()
            if part["type"] != "http.request":
                return None
            body += part.get("body", b"")
            if len(body) > self._largest:
                raise _TooLargeError
            if not part.get("more_body", False):
                return bytes(body)

    async def _read(self, reader: Reader, post: Post) -> int:
        try:
            found = await reader.read(post)
            if isinstance(found, Confirmation):
                await self._ask(found)
            elif found:
                await self._take(found)
        except NotAuthentic as error:
            _log.warning("refused a webhook: %s", error)
            return reader.answers.forged
        except NotUnderstood as error:
            _log.warning("cannot read a webhook: %s", error)
            return reader.answers.stop
        except Exception:  # noqa: BLE001  # logged whole, and told to the provider
            _log.exception(
                "%s: a webhook was not taken; the provider is told to repeat it", reader.name
            )
            return reader.answers.again
        return 200

    async def _ask(self, confirmation: Confirmation) -> None:
        if self._confirm is not None:
            await self._confirm(confirmation)
            return
        _log.warning(
            "%s: the topic %s asks whether it may post here; give App confirm=, or confirm the"
            " subscription in the SNS console",
            confirmation.channel,
            confirmation.topic,
        )


class _TooLargeError(Exception):
    """The body is larger than allowed."""


def _path(scope: _Scope) -> str:
    path: str = scope["path"]
    root = scope.get("root_path", "").rstrip("/")
    if path.startswith(f"{root}/"):  # some mounts leave their own part in both
        path = path.removeprefix(root)
    return path.strip("/")
