"""The guard that keeps requests out of private networks."""

from __future__ import annotations

from ipaddress import ip_address

import httpx
import pytest
from http_server import Answer, serving

from vero_channels.transport.http1 import Http1Transport
from vero_channels.transport.public_network import (
    NotPublicError,
    check_host,
    check_peer,
    is_public,
)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "198.18.0.1", "224.0.0.1", "239.1.1.1",
        "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd12::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
        "64:ff9b:1::1", "::127.0.0.1", "fec0::1", "2002:7f00:1::", "2002:a00:1::",
        "2001:db8::1", "2001:0:1:2:3:4:80ff:fffe",
    ],
)  # fmt: skip
def test_not_public(address: str) -> None:
    """This machine, private networks, cloud metadata, and all of them inside IPv6."""
    with pytest.raises(NotPublicError):
        check_peer(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4001::1", "64:ff9b::808:808"])
def test_public(address: str) -> None:
    """What anybody can reach."""
    assert is_public(ip_address(address))


@pytest.mark.anyio
async def test_a_name_counts_by_its_addresses() -> None:
    """localhost is this machine, under any spelling that resolves to it."""
    for host in ("localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "::1", "0"):
        with pytest.raises(NotPublicError):
            await check_host(host, 443)


@pytest.mark.anyio
async def test_nothing_is_sent_to_a_private_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transport does not connect; also where the name changes its meaning in between."""
    transport = Http1Transport(public_only=True)
    async with serving(lambda _: Answer()) as server:
        with pytest.raises(NotPublicError):
            await transport.handle_async_request(httpx.Request("POST", server.url))
        assert server.connections == 0

        async def fooled(host: str, port: int) -> None:
            """As if the name had been public a moment ago."""

        monkeypatch.setattr("vero_channels.transport.http1.check_host", fooled)
        with pytest.raises(NotPublicError):
            await transport.handle_async_request(httpx.Request("POST", server.url))
        assert not server.asked
    await transport.aclose()
