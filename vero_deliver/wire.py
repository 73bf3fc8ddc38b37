"""The HTTP request that a rendered content becomes: what `render -f http` and the studio show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from vero_deliver.channel import Channel
from vero_deliver.errors import RenderError
from vero_deliver.registry import push_request
from vero_deliver.rendered import Rendered, RenderedHttp, RenderedPush


def request(
    rendered: Rendered,
    key: str,
    *,
    channel: Channel[Any] | None = None,
    push_settings: Mapping[str, Any] | None = None,
) -> bytes | None:
    """The channel's request, credentials masked; without one that makes any, the content's own.

    push_settings: the table of the channel that carries a push, which needs no channel. None where
    there is no request: email over SMTP, a channel that writes files. Raises RenderError where a
    push cannot be sent, DeliveryError where another content cannot.
    """
    if isinstance(rendered, RenderedPush):
        try:
            return push_request(rendered, key, push_settings or {})
        except ValueError as error:
            raise RenderError(f"this push cannot be sent: {error}") from None
    preview: Callable[[Rendered, str], bytes] | None = getattr(channel, "preview", None)
    if preview is not None:
        return preview(rendered, key)
    return _own(rendered) if isinstance(rendered, RenderedHttp) else None


def _own(request: RenderedHttp) -> bytes:
    """The request as HTTP/1.1 would carry it."""
    parts = urlsplit(request.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.netloc.rpartition("@")[2]
    headers = {**({"Host": host} if host else {}), **request.headers}
    if request.body:
        headers["Content-Length"] = str(len(request.body))
    head = [f"{request.method} {target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*head, "", ""]).encode() + request.body
