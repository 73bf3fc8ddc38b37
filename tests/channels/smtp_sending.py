"""What the SMTP tests share: a channel to a local server, and one send over it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from smtp_server import Relay, Scripted

from vero_channels.email.smtp import Smtp
from vero_deliver.errors import DeliveryError
from vero_deliver.rendered import Address, File, RenderedEmail
from vero_deliver.testing import sample_email

PASSWORD = "correct horse"
ADA, BEN = Address("ada@example.org"), Address("ben@example.org")
# More than the kernel's socket buffers hold, so that a server which stops reading is felt.
BIG = sample_email(attachments=(File("big.bin", bytes(12_000_000), "application/octet-stream"),))


@asynccontextmanager
async def sending(port: int, **options: Any) -> AsyncIterator[Smtp]:
    """A channel to 127.0.0.1, in clear unless told otherwise; closed at the end."""
    defaults: dict[str, Any] = {"security": "none", "timeout": 10.0, "data_timeout": 10.0}
    channel = Smtp("127.0.0.1", port, **(defaults | options))
    try:
        yield channel
    finally:
        await channel.aclose()


async def refused(server: Scripted, email: RenderedEmail | None = None, /, **options: Any) -> Any:
    """The error that one send to this server raises."""
    async with sending(server.port, **options) as channel:
        with pytest.raises(DeliveryError) as caught:
            await channel.send(email or sample_email(), "key-1")
    return caught.value


async def through(server: Relay, email: RenderedEmail, **options: Any) -> str:
    """Send one email with key "key-1"; the receipt's provider_id."""
    async with sending(server.port, **options) as channel:
        return (await channel.send(email, "key-1")).provider_id
