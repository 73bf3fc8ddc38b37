"""What refusals, faults and cancellation make of an SMTP transaction."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from smtp_sending import ADA, BEN, BIG, refused, sending
from smtp_server import Fault, Scripted, relay

from vero_deliver.errors import (
    Deferred,
    Gone,
    Misconfigured,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import Address
from vero_deliver.testing import sample_email


class TestTransaction:
    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("step", "answer", "kind", "code"),
        [
            ("MAIL", "451 4.3.0 later", Deferred, "451 4.3.0"),
            ("MAIL", "530 5.7.0 log in first", Misconfigured, "530 5.7.0"),
            ("MAIL", "553 5.7.1 not your address", Misconfigured, "553 5.7.1"),
            ("MAIL", "501 5.1.7 bad syntax", Refused, "501 5.1.7"),
            ("RCPT", "550 5.1.1 no such user", Gone, "550 5.1.1"),
            ("RCPT", "550-5.1.1 no such\r\n550 5.1.1 user", Gone, "550 5.1.1"),
            ("RCPT", "550 5.1.6 moved", Gone, "550 5.1.6"),
            ("RCPT", "556 5.1.10 null MX", Gone, "556 5.1.10"),
            ("RCPT", "550 5.2.1 disabled", Gone, "550 5.2.1"),
            ("RCPT", "550 5.1.2 bad domain", Refused, "550 5.1.2"),
            ("RCPT", "550 5.7.1 relaying denied", Refused, "550 5.7.1"),
            ("RCPT", "552 5.2.2 full", Refused, "552 5.2.2"),
            ("RCPT", "550 no such user", Refused, "550"),
            ("RCPT", "550 4.1.1 of the wrong class", Refused, "550"),
            ("RCPT", "450 4.2.0 greylisted", Deferred, "450 4.2.0"),
            ("RCPT", "421 4.3.2 closing", Deferred, "421 4.3.2"),
            ("DATA", "554 5.5.1 no valid recipients", Refused, "554 5.5.1"),
            ("DATA", "451 4.3.0 later", Deferred, "451 4.3.0"),
            ("DATA", "250 what", Deferred, "250"),
            (".", "552 5.3.4 too big", Refused, "552 5.3.4"),
            (".", "550 5.1.1 nobody knows whose", Refused, "550 5.1.1"),
            (".", "452 4.3.1 disk full", Deferred, "452 4.3.1"),
            (".", "421 4.3.2 closing", Deferred, "421 4.3.2"),
            (".", "354 still more", Uncertain, "354"),
            (".", "nonsense", Uncertain, ""),
        ],
    )
    async def test_answers(self, step: str, answer: str, kind: type, code: str) -> None:
        """Each answer becomes the error that names what happens next; nothing is delivered."""
        async with Scripted({step: answer}) as server:
            error = await refused(server)
        assert (type(error), error.code) == (kind, code)
        assert not server.mails

    @pytest.mark.anyio
    @pytest.mark.parametrize("fault", Fault)
    @pytest.mark.parametrize(
        ("step", "kind"),
        [("MAIL", Deferred), ("RCPT", Deferred), ("DATA", Deferred), (".", Uncertain)],
    )
    async def test_faults(self, step: str, fault: Fault, kind: type) -> None:
        """Lost or silent before the end of the message: later; after it: nobody knows."""
        async with Scripted({step: fault}) as server:
            timeout = 10.0 if step == "." else 0.3
            error = await refused(server, timeout=timeout, data_timeout=0.3)
        assert type(error) is kind
        assert not server.mails

    @pytest.mark.anyio
    @pytest.mark.parametrize("fault", Fault)
    async def test_fault_within_a_big_message(self, fault: Fault) -> None:
        """Lost or stuck before all of the message was taken: not accepted, so later."""
        async with Scripted({"body": fault}) as server:
            error = await refused(server, BIG, timeout=0.5)
        assert type(error) is Deferred
        assert not server.mails

    @pytest.mark.anyio
    async def test_refused_within_a_big_message(self) -> None:
        """A server that does not wait for the end of the message is heard."""
        async with Scripted({"body": "552 5.3.4 enough"}) as server:
            error = await refused(server, BIG)
        assert (type(error), error.code) == (Refused, "552 5.3.4")

    @pytest.mark.anyio
    async def test_one_refused_recipient_stops_all(self) -> None:
        """Where one of two is refused nobody gets it, and the error names who it was."""
        async with Scripted({"RCPT": ["250 ok", "550 5.1.1 unknown"]}) as server:
            error = await refused(server, sample_email(to=(ADA, BEN)))
        assert isinstance(error, Gone)
        assert "ben@example.org" in str(error)
        assert [c.split()[0] for c in server.said][-2:] == ["RSET", "QUIT"]
        assert not server.mails

    @pytest.mark.anyio
    async def test_words_of_the_server_are_cleaned(self) -> None:
        """Control characters go, length is capped."""
        async with Scripted({"RCPT": f"550 5.7.1 \x1b[31mred\x07 \u202e{'x' * 900}"}) as server:
            error = await refused(server)
        assert error.detail.isprintable()
        assert len(error.detail) < 400

    @pytest.mark.anyio
    async def test_endless_reply(self) -> None:
        """A server that talks without end is left."""
        async with Scripted({"RCPT": "550-x\r\n" * 50_000 + "550 x"}) as server:
            assert isinstance(await refused(server), Deferred)

    @pytest.mark.anyio
    async def test_size_limit_is_kept(self) -> None:
        """A message over the server's SIZE is refused before anything is said."""
        async with Scripted({"EHLO": "250-x\r\n250 SIZE 100"}) as server:
            error = await refused(server)
        assert isinstance(error, Refused)
        assert "at most 100" in str(error)
        assert [c.split()[0] for c in server.said] == ["EHLO", "QUIT"]

    @pytest.mark.anyio
    @pytest.mark.parametrize("limit", ["", "0", "many", "9" * 5000, "٣"])
    async def test_size_without_a_limit(self, limit: str) -> None:
        """SIZE with 0 or no number means no limit (RFC 1870); our size is announced."""
        email = sample_email()
        script = {"EHLO": f"250-x\r\n250 SIZE {limit}"}
        async with Scripted(script) as server, sending(server.port) as smtp:
            await smtp.send(email, "key-1")
        size = len(email.mime("key-1"))
        assert f"MAIL FROM:<shop@example.com> SIZE={size}" in server.said

    @pytest.mark.anyio
    async def test_smtputf8_missing(self) -> None:
        """Without SMTPUTF8 a non-ASCII local part is refused before anything is said."""
        async with relay(utf8=False) as server, sending(server.port) as smtp:
            with pytest.raises(Refused, match="ASCII address"):
                await smtp.send(sample_email(to=(Address("jörg@example.org"),)), "key-1")
        assert not server.mails

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        "address",
        [
            "",
            "ada",
            "a b@example.org",
            "ada@x> SIZE=1",
            "a\r\nRSET@x",
            "a\0@x",
            "<a@x>",
            "\udc80@x",
        ],
    )
    async def test_hostile_addresses(self, address: str) -> None:
        """What is no address never reaches a command line."""
        async with Scripted() as server:
            error = await refused(server, sample_email(to=(Address(address),)))
        assert isinstance(error, Refused)
        assert not server.commands

    @pytest.mark.anyio
    async def test_no_recipient(self) -> None:
        """An email to nobody is refused."""
        async with Scripted() as server:
            assert isinstance(await refused(server, sample_email(to=())), Refused)


