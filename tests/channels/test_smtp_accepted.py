"""What the SMTP driver sends, to real servers on real sockets."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from smtp_sending import ADA, BEN, BIG, PASSWORD, sending, through
from smtp_server import Authority, Scripted, authority, relay

from vero_channels.email.smtp import Smtp
from vero_deliver.channel import Channel
from vero_deliver.errors import (
    Gone,
    Refused,
)
from vero_deliver.rendered import Address, RenderedEmail
from vero_deliver.secret import Secret
from vero_deliver.testing import ChannelContract, sample_email


@pytest.fixture(scope="module")
def ca() -> Iterator[Authority]:
    with authority() as made:
        yield made


class TestContract(ChannelContract[RenderedEmail]):
    secrets = (PASSWORD,)

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedEmail]]:
        async with (
            relay(login=("ada", PASSWORD)) as self.relay,
            sending(self.relay.port, username="ada", password=PASSWORD) as channel,
        ):
            yield channel

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedEmail]]:
        async with (
            relay(login=("ada", "another")) as server,
            sending(server.port, username="ada", password=PASSWORD) as channel,
        ):
            yield channel

    def sample(self, key: str) -> RenderedEmail:
        return sample_email()

    def arrived(self) -> int:
        return len(self.relay.mails)


class TestAccepted:
    @pytest.mark.anyio
    async def test_starttls_and_login(self, ca: Authority) -> None:
        """Over STARTTLS, logged in, the server gets exactly the bytes of mime(key)."""
        email = sample_email()
        async with relay(starttls=ca.server, login=("ada", PASSWORD)) as server:
            login = {"username": "ada", "password": PASSWORD}
            queued = await through(server, email, security="starttls", ca_file=ca.ca_file, **login)
        assert queued == "QUEUE1"
        (mail,) = server.mails
        assert (mail.data, mail.over_tls, mail.login) == (email.mime("key-1"), True, "ada")
        assert (mail.sender, mail.recipients) == ("shop@example.com", ["ada@example.org"])

    @pytest.mark.anyio
    async def test_implicit_tls(self, ca: Authority) -> None:
        """With security="tls" the first byte is TLS."""
        email = sample_email()
        async with relay(tls=ca.server) as server:
            await through(server, email, security="tls", ca_file=ca.ca_file)
        assert [(m.data, m.over_tls) for m in server.mails] == [(email.mime("key-1"), True)]

    @pytest.mark.anyio
    async def test_verify_false_takes_any_certificate(self, ca: Authority) -> None:
        """verify=False accepts an unknown authority, still encrypted."""
        async with relay(tls=ca.stranger) as server:
            await through(server, sample_email(), security="tls", verify=False)
        assert server.mails[0].over_tls

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("auth", "offered", "used"),
        [
            ("auto", ("PLAIN", "LOGIN"), "PLAIN"),
            ("auto", ("LOGIN",), "LOGIN"),
            ("login", ("PLAIN", "LOGIN"), "LOGIN"),
        ],
    )
    async def test_mechanism(self, auth: str, offered: tuple[str, ...], used: str) -> None:
        """AUTH uses the mechanism asked for, else PLAIN, else LOGIN."""
        async with relay(login=("ada", PASSWORD), mechanisms=offered) as server:
            await through(server, sample_email(), username="ada", password=PASSWORD, auth=auth)
        assert server.mechanisms == [used]

    @pytest.mark.anyio
    async def test_secret_object_is_revealed_to_the_server_only(self) -> None:
        """A password may be a Secret."""
        async with relay(login=("ada", PASSWORD)) as server:
            await through(server, sample_email(), username="ada", password=Secret(PASSWORD))
        assert server.mails[0].login == "ada"

    @pytest.mark.anyio
    async def test_xoauth2_asks_for_a_token_per_session(self) -> None:
        """A token callable, here asynchronous, is asked anew for each session."""
        tokens = iter(["first", "second"])

        async def token() -> str:
            return next(tokens)

        async with Scripted() as server, sending(server.port, username="ada", token=token) as smtp:
            await smtp.send(sample_email(), "key-1")
            await smtp.aclose()
            await smtp.send(sample_email(), "key-2")
        logins = [c.split()[2] for c in server.said if c.startswith("AUTH XOAUTH2")]
        assert [base64.b64decode(login) for login in logins] == [
            b"user=ada\x01auth=Bearer first\x01\x01",
            b"user=ada\x01auth=Bearer second\x01\x01",
        ]

    @pytest.mark.anyio
    async def test_bcc_is_in_the_envelope_only(self) -> None:
        """Everybody gets it; the bytes do not name the Bcc."""
        async with relay() as server:
            await through(server, sample_email(to=(ADA,), bcc=(BEN,)))
        assert server.mails[0].recipients == [ADA.email, BEN.email]
        assert b"ben@" not in server.mails[0].data

    @pytest.mark.anyio
    @pytest.mark.parametrize("text", [".", "..", ".\r\n.\r\n.hidden\r\n", "a\r\n.\r\nQUIT\r\n"])
    async def test_dots_survive(self, text: str) -> None:
        """Lines that are or begin with a dot arrive as they are and end nothing."""
        email = sample_email(text=text, html="")
        async with relay() as server:
            await through(server, email)
        assert [mail.data for mail in server.mails] == [email.mime("key-1")]

    @pytest.mark.anyio
    async def test_big_message(self, ca: Authority) -> None:
        """Sixteen megabytes pass through TLS byte for byte."""
        async with relay(tls=ca.server) as server:
            await through(server, BIG, security="tls", ca_file=ca.ca_file)
        assert server.mails[0].data == BIG.mime("key-1")

    @pytest.mark.anyio
    async def test_smtputf8_is_said_when_needed(self) -> None:
        """A non-ASCII local part goes as UTF-8, with SMTPUTF8 and 8BITMIME."""
        email = sample_email(to=(Address("jörg@example.org"),))
        async with relay() as server:
            await through(server, email)
        (mail,) = server.mails
        assert mail.recipients == ["jörg@example.org"]
        assert {"SMTPUTF8", "BODY=8BITMIME"} <= set(mail.mail_options)

    @pytest.mark.anyio
    async def test_non_ascii_domain_goes_as_a_labels(self) -> None:
        """A non-ASCII domain needs no SMTPUTF8."""
        async with relay(utf8=False) as server:
            await through(server, sample_email(to=(Address("ada@bücher.example"),)))
        assert server.mails[0].recipients == ["ada@xn--bcher-kva.example"]

    @pytest.mark.anyio
    async def test_connection_is_kept(self) -> None:
        """Messages, refused ones included, share one connection."""
        script = {"RCPT": ["550 5.1.1 unknown"], ".": ["552 5.3.4 too big"]}
        async with Scripted(script) as server, sending(server.port) as smtp:
            for error in (Gone, Refused):
                with pytest.raises(error):
                    await smtp.send(sample_email(), "key-1")
            await smtp.send(sample_email(), "key-2")
        assert (len(server.commands), len(server.mails)) == (1, 1)

    def test_one_channel_serves_several_event_loops(self) -> None:
        """A channel kept between two asyncio.run() calls opens a connection in each."""

        async def send(smtp: Smtp | None, port: int = 0) -> tuple[Smtp, int]:
            async with Scripted(port=port) as server:
                smtp = smtp or Smtp("127.0.0.1", server.port, security="none")
                await smtp.send(sample_email(), "key-1")
                await smtp.aclose()
                return smtp, len(server.mails)

        smtp, first = asyncio.run(send(None))
        _, second = asyncio.run(send(smtp, smtp._server.port))
        assert (first, second) == (1, 1)


class TestQueueId:
    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("2.0.0 Ok: queued as 4WfGp03zqPz1", "4WfGp03zqPz1"),
            ("OK id=1sA2bC-000000001Xy-0AbC", "1sA2bC-000000001Xy-0AbC"),
            ("Ok 0102018f6a7b8c9d-5c1e0d3a-1111-2222-3333-444455556666-000000",) * 2,
            ("2.0.0 45KFxyz0123456 Message accepted for delivery", "45KFxyz0123456"),
        ],
    )
    async def test_known_words(self, words: str, found: str) -> None:
        """The ids of Postfix, Exim, Amazon SES and sendmail are recognised."""
        async with Scripted({".": f"250 {words}"}) as server, sending(server.port) as smtp:
            receipt = await smtp.send(sample_email(), "key-1")
        assert receipt.provider_id == found.removeprefix("Ok ")

    @pytest.mark.anyio
    async def test_message_id_otherwise(self) -> None:
        """Without a known id the Message-ID stands in."""
        async with Scripted({".": "250 thanks"}) as server, sending(server.port) as smtp:
            receipt = await smtp.send(sample_email(), "key-1")
        assert receipt.provider_id.encode() in server.mails[0]
