"""What MAIL FROM and RCPT TO say besides the addresses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from smtp_sending import BIG, sending
from smtp_server import Authority, authority
from smtp_sink import sink

from vero_channels.transport.smtp_pipelining import MODES
from vero_deliver.errors import Misconfigured, Refused
from vero_deliver.rendered import Address
from vero_deliver.testing import sample_email


class TestParameters:
    @pytest.mark.anyio
    async def test_dsn(self) -> None:
        """NOTIFY, RET, ENVID and ORCPT; the notification names the key."""
        async with sink() as server, sending(server.port, dsn=["failure", "delay"]) as smtp:
            await smtp.send(sample_email(to=(Address("a+b@example.org"),)), "order-1")
        mail, rcpt = (c for c in server.commands if c[:4] in ("MAIL", "RCPT"))
        assert mail.endswith(" RET=HDRS ENVID=order-1")
        assert (
            rcpt == "RCPT TO:<a+b@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;a+2Bb@example.org"
        )

    @pytest.mark.anyio
    async def test_dsn_with_the_message(self) -> None:
        """dsn_full asks for the message back; a key that no ENVID can be has its hash there."""
        async with sink() as server, sending(server.port, dsn=["never"], dsn_full=True) as smtp:
            await smtp.send(sample_email(), "k" * 101)
        assert any(re.search(" RET=FULL ENVID=sha256-[0-9a-f]{64}$", c) for c in server.commands)
        assert any(" NOTIFY=NEVER " in c for c in server.commands)

    @pytest.mark.anyio
    async def test_dsn_where_it_is_not_offered(self) -> None:
        """A server without DSN gets the message without the wish."""
        async with sink(offer="x") as server, sending(server.port, dsn=["failure"]) as smtp:
            await smtp.send(sample_email(), "key-1")
        assert "RCPT TO:<ada@example.org>" in server.commands

    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    async def test_size_8bitmime_smtputf8(self, mode: str) -> None:
        """What the message needs is said, in every mode."""
        email = sample_email(to=(Address("jörg@example.org"),))
        async with sink() as server, sending(server.port, pipelining=mode) as smtp:
            await smtp.send(email, "key-1")
        [mail] = [c for c in server.commands if c.startswith("MAIL")]
        assert mail.endswith(f"SIZE={len(email.mime('key-1'))} BODY=8BITMIME SMTPUTF8")

    @pytest.mark.anyio
    async def test_one_refusal_is_no_others(self) -> None:
        """A message over SIZE is refused; those before and behind it go."""
        async with (
            sink(offer="x,SIZE 5000,PIPELINING") as server,
            sending(server.port, connections=1) as smtp,
        ):
            sends = [
                smtp.send(sample_email(), "a"),
                smtp.send(BIG, "b"),
                smtp.send(sample_email(), "c"),
            ]
            outcomes = await asyncio.gather(*sends, return_exceptions=True)
        assert [isinstance(o, Refused) for o in outcomes] == [False, True, False]
        assert len(server.messages) == 2


@pytest.fixture(scope="module")
def ca() -> Iterator[Authority]:
    with authority() as made:
        yield made


class TestRequireTls:
    @pytest.mark.anyio
    @pytest.mark.parametrize("offered", [True, False])
    async def test_said_or_not_sent(self, ca: Authority, offered: bool) -> None:
        """REQUIRETLS is said where it is offered; elsewhere nothing is sent."""
        offer = "x,REQUIRETLS" if offered else "x"
        options: dict[str, Any] = {"security": "tls", "ca_file": ca.ca_file, "require_tls": True}
        async with (
            sink(offer=offer, tls=ca.server) as server,
            sending(server.port, **options) as smtp,
        ):
            if offered:
                await smtp.send(sample_email(), "key-1")
            else:
                with pytest.raises(Misconfigured, match="REQUIRETLS"):
                    await smtp.send(sample_email(), "key-1")
        assert any(c.endswith(" REQUIRETLS") for c in server.commands) is offered
        assert len(server.messages) == offered
