"""Connecting, TLS and login of the SMTP driver, and its options."""

from __future__ import annotations

import base64
import contextlib
import ssl
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from smtp_sending import PASSWORD, refused, sending
from smtp_server import Authority, Fault, Relay, Scripted, authority, relay

from vero_channels.email.smtp import Smtp
from vero_deliver.errors import (
    ConfigError,
    Deferred,
    Misconfigured,
)
from vero_deliver.testing import sample_email


@pytest.fixture(scope="module")
def ca() -> Iterator[Authority]:
    with authority() as made:
        yield made


def secured(
    context: ssl.SSLContext, security: str
) -> contextlib.AbstractAsyncContextManager[Relay]:
    """A relay with a login, and this certificate in that mode."""
    starttls, tls = (context, None) if security == "starttls" else (None, context)
    return relay(starttls=starttls, tls=tls, login=("ada", PASSWORD))


class TestConnecting:
    @pytest.mark.anyio
    @pytest.mark.parametrize("security", ["starttls", "tls"])
    async def test_untrusted_certificate(self, ca: Authority, security: str) -> None:
        """A certificate of an unknown authority stops the channel; nothing is said after it."""
        async with (
            secured(ca.server, security) as server,
            sending(server.port, security=security, username="ada", password=PASSWORD) as smtp,
        ):
            with pytest.raises(Misconfigured, match="certificate"):
                await smtp.send(sample_email(), "key-1")
        assert not server.mails
        assert not server.mechanisms

    @pytest.mark.anyio
    @pytest.mark.parametrize("security", ["starttls", "tls"])
    async def test_certificate_for_another_host(self, ca: Authority, security: str) -> None:
        """A trusted certificate for another name stops the channel."""
        async with (
            secured(ca.stranger, security) as server,
            sending(server.port, security=security, ca_file=ca.ca_file) as smtp,
        ):
            with pytest.raises(Misconfigured, match=r"not valid for .127\.0\.0\.1"):
                await smtp.send(sample_email(), "key-1")
        assert not server.mails

    @pytest.mark.anyio
    async def test_starttls_is_required(self) -> None:
        """A server without STARTTLS hears EHLO and nothing else."""
        async with Scripted() as server:
            login = {"username": "ada", "password": PASSWORD}
            error = await refused(server, security="starttls", **login)
        assert isinstance(error, Misconfigured)
        assert "STARTTLS" in str(error)
        assert [command.split()[0] for command in server.said] == ["EHLO"]

    @pytest.mark.anyio
    async def test_tls_to_a_plain_port(self) -> None:
        """TLS to a server that does not speak it is a wrong setting, and says which."""
        async with Scripted() as server:
            error = await refused(server, security="tls")
        assert isinstance(error, Misconfigured)
        assert "security = 'tls'" in str(error)

    @pytest.mark.anyio
    async def test_server_down(self) -> None:
        """Nobody listening: later."""
        async with Scripted() as server:
            pass
        assert isinstance(await refused(server), Deferred)

    @pytest.mark.anyio
    async def test_unknown_host(self) -> None:
        """A name that does not resolve: later."""
        smtp = Smtp("nowhere.invalid", 25, security="none")
        with pytest.raises(Deferred, match=r"nowhere\.invalid"):
            await smtp.send(sample_email(), "key-1")

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("script", "kind", "code"),
        [
            ({"connect": "421 4.7.0 too busy"}, Deferred, "421 4.7.0"),
            ({"connect": "554 5.7.1 your address is listed"}, Misconfigured, "554 5.7.1"),
            ({"connect": "SSH-2.0-OpenSSH_9.2"}, Misconfigured, ""),
            ({"connect": Fault.DROP}, Deferred, ""),
            ({"connect": Fault.HANG}, Deferred, ""),
            ({"EHLO": Fault.DROP}, Deferred, ""),
            ({"EHLO": Fault.HANG}, Deferred, ""),
            ({"EHLO": "550 5.7.1 bad name"}, Misconfigured, "550 5.7.1"),
        ],
    )
    async def test_greeting(self, script: dict[str, Any], kind: type, code: str) -> None:
        """Before the transaction a 4yz or a silent server is for later, a 5yz is about us."""
        async with Scripted(script) as server:
            silent = Fault.HANG in script.values()
            error = await refused(server, timeout=0.3 if silent else 10.0)
        assert (type(error), error.code) == (kind, code)


