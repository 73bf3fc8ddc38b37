"""Rendered contents as the formats of `render`: the bytes that a person or a program reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import click

from vero_deliver.channel import Channel
from vero_deliver.cli.pictures import Picture
from vero_deliver.mime import Domains
from vero_deliver.rendered import (
    ContentName,
    Rendered,
    RenderedEmail,
    RenderedHttp,
    RenderedPush,
    RenderedSms,
    document,
)
from vero_deliver.wire import request

PushSettings = Callable[[RenderedPush], Mapping[str, Any]]

FORMATS: Final = ("eml", "html", "text", "json", "http", "png")
ENDINGS: Final = {"text": "txt"}  # of files, where not the format itself
DEFAULT_FORMATS: dict[ContentName, str] = {
    "email": "eml", "push": "json", "sms": "text", "http": "http",
}  # fmt: skip


def printed(
    rendered: Rendered,
    key: str,
    fmt: str,
    *,
    domains: Domains,
    push_settings: PushSettings,
    channel: Channel[Any] | None = None,
    picture: Picture | None = None,
) -> bytes:
    """The rendered content in that format. Raises UsageError where it has no such form.

    domains: who signs an email. push_settings: of the channel that carries a push. channel: whose
    request `http` is, where it is no push. picture: who makes a `png`.
    """
    makers: dict[str, Callable[[], bytes | None]] = {
        "eml": lambda: (
            domains.signed(rendered, key) if isinstance(rendered, RenderedEmail) else None
        ),
        "html": lambda: rendered.html.encode() if isinstance(rendered, RenderedEmail) else None,
        "text": lambda: _text(rendered).encode(),
        "json": lambda: as_json({"key": key, **document(rendered)}).encode(),
        "http": lambda: request(
            rendered,
            key,
            channel=channel,
            push_settings=push_settings(rendered) if isinstance(rendered, RenderedPush) else None,
        ),
        "png": lambda: (
            picture(rendered) if picture and isinstance(rendered, RenderedEmail) else None
        ),
    }
    data = makers[fmt]()
    if data is None:
        hint = "; its channel here makes no request: try --env" if fmt == "http" else ""
        raise click.UsageError(
            f"-f {fmt} does not fit {rendered.content}{hint}; try -f json, or -c"
        )
    return data


def as_json(value: object) -> str:
    """Indented, readable JSON with a final newline."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n"
    # a lone surrogate, of an argument that is no UTF-8, becomes \udc80: JSON again
    return text.encode("utf-8", "backslashreplace").decode()


def _text(rendered: Rendered) -> str:
    match rendered:
        case RenderedEmail():
            return rendered.text
        case RenderedSms():
            return rendered.body + "\n"
        case RenderedPush():
            lines = (rendered.title, rendered.subtitle, rendered.body)
            return "\n".join(filter(None, lines)) + "\n"
        case RenderedHttp():
            return rendered.body.decode("utf-8", "replace")
