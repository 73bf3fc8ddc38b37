"""The memory channel."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from vero_channels.memory import Memory
from vero_deliver.channel import Channel
from vero_deliver.errors import Deferred, Gone
from vero_deliver.rendered import Rendered, RenderedSms
from vero_deliver.testing import ChannelContract, sample_email, sample_push, sample_sms


class TestMemory(ChannelContract[RenderedSms]):
    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedSms]]:
        self.memory = Memory()
        yield self.memory

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedSms]]:
        memory = Memory(name="sms-test")
        memory.fail(Deferred("busy", channel="sms-test"))
        yield memory

    def sample(self, key: str) -> RenderedSms:
        return sample_sms(body=f"This is {key!r}.")

    def arrived(self) -> int:
        return len(self.memory.sent)


@pytest.mark.anyio
async def test_keeps_any_content_in_order() -> None:
    """What was sent is there with its key and its receipt."""
    memory = Memory()
    contents: list[Rendered] = [sample_email(), sample_push(), sample_sms()]
    receipts = [await memory.send(content, f"key-{n}") for n, content in enumerate(contents)]
    assert [sent.rendered for sent in memory.sent] == contents
    assert [sent.receipt for sent in memory.sent] == receipts


@pytest.mark.anyio
async def test_fails_as_often_as_told() -> None:
    """Failures come in the order asked for, then sends succeed; a failed key was not taken."""
    memory = Memory()
    memory.fail(Deferred("busy", channel="memory"), times=2)
    memory.fail(Gone("dead", channel="memory"))
    for error in (Deferred, Deferred, Gone):
        with pytest.raises(error):
            await memory.send(sample_sms(), "key-1")
    await memory.send(sample_sms(), "key-1")
    assert len(memory.sent) == 1
