"""Pushes, text messages and HTTP requests as JSON files, one per key: driver "json"."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from vero_channels.transport.files import Folder, stem, store
from vero_deliver.channel import Receipt
from vero_deliver.errors import Refused
from vero_deliver.rendered import RenderedHttp, RenderedPush, RenderedSms, document


class Documents(Folder):
    """Writes <key>.<content>.json into a folder; the same key writes the same file again.

    A document has the fields of the rendered content, plus `key` and `content`. The body of an
    HTTP request is text, or `{"base64": "..."}` where it is no UTF-8.
    """

    def __init__(self, folder: str | Path = "captured", *, name: str = "json") -> None:
        super().__init__(folder, name)

    async def send(self, rendered: RenderedPush | RenderedSms | RenderedHttp, key: str) -> Receipt:
        """Write the file; provider_id is its path."""
        file = f"{stem(key)}.{rendered.content}.json"
        try:
            data = _encode(rendered, key)
        except (TypeError, ValueError, RecursionError) as error:
            raise Refused(
                f"this {rendered.content} is no JSON: {error}", channel=self._name
            ) from None
        await store(self._folder, {file: data}, channel=self._name)
        return Receipt(self._name, str(self._folder / file), datetime.now(UTC))


def _encode(rendered: RenderedPush | RenderedSms | RenderedHttp, key: str) -> bytes:
    fields = {"key": key, **document(rendered)}
    text = json.dumps(fields, ensure_ascii=False, indent=2, allow_nan=False)
    # A lone surrogate becomes \udc80, which JSON reads back as the same character.
    return text.encode("utf-8", "backslashreplace")
