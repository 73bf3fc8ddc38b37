"""Every mode, to other people's mail servers: each message arrives once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from smtp_peers import Peer, aiosmtpd, haraka, postfix, smtp_server, smtp_sink
from smtp_sending import ADA, BEN, sending
from smtp_sink import TOKEN

from vero_channels.email.smtp import Smtp
from vero_channels.transport.smtp_pipelining import MODES
from vero_deliver.rendered import RenderedEmail
from vero_deliver.testing import sample_email

COUNT = 60


def numbered(number: int) -> RenderedEmail:
    """Every tenth is for two people, or has lines that begin with dots and half a megabyte."""
    text = f"token-{number}-\n..\n" + "a line of it\n" * (number * 20)
    if number % 10 == 3:
        text += ".a long line\n" * 40_000
    return sample_email(to=(ADA, BEN) if number % 10 == 7 else (ADA,), text=text, html="")


def copies(number: int) -> int:
    """A maildir for all holds one for each recipient; other servers one for each message."""
    return len(numbered(number).to)


async def send_all(smtp: Smtp) -> None:
    await asyncio.gather(*(smtp.send(numbered(n), f"key-{n}") for n in range(COUNT)))


async def arrived(peer: Peer, count: int) -> Counter[bytes]:
    """How often each message is there, once so many are, and a moment later no more."""
    async with asyncio.timeout(30):
        while len(peer.taken()) < count:  # noqa: ASYNC110  # a mail server tells nobody
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    found = (TOKEN.search(message) for message in peer.taken())
    return Counter(token[0] for token in found if token)


Start = Callable[[Path], AbstractContextManager[Peer]]


@pytest.mark.anyio
@pytest.mark.parametrize("start", [smtp_server, haraka, smtp_sink, postfix])
async def test_each_mode_delivers_once(start: Start, tmp_path: Path) -> None:
    """npm smtp-server, Haraka, smtp-sink and Postfix take every message of every mode once."""
    with start(tmp_path) as peer:
        once = {b"token-%d-" % n: copies(n) if start is postfix else 1 for n in range(COUNT)}
        for turn, mode in enumerate(MODES, 1):
            async with sending(peer.port, pipelining=mode, connections=3) as smtp:
                await send_all(smtp)
            found = await arrived(peer, turn * sum(once.values()))
            assert found == {token: times * turn for token, times in once.items()}, mode


@pytest.mark.anyio
@pytest.mark.parametrize("mode", MODES)
async def test_aiosmtpd(mode: str, tmp_path: Path) -> None:
    """And so does aiosmtpd, byte for byte."""
    async with aiosmtpd(tmp_path) as peer:
        async with sending(peer.port, pipelining=mode, connections=3) as smtp:
            await send_all(smtp)
        assert sorted(peer.taken()) == sorted(numbered(n).mime(f"key-{n}") for n in range(COUNT))


@pytest.mark.anyio
async def test_haraka_gets_no_crossed_messages_twice(tmp_path: Path) -> None:
    """Haraka answers 503 to what is written behind a message; the channel learns that."""
    with haraka(tmp_path) as peer:
        async with sending(peer.port, pipelining="cross", connections=1) as smtp:
            await send_all(smtp)
            assert smtp._pool._pipelining.most == "envelope"
        assert len(await arrived(peer, COUNT)) == COUNT
