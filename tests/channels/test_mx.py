"""`mx` keeps the contract of channels, and tells its options' mistakes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from dns_server import dns_server
from domain_samples import NEWS, news
from mx_sending import FAST, FIRST, ZONE, A, sending, to
from smtp_server import relay
from smtp_sink import Fault, sink

from vero_channels.email.mx import Mx
from vero_channels.transport.egress.lanes import Lane, Lanes
from vero_deliver import Project
from vero_deliver.channel import Channel
from vero_deliver.errors import ConfigError
from vero_deliver.rendered import Address, RenderedEmail
from vero_deliver.testing import ChannelContract, sample_email

PASSWORD = "correct horse"


class TestMx(ChannelContract[RenderedEmail]):
    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedEmail]]:
        async with AsyncExitStack() as stack:
            self.host = await stack.enter_async_context(relay(host=FIRST))
            yield await stack.enter_async_context(sending(self.host.port))

    def sample(self, key: str) -> RenderedEmail:
        return sample_email(text=f"This is {key!r}.")

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedEmail]]:
        async with sending(25, zone="") as channel:
            yield channel

    def arrived(self) -> int:
        return len(self.host.mails)


class TestOverRelays(TestMx):
    secrets = (PASSWORD,)

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedEmail]]:
        async with relay() as self.host, over(f"localhost:{self.host.port}") as channel:
            yield channel

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedEmail]]:
        async with relay() as host, over(f"localhost:{host.port}", password=PASSWORD) as channel:
            yield channel


@asynccontextmanager
async def over(host: str, password: str = "") -> AsyncIterator[Mx]:
    login: dict[str, Any] = {"username": "ada", "password": password} if password else {}
    channel = Mx({"a": A}, relays=[host], **login)
    try:
        yield channel
    finally:
        await channel.aclose()


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no source": ({"sources": {}}, "sources: none"),
    "a source that is no table": ({"sources": {"a": "127.0.0.1"}}, r"sources\.a: expected a table"),
    "a source's unknown key": (
        {"sources": {"a": {"adress": "127.0.0.1"}}},
        r"sources\.a: unknown key 'adress'; did you mean 'address'",
    ),
    "a source that is no address": ({"sources": {"a": {"address": "mta1"}}}, r"sources\.a: 'mta1'"),
    "an EHLO of two words": ({"sources": {"a": {"ehlo": "a\r\nRSET"}}}, r"sources\.a: ehlo"),
    "a start that is no date": (
        {"sources": {"a": {"warm_up": "2026-11-01"}}},
        r"sources\.a\.warm_up: expected a date, got a string",
    ),
    "a start with a time": (
        {"sources": {"a": {"warm_up": datetime(2026, 11, 1)}}},
        r"sources\.a\.warm_up: expected a date",
    ),
    "an unknown pool": ({"pools": {"promo": {"a": 1}}}, "pools: 'promo' is none of default"),
    "an unknown source in a pool": ({"pools": {"default": {"b": 1}}}, r"pools\.default: .*'b'"),
    "a weight of nothing": ({"pools": {"default": {"a": 0}}}, r"pools\.default\.a: 0 is no weight"),
    "an empty pool": ({"pools": {"default": {}}}, r"pools\.default: no names"),
    "a relay with a scheme": ({"relays": ["smtp://x"]}, "relays: 'smtp://x' is no host"),
    "a relay in a string": ({"relays": "mta.example"}, "relays: expected a list"),
    "a port": ({"port": 0}, "port 0"),
    "a nameserver": ({"nameservers": ["dns.example"]}, "nameservers: 'dns.example' is no IP"),
    "a schedule": ({"warm_up_schedule": [50, "100"]}, "warm_up_schedule: '100'"),
    "no patience": ({"patience": -1}, "patience: a number of seconds"),
    "a timeout": ({"timeout": 0}, "timeouts"),
    "a shaping table that is not there": ({"shaping": "nowhere.toml"}, "nowhere.toml"),
    "a username without password": ({"relays": ["x"], "username": "ada"}, "no password"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_option_is_told(case: str) -> None:
    """What cannot work is a ConfigError of the constructor that names channel and key."""
    options, words = WRONG[case]
    arguments: dict[str, Any] = {"sources": {"a": A}} | options
    with pytest.raises(ConfigError, match=rf"(?s)^(channel 'mx': )?.*{words}"):
        Mx(**arguments)


TOML = """
[channels.shared-ips]
driver = "mx"
nameservers = ["{dns}"]
port = {port}
allow_private = true
mta_sts = false
shaping = "shaping.toml"
warm_up_schedule = [50, 100]