class TestLogin:
    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("answer", "kind"),
        [
            ("535 5.7.8 no", Misconfigured),
            ("530 5.7.0 TLS first", Misconfigured),
            ("534 5.7.9 mechanism too weak", Misconfigured),
            ("538 5.7.11 encrypt", Misconfigured),
            ("454 4.7.0 temporary failure", Deferred),
            ("421 4.3.0 closing", Deferred),
            (Fault.DROP, Deferred),
            (Fault.HANG, Deferred),
        ],
    )
    async def test_answers(self, answer: str | Fault, kind: type) -> None:
        """A refused login stops the channel; a temporary failure does not."""
        async with Scripted({"AUTH": answer}) as server:
            timeout = 0.3 if answer is Fault.HANG else 10.0
            error = await refused(server, username="ada", password=PASSWORD, timeout=timeout)
        assert type(error) is kind
        assert not server.mails

    @pytest.mark.anyio
    @pytest.mark.parametrize("auth", ["plain", "login", "xoauth2"])
    async def test_echoed_credentials_are_masked(self, auth: str) -> None:
        """A server that quotes the login does not get the password into the error."""
        plain = [PASSWORD, f"\0ada\0{PASSWORD}", f"user=ada\x01auth=Bearer {PASSWORD}\x01\x01"]
        forms = [base64.b64encode(text.encode()).decode() for text in plain]
        async with Scripted({"AUTH": f"535 5.7.8 {PASSWORD} {' '.join(forms)}"}) as server:
            error = await refused(server, username="ada", password=PASSWORD, auth=auth)
        shown = f"{error!s} {error!r} {error.__cause__!r} {error.__context__!r}"
        assert "5.7.8" in shown
        assert not [form for form in (PASSWORD, *forms) if form in shown]

    @pytest.mark.anyio
    async def test_no_common_mechanism(self) -> None:
        """A server without a mechanism of ours is named with what it offers."""
        async with Scripted({"EHLO": "250-x\r\n250 AUTH GSSAPI"}) as server:
            error = await refused(server, username="ada", password=PASSWORD)
        assert isinstance(error, Misconfigured)
        assert "GSSAPI" in str(error)

    @pytest.mark.anyio
    async def test_failing_token_keeps_its_words(self) -> None:
        """What a token callable raises becomes Deferred, without its text."""

        def token() -> str:
            raise LookupError(PASSWORD)

        async with Scripted() as server:
            error = await refused(server, username="ada", token=token)
        assert isinstance(error, Deferred)
        assert "LookupError" in str(error)
        assert PASSWORD not in f"{error!r} {error.__context__!r}"
        assert not server.commands


class TestOptions:
    def test_defaults_are_secure(self) -> None:
        """Without options: port 587 with STARTTLS; 465 and security="tls" imply each other."""
        shown = [repr(Smtp("x")), repr(Smtp("x", 465)), repr(Smtp("x", security="tls"))]
        assert ["587" in shown[0], "starttls" in shown[0]] == [True, True]
        assert all("465" in text and "'tls'" in text for text in shown[1:])

    @pytest.mark.parametrize(
        ("options", "told"),
        [
            ({"host": ""}, "host"),
            ({"host": "a b"}, "host"),
            ({"host": "a" * 64 + ".example"}, "host"),
            ({"host": "x\r\n"}, "host"),
            ({"port": 0}, "port"),
            ({"port": "587"}, "type"),
            ({"host": None}, "type"),
            ({"username": "ada", "password": 1}, "neither text"),
            ({"port": 65536}, "port"),
            ({"security": "ssl"}, "starttls, tls, none"),
            ({"auth": "cram-md5", "username": "a", "password": "b"}, "xoauth2"),
            ({"timeout": 0}, "seconds"),
            ({"data_timeout": -1}, "seconds"),
            ({"username": "ada"}, "password"),
            ({"password": PASSWORD}, "username"),
            ({"username": "a", "password": "b", "security": "none"}, "in clear"),
            ({"username": "a", "token": str, "auth": "plain"}, "xoauth2"),
            ({"local_hostname": "a b"}, "local_hostname"),
            ({"local_hostname": "ü"}, "local_hostname"),
            ({"source_address": "here"}, "source_address"),
            ({"host": "mail.example.com:25"}, "host and port are two arguments"),
            ({"host": "[::1]:25"}, "host and port are two arguments"),
            ({"host": "smtp://mail.example.com"}, "host and port are two arguments"),
            ({"ca_file": "/no/such/file.pem"}, "ca_file"),
            ({"ca_file": __file__}, "ca_file"),
        ],
    )
    def test_wrong_options(self, options: dict[str, Any], told: str) -> None:
        """An option that cannot work is told at construction, without the password."""
        host: dict[str, Any] = {"host": "mail.example.com"}
        with pytest.raises(ConfigError, match=told) as caught:
            Smtp(**host | options)
        assert PASSWORD not in str(caught.value)

    @pytest.mark.anyio
    async def test_local_hostname_is_said(self) -> None:
        """EHLO says the configured name, else the address literal of our end."""
        async with Scripted() as server:
            for name in ("mx.example.com", None):
                async with sending(server.port, local_hostname=name) as smtp:
                    await smtp.send(sample_email(), "key-1")
        assert [c for c in server.said if c[:4] == "EHLO"] == [
            "EHLO mx.example.com",
            "EHLO [127.0.0.1]",
        ]

    @pytest.mark.anyio
    @pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.2 exists on Linux alone")
    async def test_source_address_is_bound(self) -> None:
        """The connection leaves from the address asked for."""
        options: dict[str, Any] = {"source_address": "127.0.0.2"}
        async with Scripted() as server, sending(server.port, **options) as smtp:
            await smtp.send(sample_email(), "key-1")
        assert "EHLO [127.0.0.2]" in server.said
