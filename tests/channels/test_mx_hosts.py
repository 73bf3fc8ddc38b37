"""Which hosts `mx` talks to: the corners of DNS, the next host, nothing on private networks."""

from __future__ import annotations

import ipaddress
from random import Random

import pytest
from dns_server import Fault as DnsFault
from dns_server import dns_server
from mx_sending import FIRST, SECOND, ZONE, A, World, failed, sending, to
from smtp_sink import Fault, sink

from vero_channels.transport.guard import is_public
from vero_deliver.errors import Deferred, Gone, Misconfigured, Refused, Uncertain
from vero_deliver.rendered import Address
from vero_deliver.testing import sample_email


@pytest.mark.anyio
async def test_mail_goes_to_the_preferred_host_from_the_source() -> None:
    """The MX of least preference gets it, and sees the source's address and EHLO name."""
    ehlo = {"a": {**A, "ehlo": "mta1.shop.example"}}
    async with (
        sink(host=FIRST) as first,
        sink(host=SECOND, port=first.port) as second,
        sending(first.port, sources=ehlo) as mx,
    ):
        receipt = await mx.send(sample_email(), "key-1")
    assert (receipt.channel, receipt.provider_id) == ("mx", "SINK")
    assert first.peers == ["127.0.0.21"]
    assert "EHLO mta1.shop.example" in first.commands
    assert not second.connections


@pytest.mark.anyio
@pytest.mark.parametrize("greeting", ["421 busy", "450 later", "554 5.7.1 not you", Fault.DROP])
async def test_next_host_where_one_does_not_greet(greeting: str | Fault) -> None:
    """A host that says no before anything was sent is passed over."""
    plan = {"connect": greeting}
    async with (
        sink(lambda step, _: plan.get(step), host=FIRST) as first,
        sink(host=SECOND, port=first.port) as second,
        sending(first.port) as mx,
    ):
        await mx.send(sample_email(), "key-1")
    assert first.connections
    assert not first.messages
    assert len(second.messages) == 1


@pytest.mark.anyio
async def test_next_host_where_nobody_listens() -> None:
    """A refused connection is passed over; where all are refused the email waits."""
    async with sink(host=SECOND) as second, sending(second.port) as mx:
        await mx.send(sample_email(), "key-1")
        assert len(second.messages) == 1
        port = second.port
    async with sending(port) as mx:
        error = await failed(mx)
    assert isinstance(error, Deferred)


@pytest.mark.anyio
@pytest.mark.parametrize("action", [Fault.DROP, Fault.DROP_TAKEN])
async def test_no_other_host_after_the_end_of_the_message(action: Fault) -> None:
    """Once its end has left us nobody else gets it: it may have been accepted."""
    async with (
        sink(lambda step, _: action if step == "." else None, host=FIRST) as first,
        sink(host=SECOND, port=first.port) as second,
        sending(first.port) as mx,
    ):
        error = await failed(mx)
    assert isinstance(error, Uncertain)
    assert not second.connections


@pytest.mark.anyio
async def test_a_refused_recipient_is_the_answer() -> None:
    """What the host says of a recipient is said by the site: no other host is asked."""
    async with (
        sink(lambda step, _: "550 5.1.1 who?" if step == "RCPT" else None, host=FIRST) as first,
        sink(host=SECOND, port=first.port) as second,
        sending(first.port) as mx,
    ):
        error = await failed(mx)
    assert isinstance(error, Gone)
    assert not second.connections


@pytest.mark.anyio
@pytest.mark.parametrize("answer", ["550 5.7.1 blocked", "530 5.7.0 no"])
async def test_one_host_does_not_stop_the_channel(answer: str) -> None:
    """A relay that says so has a wrong account; a stranger's host just refuses this email."""
    async with sink(lambda step, _: answer if step == "MAIL" else None, host=FIRST) as host:
        async with sending(host.port) as mx:
            error = await failed(mx)
            assert type(error) is Refused
            assert error.code == answer[:9]
        async with sending(25, relays=[f"{FIRST}:{host.port}"]) as mx:
            assert isinstance(await failed(mx), Misconfigured)


@pytest.mark.anyio
async def test_a_dead_domain_does_not_count_against_the_channel() -> None:
    """Routes rest a channel that fails in a row; one domain's dead host is no reason to."""
    async with sink(lambda step, _: "421 no" if step == "connect" else None, host=FIRST) as host:
        async with sending(host.port) as mx:
            error = await failed(mx)
            assert isinstance(error, Deferred)
            assert error.personal
        async with sending(25, relays=[f"{FIRST}:{host.port}"]) as mx:
            error = await failed(mx)
            assert isinstance(error, Deferred)
            assert not error.personal


