"""Email as files: <key>.eml with what SMTP would have carried, <key>.json with its envelope."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from vero_channels.transport.files import Folder, stem, store
from vero_deliver import mime
from vero_deliver.channel import Receipt
from vero_deliver.errors import MessageError, Refused
from vero_deliver.rendered import RenderedEmail


class Eml(Folder):
    """Writes each email into a folder; the same key writes the same file again.

    domains: by the From address, whose keys sign and where bounces go.
    """

    def __init__(
        self,
        folder: str | Path = "captured",
        *,
        name: str = "eml",
        domains: Iterable[mime.Domain] = (),
    ) -> None:
        super().__init__(folder, name)
        self._domains = mime.Domains(domains)

    async def send(self, rendered: RenderedEmail, key: str) -> Receipt:
        """Write the two files; provider_id is the path of the .eml, the one written last."""
        try:
            message = self._domains.signed(rendered, key)
            envelope = _envelope(rendered, key, self._domains.return_path(rendered, key))
        except (MessageError, ValueError) as error:
            raise Refused(f"this email cannot be written: {error}", channel=self._name) from None
        file = stem(key)
        files = {f"{file}.json": envelope, f"{file}.eml": message}
        await store(self._folder, files, channel=self._name)
        return Receipt(self._name, str(self._folder / f"{file}.eml"), datetime.now(UTC))


def _envelope(rendered: RenderedEmail, key: str, sender: str) -> bytes:
    envelope = {
        "key": key,
        "at": rendered.at.isoformat(),
        "from": sender,
        "recipients": list(rendered.recipients),
    }
    # A lone surrogate becomes \udc80, which JSON reads back as the same character.
    return json.dumps(envelope, ensure_ascii=False, indent=2).encode("utf-8", "backslashreplace")
