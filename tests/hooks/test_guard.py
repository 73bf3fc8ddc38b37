"""Where a URL that somebody else has chosen may lead: to public addresses only."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address

import httpx
import pytest
from http_server import Answer, serving

from vero_channels.http import Http
from vero_channels.transport.guard import BlockedError, Guard, is_public
from vero_channels.transport.http1 import Http1Transport
from vero_deliver.errors import ConfigError, Deferred, Misconfigured, Refused
from vero_deliver.testing import sample_http


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.1",
     "192.167.255.255", "223.255.255.255", "2606:4700::1111", "2a00:1450::1",
     "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"],
)  # fmt: skip
def test_public(address: str) -> None:
    """Addresses of the internet, also in their IPv6 forms."""
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255",
     "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.192", "198.18.0.1", "224.0.0.1",
     "239.255.255.250", "255.255.255.255", "240.0.0.1", "168.63.129.16", "192.0.2.1",
     "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
     "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1",
     "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
     "2001::1", "100::1", "5f00::1", "3fff::1"],
)  # fmt: skip
def test_not_public(address: str) -> None:
    """This machine, its networks, the cloud's metadata, and each of them inside IPv6."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0x7f.1", "017700000001",
     "127.1", "0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]",
     "[::]", "169.254.169.254", "[fd00:ec2::254]", "2852039166"],
)  # fmt: skip
@pytest.mark.anyio
async def test_every_way_to_write_a_private_address(host: str) -> None:
    """Decimal, octal, hexadecimal, short and mapped forms are refused with a clear error."""
    channel = Http(timeout=5)
    with pytest.raises(Refused, match=r"is not public; .*`allow`") as caught:
        await channel.send(sample_http(url=f"https://{host}/latest/meta-data"), "key-1")
    assert caught.value.code == "blocked"
    await channel.aclose()


@pytest.mark.anyio
async def test_octal_with_dots() -> None:
    """It is no URL to the driver, and the guard sees what the system makes of it."""
    with pytest.raises(Refused, match="url is no"):
        await Http().send(sample_http(url="https://0177.0.0.1/"), "key-1")
    with pytest.raises(BlockedError, match=r"0177\.0\.0\.1 is 127\.0\.0\.1"):
        await Guard().addresses("0177.0.0.1", 443)


@pytest.mark.anyio
async def test_our_own_private_url_is_a_mistake_in_the_settings() -> None:
    """Every message would fail the same way."""
    with pytest.raises(Misconfigured, match="not public"):
        await Http(url="https://10.255.255.1/hook").send(sample_http(url=""), "key-1")


@pytest.mark.anyio
async def test_a_name_that_is_not_there_is_deferred() -> None:
    """DNS may know it later."""
    with pytest.raises(Deferred):
        await Http(timeout=5).send(sample_http(url="https://nowhere.invalid/"), "key-1")


class Rebinding:
    """A resolver that gives another address each time it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        return self.answers.pop(0)


async def fetched(guard: Guard, url: str) -> int:
    transport = Http1Transport(guard=guard)
    async with httpx.AsyncClient(transport=transport) as client:
        return (await client.get(url)).status_code


@pytest.mark.anyio
async def test_rebinding_changes_nothing() -> None:
    """The address that was checked is the one that is dialled; the name is asked for once."""
    async with serving(lambda _: Answer(200)) as server:
        resolve = Rebinding(["127.0.0.1"], ["127.0.0.9"])
        guard = Guard(["127.0.0.1/32"], resolve=resolve)
        assert await fetched(guard, f"http://rebind.example:{server.port}/") == 200
        assert resolve.answers == [["127.0.0.9"]]
        with pytest.raises(BlockedError, match=r"rebind\.example is 127\.0\.0\.9"):
            await fetched(guard, f"http://rebind.example:{server.port}/")
    assert len(server.asked) == 1


@pytest.mark.anyio
async def test_of_several_addresses_only_those_allowed_are_dialled() -> None:
    """A private one among them is passed over, and a dead one is not the last word."""
    async with serving(lambda _: Answer(200)) as server:
        guard = Guard(
            ["127.0.0.1", "127.0.0.8"],
            resolve=Rebinding(["10.0.0.1", "127.0.0.8", "127.0.0.1"]),
        )
        assert await fetched(guard, f"http://several.example:{server.port}/") == 200


@pytest.mark.parametrize(
    ("entry", "host", "allowed"),
    [("127.0.0.0/8", "127.9.9.9", True), ("127.0.0.1", "127.0.0.2", False),
     ("hooks.internal", "HOOKS.internal.", True), ("hooks.internal", "x.hooks.internal", False),
     ("::1", "::1", True), ("10.0.0.0/8", "::ffff:10.1.1.1", True)],
)  # fmt: skip
def test_what_allow_names(entry: str, host: str, allowed: bool) -> None:
    """Hosts whole, addresses and networks also where IPv6 wraps them."""
    assert Guard([entry]).allows_host(host) is allowed


@pytest.mark.parametrize("entry", ["10.0.0.0/99", "*.internal", "", "10.0.0.1/8"])
def test_wrong_allow(entry: str) -> None:
    """What is neither host nor network is an error, not a hole."""
    with pytest.raises(ConfigError, match="allow"):
        Guard([entry])
