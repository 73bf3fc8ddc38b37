"""TLS to hosts that nobody knows: taken where it is offered, wanted where somebody says so."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dns_server import dns_server
from mx_sending import FIRST, SECOND, ZONE, World, failed, sending
from smtp_server import Authority, authority, relay
from smtp_sink import Fault, sink

from benchmarks.smtp.sink import OFFER
from vero_channels.transport.egress.dns import Dns
from vero_channels.transport.egress.mta_sts import NoPolicyError, fetch_policy, parse
from vero_channels.transport.smtp_server import tls_context
from vero_deliver.errors import Deferred
from vero_deliver.testing import sample_email

WITH_TLS = f"{OFFER},STARTTLS"


@pytest.fixture(scope="module")
def ca() -> Iterator[Authority]:
    with authority() as made:
        yield made


@pytest.fixture
def required(tmp_path: Path) -> Path:
    """A shaping table that wants TLS for example.org."""
    file = tmp_path / "shaping.toml"
    file.write_text('["example.org"]\nenable_tls = "Required"\n')
    return file


class TestOpportunistic:
    @pytest.mark.anyio
    async def test_any_certificate_will_do(self, ca: Authority) -> None:
        """STARTTLS is taken where it is offered, whoever made the certificate."""
        async with relay(starttls=ca.stranger, host=FIRST) as host, sending(host.port) as mx:
            await mx.send(sample_email(), "key-1")
        assert [mail.over_tls for mail in host.mails] == [True]

    @pytest.mark.anyio
    @pytest.mark.parametrize("answer", [Fault.DROP, "454 4.7.0 not now", "220 go ahead"])
    async def test_broken_tls_goes_on_in_clear(self, answer: str | Fault) -> None:
        """The same host gets it over a new connection in clear, and is so known for three days."""
        plan = {"STARTTLS": answer}
        world = World()
        async with (
            sink(lambda step, _: plan.get(step), host=FIRST, offer=WITH_TLS) as host,
            sending(host.port, surroundings=world.surroundings, timeout=1.0) as mx,
        ):
            for day, tries in ((0, 1), (2, 1), (4, 2)):
                world.time = 1_000.0 + day * 86_400
                await mx.send(sample_email(), f"key-{day}")
                await mx.aclose()
                assert host.commands.count("STARTTLS") == tries
        assert len(host.messages) == 3

    @pytest.mark.anyio
    async def test_without_starttls_one_connection_is_enough(self) -> None:
        """A host that offers none gets it at once."""
        async with sink(host=FIRST) as host, sending(host.port) as mx:
            await mx.send(sample_email(), "key-1")
        assert host.connections == 1


class TestRequired:
    @pytest.mark.anyio
    async def test_good_certificate(self, ca: Authority, required: Path) -> None:
        """The certificate has to be for the host's name, not for its address."""
        async with (
            relay(starttls=ca.server, host=FIRST) as host,
            sending(host.port, shaping=required, ca_file=ca.ca_file) as mx,
        ):
            await mx.send(sample_email(), "key-1")
        assert [mail.over_tls for mail in host.mails] == [True]

    @pytest.mark.anyio
    async def test_certificate_for_another_host(self, ca: Authority, required: Path) -> None:
        """Nothing is sent, and the email waits: a stranger's certificate is not our fault."""
        async with (
            relay(starttls=ca.stranger, host=FIRST) as host,
            sending(host.port, shaping=required, ca_file=ca.ca_file) as mx,
        ):
            error = await failed(mx)
        assert isinstance(error, Deferred)
        assert "certificate" in str(error)
        assert not host.mails

    @pytest.mark.anyio
    async def test_no_starttls(self, required: Path) -> None:
        """A host without STARTTLS hears nothing but EHLO."""
        async with sink(host=FIRST) as host, sending(host.port, shaping=required) as mx:
            error = await failed(mx)
        assert isinstance(error, Deferred)
        assert not [c for c in host.commands if c.startswith("MAIL")]


POLICY = b"version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmax_age: 86400\r\n"


class Web:
    """Fetches a policy, and counts; None cannot be had."""

    def __init__(self, body: bytes | None) -> None:
        self.body, self.urls = body, list[str]()

    async def __call__(self, url: str) -> bytes:
        self.urls.append(url)
        if self.body is None:
            raise NoPolicyError("404")
        return self.body


def sts(web: Web, policy_id: str = "1", **options: Any) -> dict[str, Any]:
    """Options for a domain with a policy."""
    zone = f'{ZONE}_mta-sts.example.org. 0 IN TXT "v=STSv1; id={policy_id};"\n'
    return {"zone": zone, "mta_sts": True, "fetch": web, **options}