ZONES = {
    "null MX": ("example.org. 60 IN MX 0 .", Gone, "556 5.1.10"),
    "no such domain": ("other.org. 60 IN A 127.0.0.11", Refused, "550 5.1.2"),
    "neither MX nor address": ('example.org. 60 IN TXT "x"', Refused, "550 5.1.2"),
    "MX without address": ("example.org. 60 IN MX 1 none.example.org.", Refused, "550 5.4.4"),
    "MX with a strange name": (r"example.org. 60 IN MX 1 a\010b.example.org.", Refused, "5.4.4"),
    "MX with an IP for a name": ("example.org. 60 IN MX 1 127.0.0.11.", Refused, "550 5.4.4"),
    "MX that is our own name": ("example.org. 60 IN MX 1 mta1.shop.example.", Refused, "5.4.6"),
    "MX that is our own address": (
        "example.org. 60 IN MX 1 x.example.org.\nx.example.org. 60 IN A 127.0.0.21",
        Refused,
        "5.4.6",
    ),
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", ZONES)
async def test_what_dns_says_for_good(case: str) -> None:
    """Null MX, no domain, no host, ourselves: nobody is talked to, and it is final."""
    zone, kind, code = ZONES[case]
    sources = {"a": {**A, "ehlo": "mta1.shop.example"}}
    async with sink(host=FIRST) as host, sending(host.port, zone=zone, sources=sources) as mx:
        error = await failed(mx)
    assert type(error) is kind
    assert code in error.code
    assert not host.connections


@pytest.mark.anyio
async def test_domain_without_mx_is_its_own_host() -> None:
    """An address is an implicit MX."""
    zone = f"example.org. 60 IN A {FIRST}"
    async with sink(host=FIRST) as host, sending(host.port, zone=zone) as mx:
        await mx.send(sample_email(), "key-1")
    assert len(host.messages) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("fault", ["servfail", "refused", "drop", "garbage", "cname loop"])
async def test_dns_that_fails_is_asked_again_later(
    fault: DnsFault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer is no reason to give an address up."""
    monkeypatch.setattr("vero_channels.email.mx._DNS_TIMEOUT", 0.5)
    with dns_server(ZONE, {"example.org": fault}) as dns:
        async with sink(host=FIRST) as host, sending(host.port, dns=dns) as mx:
            error = await failed(mx)
            assert isinstance(error, Deferred)
            dns.faults.clear()
            await mx.send(sample_email(), "key-1")
    assert len(host.messages) == 1


@pytest.mark.anyio
async def test_a_host_whose_address_cannot_be_told_is_passed_over() -> None:
    """SERVFAIL for one host leaves the others."""
    with dns_server(ZONE, {"mx1.example.org": "servfail"}) as dns:
        async with sink(host=SECOND) as second, sending(second.port, dns=dns) as mx:
            await mx.send(sample_email(), "key-1")
    assert len(second.messages) == 1


@pytest.mark.anyio
async def test_hosts_of_equal_preference_share_the_mail() -> None:
    """Equal MX are tried in random order."""
    zone = ZONE.replace("MX 20", "MX 10")
    async with sink(host=FIRST) as first, sink(host=SECOND, port=first.port) as second:
        for seed in range(12):
            world = World(random=Random(seed).random)
            surroundings = world.surroundings
            async with sending(first.port, zone=zone, surroundings=surroundings) as mx:
                await mx.send(sample_email(), "key-1")
    assert 2 <= first.connections <= 10
    assert first.connections + second.connections == 12


@pytest.mark.anyio
async def test_hosts_on_private_networks_are_not_talked_to() -> None:
    """An MX that leads to us, or into our network, is no host unless the project says so."""
    async with sink(host=FIRST) as host, sending(host.port, allow_private=False) as mx:
        error = await failed(mx)
    assert isinstance(error, Refused)
    assert error.code == "550 5.4.4"
    assert "no address on the internet" in str(error)
    assert not host.connections


PRIVATE = (
    "127.0.0.1 10.1.2.3 172.16.0.1 192.168.0.1 169.254.169.254 100.64.0.1 0.0.0.0 224.0.0.1 "
    "255.255.255.255 ::1 :: fe80::1 fc00::1 ff02::1 ::ffff:10.0.0.1 ::ffff:127.0.0.1 "
    "::127.0.0.1 ::10.0.0.1 fec0::1 64:ff9b:1::a00:1 2001:db8::1 "
    "2002:7f00:1::1 64:ff9b::7f00:1 64:ff9b::a00:1 2001:0:4136:e378:8000:63bf:3fff:fdd2"
)


@pytest.mark.parametrize("address", PRIVATE.split())
def test_private_addresses(address: str) -> None:
    """Private networks are seen in every disguise."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["142.250.1.26", "2a00:1450:4010:c05::1a", "64:ff9b::808:808"])
def test_public_addresses(address: str) -> None:
    """A host on the internet is one."""
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.anyio
@pytest.mark.parametrize("domain", ["[127.0.0.11]", "127.0.0.11", "0x7f000001", "a/b.example"])
async def test_only_domains_are_asked_for(domain: str) -> None:
    """Address literals and what looks like an address are refused."""
    async with sink(host=FIRST) as host, sending(host.port) as mx:
        error = await failed(mx, to(f"ada@{domain}"))
    assert isinstance(error, Refused)
    assert not host.connections


TWO_SITES = (
    ZONE + "example.net. 60 IN MX 10 mx2.example.org.\nsame.net. 60 IN MX 10 mx1.example.org."
)


@pytest.mark.anyio
async def test_recipients_of_one_site_share_an_email() -> None:
    """Domains with the same hosts are one site, so one transaction is for all."""
    zone = TWO_SITES + "\nsame.net. 60 IN MX 20 mx2.example.org.\n"
    async with sink(host=FIRST) as first, sending(first.port, zone=zone) as mx:
        await mx.send(to("ada@example.org", "ben@same.net"), "key-1")
    [(_, recipients, _)] = first.messages
    assert recipients == ("ada@example.org", "ben@same.net")


@pytest.mark.anyio
async def test_recipients_of_several_sites_are_refused() -> None:
    """One email is for all recipients or none; the error says what to do."""
    async with sink(host=FIRST) as first, sending(first.port, zone=TWO_SITES) as mx:
        email = to("ada@example.org", bcc=(Address("ben@example.net"),))
        error = await failed(mx, email)
    assert isinstance(error, Refused)
    assert "one email per person" in str(error)
    assert not first.connections


@pytest.mark.anyio
async def test_a_source_that_is_not_ours_stops_the_channel() -> None:
    """An address that this machine does not have is our own mistake."""
    async with (
        sink(host=FIRST) as host,
        sending(host.port, sources={"a": {"address": "192.0.2.1"}}) as mx,
    ):
        error = await failed(mx)
    assert isinstance(error, Misconfigured)
    assert "source 'a'" in str(error)


@pytest.mark.anyio
async def test_relays_in_order_take_everything() -> None:
    """With relays nobody looks at MX; the second one stands in for the first."""
    async with (
        sink(lambda step, _: "421 no" if step == "connect" else None) as first,
        sink() as second,
        sending(25, relays=[f"127.0.0.1:{first.port}", f"127.0.0.1:{second.port}"]) as mx,
    ):
        await mx.send(to("ada@example.org", "ben@elsewhere.example"), "key-1")
    assert not first.messages
    assert len(second.messages) == 1


@pytest.mark.anyio
async def test_relays_by_weight() -> None:
    """With a table each new connection chooses by weight."""
    async with sink() as first, sink() as second:
        relays = {f"127.0.0.1:{first.port}": 9, f"127.0.0.1:{second.port}": 1}
        world = World()
        async with sending(25, relays=relays, surroundings=world.surroundings) as mx:
            for number in range(200):
                await mx.send(sample_email(), f"key-{number}")
                await mx.aclose()
                world.time += 1
    assert 165 <= first.connections <= 195
    assert first.connections + second.connections == 200


@pytest.mark.anyio
async def test_a_source_of_ipv6_leaves_hosts_without_it_to_others() -> None:
    """Where hosts speak IPv4 alone, sources of IPv6 have no turn; alone they are no way there."""
    six = {"address": "::1"}
    async with sink(host=FIRST) as host:
        async with sending(host.port, sources={"six": six, "a": A}) as mx:
            for number in range(4):
                await mx.send(sample_email(), f"key-{number}")
        async with sending(host.port, sources={"six": six}) as mx:
            error = await failed(mx)
    assert isinstance(error, Refused)
    assert host.peers == ["127.0.0.21"] * 4


@pytest.mark.anyio
async def test_a_domain_with_a_hundred_hosts_costs_five_tries() -> None:
    """Whoever names many hosts that do not answer does not keep us for long."""
    names = [f"h{number}.example.org" for number in range(100)]
    zone = "".join(
        f"example.org. 60 IN MX {n} {name}.\n{name}. 60 IN A {FIRST}\n"
        for n, name in enumerate(names)
    )
    async with (
        sink(lambda step, _: "421 no" if step == "connect" else None, host=FIRST) as host,
        sending(host.port, zone=zone) as mx,
    ):
        assert isinstance(await failed(mx), Deferred)
    assert host.connections == 5