class TestReuse:
    @pytest.mark.anyio
    @pytest.mark.parametrize(
        "script",
        [
            {"idle": Fault.DROP},
            {"idle": "421 4.4.2 idle"},
            {"MAIL": ["250 ok", Fault.DROP]},
            {"MAIL": ["250 ok", "421 4.7.0 enough messages"]},
            {"MAIL": ["250 ok", Fault.HANG]},
        ],
    )
    async def test_dead_connection_is_replaced(self, script: dict[str, Any]) -> None:
        """A kept connection that proves dead at MAIL FROM costs nothing: each arrives once."""
        async with Scripted(script, {}) as server, sending(server.port, timeout=1.0) as smtp:
            await smtp.send(sample_email(text="one"), "key-1")
            await smtp.send(sample_email(text="two"), "key-2")
        assert [b"one" in mail for mail in server.mails] == [True, False]
        assert len(server.commands) == 2

    @pytest.mark.anyio
    async def test_a_new_connection_is_not_replaced(self) -> None:
        """One that is dead from the start is tried once."""
        async with Scripted({"MAIL": Fault.DROP}) as server:
            assert isinstance(await refused(server), Deferred)
        assert len(server.commands) == 1

    @pytest.mark.anyio
    @pytest.mark.parametrize("step", ["EHLO", "MAIL", "RCPT", "DATA", "."])
    async def test_cancelled_send_leaves_nothing_behind(self, step: str) -> None:
        """After a cancelled send the next goes over a new connection, alone."""
        async with Scripted({step: Fault.HANG}, {}) as server, sending(server.port) as smtp:
            first = asyncio.create_task(smtp.send(sample_email(text="one"), "key-1"))
            await server.hanging.wait()
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            async with asyncio.timeout(5):  # the abandoned connection would take its 10 s
                await smtp.send(sample_email(text="two"), "key-2")
        assert [b"two" in mail for mail in server.mails] == [True]

    @pytest.mark.anyio
    async def test_cancelled_while_connecting_is_cancelled(self) -> None:
        """Python 3.11 may swallow the cancellation; the send must not go on all the same."""
        script = {"connect": Fault.HANG}
        async with Scripted(script) as server, sending(server.port, timeout=0.3) as smtp:
            send = asyncio.create_task(smtp.send(sample_email(), "key-1"))
            await server.hanging.wait()
            send.cancel()
            with pytest.raises(asyncio.CancelledError):
                await send
        assert not server.mails

    @pytest.mark.anyio
    async def test_waiting_sends_survive_a_cancelled_one(self) -> None:
        """A send that is cancelled while it waits for its turn disturbs nobody."""
        async with (
            Scripted({".": [Fault.HANG]}, {}) as server,
            sending(server.port, data_timeout=0.3, connections=1) as smtp,
        ):
            tasks = [asyncio.create_task(smtp.send(sample_email(), f"key-{n}")) for n in range(3)]
            await server.hanging.wait()
            tasks[1].cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(results[0], Uncertain)
        assert isinstance(results[1], asyncio.CancelledError)
        assert len(server.mails) == 1