[channels.shared-ips.sources.a]
address = "127.0.0.21"
ehlo = "mta1.shop.example"
warm_up = 2026-01-01

[channels.shared-ips.sources.b]
address = "127.0.0.22"

[channels.shared-ips.pools]
default = {{ a = 3, b = 1 }}
marketing = {{ b = 1 }}

[env.prod]
email = "shared-ips"
"""


@pytest.mark.anyio
async def test_tables_of_a_project(tmp_path: Path) -> None:
    """The tables map one to one onto the constructor, a relative path starts at the project."""
    (tmp_path / "shaping.toml").write_text('["default"]\nconnection_limit = 1\n')
    with dns_server(ZONE) as dns:
        async with sink(host=FIRST) as host:
            file = tmp_path / "vero-deliver.toml"
            file.write_text(TOML.format(dns=dns.address, port=host.port))
            channel = Project.find(tmp_path, env="prod").channel("shared-ips", "email")
            receipt = await channel.send(sample_email(kind="marketing"), "key-1")
            await channel.aclose()
    assert receipt.channel == "shared-ips"
    assert host.peers == ["127.0.0.22"]


@pytest.mark.anyio
async def test_the_senders_domain_signs_and_takes_bounces() -> None:
    """As over a relay: the keys and the return path are those of the From domain."""
    async with relay(host=FIRST) as host, sending(host.port, domains=[news()]) as mx:
        await mx.send(sample_email(from_=Address(f"shop@{NEWS}")), "key-1")
        await mx.send(sample_email(), "key-2")
    signed, other = host.mails
    assert signed.sender.endswith(f"@bounces.{NEWS}")
    assert signed.data.count(b"DKIM-Signature:") == 2
    assert other.sender == "shop@example.com"
    assert b"DKIM-Signature" not in other.data


def test_a_wrong_table_is_told_with_its_line(tmp_path: Path) -> None:
    """Where it is written is in the error."""
    (tmp_path / "shaping.toml").touch()
    file = tmp_path / "vero-deliver.toml"
    wrong = TOML.replace("warm_up = 2026-01-01", 'warm_up = "soon"')
    file.write_text(wrong.format(dns="127.0.0.1", port=25))
    line = 1 + wrong.splitlines().index("[channels.shared-ips.sources.a]")
    with pytest.raises(ConfigError, match=rf"vero-deliver\.toml:{line}: .*expected a date"):
        Project.find(tmp_path, env="prod").channel("shared-ips", "email")


@pytest.mark.anyio
async def test_cancelled_sends_give_their_connection_back() -> None:
    """A send that is given up leaves no connection and no place behind."""
    plan: list[Fault] = [Fault.SILENT]
    async with (
        sink(lambda step, _: plan.pop() if step == "EHLO" and plan else None, host=FIRST) as host,
        sending(host.port) as mx,
    ):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(mx.send(sample_email(), "key-1"), 0.3)
        await asyncio.sleep(0.1)
        assert host.open == 0
        await mx.send(sample_email(), "key-2")
    assert len(host.messages) == 1


def test_a_channel_works_in_one_loop_after_the_other() -> None:
    """asyncio.run() again and again: connections of a loop that is gone do not count."""

    async def once(port: int, mx: Mx) -> int:
        async with sink(host=FIRST, port=port) as host:
            await mx.send(sample_email(), "key-1")
            return len(host.messages)

    async def port() -> int:
        async with sink(host=FIRST) as host:
            return host.port

    at = asyncio.run(port())
    with dns_server(ZONE) as dns:
        mx = Mx({"a": A}, port=at, nameservers=[dns.address], allow_private=True, mta_sts=False)
        assert [asyncio.run(once(at, mx)) for _ in range(12)] == [1] * 12


@pytest.mark.anyio
async def test_lanes_are_forgotten_when_they_are_idle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred thousand small domains do not fill the memory."""
    monkeypatch.setattr("vero_channels.transport.egress.lanes._FEW", 4)
    domains = [f"d{number}.example" for number in range(20)]
    zone = ZONE + "".join(
        f"{domain}. 60 IN MX 1 h{n}.example.org.\nh{n}.example.org. 60 IN A {FIRST}\n"
        for n, domain in enumerate(domains)
    )
    table = tmp_path / "shaping.toml"
    table.write_text(FAST)
    async with sink(host=FIRST) as host, sending(host.port, zone=zone, shaping=table) as mx:
        for domain in domains:
            await mx.send(to(f"ada@{domain}"), domain)
            await mx.aclose()
        lanes: Lanes = mx._lanes
        kept: dict[tuple[str, str], Lane] = lanes._lanes
        assert len(kept) <= 8
    assert len(host.messages) == 20