class TestMtaSts:
    @pytest.mark.anyio
    async def test_enforced(self, ca: Authority) -> None:
        """A host of the policy with a good certificate gets it over TLS; the policy is kept."""
        web = Web(POLICY)
        async with (
            relay(starttls=ca.server, host=FIRST) as host,
            sending(host.port, **sts(web, ca_file=ca.ca_file)) as mx,
        ):
            await mx.send(sample_email(), "key-1")
            await mx.send(sample_email(), "key-2")
        assert [mail.over_tls for mail in host.mails] == [True, True]
        assert web.urls == ["https://mta-sts.example.org/.well-known/mta-sts.txt"]

    @pytest.mark.anyio
    async def test_enforced_against_a_wrong_certificate(self, ca: Authority) -> None:
        """Neither that host nor one that the policy does not name gets it."""
        async with (
            relay(starttls=ca.stranger, host=FIRST) as host,
            relay(starttls=ca.server, host=SECOND, port=host.port) as other,
            sending(host.port, **sts(Web(POLICY), ca_file=ca.ca_file)) as mx,
        ):
            error = await failed(mx)
        assert isinstance(error, Deferred)
        assert not host.mails
        assert not other.connections

    @pytest.mark.anyio
    async def test_enforced_against_stripped_starttls(self) -> None:
        """Somebody who takes STARTTLS out of the answer gets nothing."""
        async with sink(host=FIRST) as host, sending(host.port, **sts(Web(POLICY))) as mx:
            error = await failed(mx)
        assert isinstance(error, Deferred)
        assert not host.messages

    @pytest.mark.anyio
    async def test_no_host_of_the_policy(self) -> None:
        """Hosts that DNS names and the policy does not are not talked to."""
        web = Web(POLICY.replace(b"mx1", b"mx9"))
        async with sink(host=FIRST) as host, sending(host.port, **sts(web)) as mx:
            error = await failed(mx)
        assert isinstance(error, Deferred)
        assert "MTA-STS" in str(error)
        assert not host.connections

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        "body",
        [None, b"", b"version: STSv2\n", POLICY.replace(b"enforce", b"testing"), POLICY * 1_000],
    )
    async def test_no_policy_to_keep(self, body: bytes | None) -> None:
        """One that cannot be had, is senseless, too long or only a test changes nothing."""
        async with sink(host=FIRST) as host, sending(host.port, **sts(Web(body))) as mx:
            await mx.send(sample_email(), "key-1")
        assert len(host.messages) == 1

    @pytest.mark.anyio
    async def test_a_known_policy_outlives_its_server(self, ca: Authority) -> None:
        """With a new id, and no policy to be had, the old one counts until its end."""
        web, world = Web(POLICY), World()
        with dns_server(sts(web)["zone"]) as dns:
            options = sts(web, ca_file=ca.ca_file, dns=dns, surroundings=world.surroundings)
            async with sink(host=FIRST) as host, sending(host.port, **options) as mx:
                assert isinstance(await failed(mx), Deferred)
                web.body = None
                dns.publish(sts(web, "2")["zone"])
                for _ in range(3):
                    assert isinstance(await failed(mx), Deferred)
                assert len(web.urls) == 2, "it was looked for again at once"
                world.time += 86_401
                await mx.send(sample_email(), "key-1")
        assert len(host.messages) == 1

    def test_wildcards_stand_for_one_label(self) -> None:
        """*.example.org is a.example.org, neither example.org nor a.b.example.org."""
        policy = parse(POLICY.replace(b"mx1.example.org", b"*.Example.org"))
        assert policy.allows("mx1.example.org")
        assert not policy.allows("example.org")
        assert not policy.allows("a.mx1.example.org")


class TestFetching:
    """The policy's own web server, which anybody may run."""

    @pytest.fixture(autouse=True)
    def trusted(self, ca: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("SSL_CERT_FILE", str(ca.ca_file))
        tls_context.cache_clear()
        yield
        tls_context.cache_clear()

    @pytest.mark.anyio
    async def test_answer(self, ca: Authority) -> None:
        """The body of a 200."""
        assert await fetched(ca.server, b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n" + POLICY) == POLICY

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 301 Moved\r\nLocation: https://localhost/\r\n\r\n" + POLICY,
            b"HTTP/1.1 200 OK\r\n\r\n" + bytes(70_000),
            b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 20_000,
            b"nonsense\r\n\r\n",
            b"",
        ],
    )
    async def test_bad_answers(self, ca: Authority, answer: bytes) -> None:
        """No redirect is followed, and nothing without end is read."""
        with pytest.raises(NoPolicyError):
            await fetched(ca.server, answer)

    @pytest.mark.anyio
    async def test_certificate_and_network(self, ca: Authority) -> None:
        """A wrong certificate, and an address in a private network, give no policy."""
        with pytest.raises(NoPolicyError, match="SSLCertVerificationError"):
            await fetched(ca.stranger, b"HTTP/1.1 200 OK\r\n\r\n" + POLICY)
        with pytest.raises(NoPolicyError, match="on the internet"):
            await fetched(ca.server, b"", allow_private=False)


async def fetched(context: ssl.SSLContext, answer: bytes, *, allow_private: bool = True) -> bytes:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        with dns_server("mx1.example.org. 60 IN A 127.0.0.1") as dns:
            resolver = Dns([dns.address], timeout=2.0)
            url = "https://mx1.example.org/.well-known/mta-sts.txt"
            return await fetch_policy(url, resolver, allow_private=allow_private, port=port)
