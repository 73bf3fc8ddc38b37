"""How much is written before an answer is heard, and what a server makes of it."""

from __future__ import annotations

import asyncio

import pytest
from smtp_sending import ADA, BEN, BIG, sending
from smtp_sink import Fault, Plan, Taken, sink

from benchmarks.smtp.sink import OFFER
from vero_channels.email.smtp import Smtp
from vero_channels.transport.smtp_pipelining import MODES
from vero_deliver.errors import Gone, Refused, Uncertain
from vero_deliver.rendered import RenderedEmail
from vero_deliver.testing import sample_email


def numbered(number: int) -> RenderedEmail:
    return sample_email(text=f"token-{number}-", html="")


async def several(smtp: Smtp, count: int = 6) -> None:
    """Send so many at once; all are accepted."""
    await asyncio.gather(*(smtp.send(numbered(n), f"key-{n}") for n in range(count)))


def at(steps: str, fault: Fault) -> Plan:
    """A fault at these steps, always."""
    return lambda step, _: fault if step in steps.split() else None


def patience(fault: Fault) -> float:
    """Seconds to wait for an answer: only where input is thrown away does none come."""
    return 0.5 if fault is Fault.DISCARD else 10.0


def together(server: Taken, *verbs: bytes) -> bool:
    """Whether one read had these commands in it."""
    return any(
        all(f"\r\n{verb.decode()}".encode() in b"\r\n" + read for verb in verbs)
        for read in server.reads
    )


class TestModes:
    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("mode", "envelope", "crossed", "chunked"),
        [
            ("off", False, False, False),
            ("envelope", True, False, False),
            ("cross", True, True, False),
            ("bdat", True, False, True),
        ],
    )
    async def test_what_is_written_at_once(
        self, mode: str, envelope: bool, crossed: bool, chunked: bool
    ) -> None:
        """Each mode writes as much at once as its name says."""
        async with (
            sink() as server,
            sending(server.port, pipelining=mode, connections=1) as smtp,
        ):
            await several(smtp)
        assert together(server, b"MAIL FROM", b"RCPT TO") is envelope
        assert together(server, b".\r\nMAIL FROM", b"DATA") is crossed
        assert together(server, b"RCPT TO", b"BDAT") is chunked

    @pytest.mark.anyio
    @pytest.mark.parametrize(
        ("offer", "mode", "used"),
        [
            ("x,SIZE 0", "bdat", "off"),
            ("x,CHUNKING", "bdat", "off"),
            ("x,PIPELINING", "bdat", "cross"),
            ("x,PIPELINING", "envelope", "envelope"),
            (OFFER, "off", "off"),
        ],
    )
    async def test_no_more_than_is_offered(self, offer: str, mode: str, used: str) -> None:
        """A mode that the server does not offer falls to one that it does."""
        async with (
            sink(offer=offer) as server,
            sending(server.port, pipelining=mode, connections=1) as smtp,
        ):
            await several(smtp)
        assert together(server, b"MAIL FROM", b"RCPT TO") is (used != "off")
        assert together(server, b".\r\nMAIL FROM") is (used == "cross")
        assert not together(server, b"BDAT")

    @pytest.mark.anyio
    async def test_window_is_kept(self) -> None:
        """With BDAT at most `window` messages are unanswered."""
        async with (
            sink() as server,
            sending(server.port, pipelining="bdat", window=3, connections=1) as smtp,
        ):
            await several(smtp, 12)
        assert max(read.count(b"BDAT") for read in server.reads) <= 3
        assert server.tokens.total() == 12

    @pytest.mark.anyio
    async def test_window_is_filled_while_it_waits(self) -> None:
        """With BDAT a message that comes later is written before those in flight are answered."""
        sends: list[asyncio.Task[object]] = []
        first_was_done: list[bool] = []

        def plan(step: str, _argument: str) -> Fault | None:
            if step == "." and len(sends) > 1:
                first_was_done.append(sends[0].done())
            return Fault.LATE if step == "." else None

        async with (
            sink(plan) as server,
            sending(server.port, pipelining="bdat", connections=1) as smtp,
        ):
            sends.append(asyncio.create_task(smtp.send(numbered(1), "key-1")))
            while "." not in server.commands:  # noqa: ASYNC110  # the sink has no events
                await asyncio.sleep(0)
            sends.append(asyncio.create_task(smtp.send(numbered(2), "key-2")))
            await asyncio.gather(*sends)
        assert first_was_done == [False]

    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    async def test_big_message(self, mode: str) -> None:
        """Sixteen megabytes arrive byte for byte, between small ones."""
        async with (
            sink() as server,
            sending(server.port, pipelining=mode, connections=1) as smtp,
        ):
            emails = [numbered(1), BIG, numbered(2), numbered(3)]
            await asyncio.gather(*(smtp.send(e, f"key-{n}") for n, e in enumerate(emails)))
        assert [m[2] for m in server.messages] == [e.mime(f"key-{n}") for n, e in enumerate(emails)]

    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    async def test_first_come_first_served(self, mode: str) -> None:
        """Over one connection messages arrive in the order of their sends."""
        async with (
            sink() as server,
            sending(server.port, pipelining=mode, connections=1) as smtp,
        ):
            await several(smtp, 40)
        assert list(server.tokens) == [f"token-{n}-" for n in range(40)]


class TestRecipients:
    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    async def test_all_or_none(self, mode: str) -> None:
        """Where one of two is refused the server is not even asked to take the message."""

        def plan(step: str, argument: str) -> str | None:
            return "550 5.1.1 unknown" if step == "RCPT" and "ben@" in argument else None

        async with (
            sink(plan) as server,
            sending(server.port, pipelining=mode, connections=1) as smtp,
        ):
            both = smtp.send(sample_email(to=(ADA, BEN)), "key-both")
            outcome, _ = await asyncio.gather(both, several(smtp), return_exceptions=True)
            assert isinstance(outcome, Gone)
            assert "ben@example.org" in str(outcome)
        assert {m[1] for m in server.messages} == {("ada@example.org",)}
        assert (len(server.messages), server.connections) == (6, 1)

    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    async def test_refused_recipient_between_others(self, mode: str) -> None:
        """One that is refused leaves those behind it as they are."""

        def plan(step: str, argument: str) -> str | None:
            return "550 5.1.1 unknown" if step == "RCPT" and "ben@" in argument else None

        async with (
            sink(plan) as server,
            sending(server.port, pipelining=mode, connections=1) as smtp,
        ):
            people = [ADA, BEN, ADA, BEN, BEN, ADA]
            outcomes = await asyncio.gather(
                *(smtp.send(sample_email(to=(who,)), f"key-{n}") for n, who in enumerate(people)),
                return_exceptions=True,
            )
        assert [isinstance(o, Gone) for o in outcomes] == [who is BEN for who in people]
        assert [m[1] for m in server.messages] == [(ADA.email,)] * 3
        assert server.connections == 1

    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", ["envelope", "cross"])
    async def test_data_granted_without_a_recipient(self, mode: str) -> None:
        """A server that says 354 although it refused the recipient gets no message (RFC 2920)."""

        def plan(step: str, argument: str) -> str | Fault | None:
            if step == "RCPT" and "ben@" in argument:
                return "550 5.1.1 unknown"
            return Fault.GRANT if step == "DATA" else None

        async with (
            sink(plan) as server,
            sending(server.port, pipelining=mode, connections=1) as smtp,
        ):
            with pytest.raises(Gone):
                await smtp.send(sample_email(to=(BEN,)), "key-1")
            await smtp.send(sample_email(), "key-2")
        assert [m[1] for m in server.messages] == [(ADA.email,)]
        assert server.connections == 1

    @pytest.mark.anyio
    async def test_data_granted_without_a_sender(self) -> None:
        """A server that refuses the sender and says 354 all the same gets nothing, nor a dot."""

        def plan(step: str, _argument: str) -> str | Fault | None:
            answers: dict[str, str | Fault] = {
                "MAIL": "553 5.1.7 no",
                "RCPT": "250 ok",
                "DATA": Fault.GRANT,
            }
            return answers.get(step)

        async with sink(plan) as server, sending(server.port) as smtp:
            with pytest.raises(Refused):
                await smtp.send(sample_email(), "key-1")
        assert not server.messages
        assert "." not in server.commands

    @pytest.mark.anyio
    async def test_chunks_taken_without_a_recipient(self) -> None:
        """A server that takes the data although it refused the recipient is not believed."""

        def plan(step: str, _argument: str) -> str | None:
            return {"RCPT": "550 5.1.1 unknown", ".": "250 2.0.0 ok"}.get(step)

        async with sink(plan) as server, sending(server.port, pipelining="bdat") as smtp:
            with pytest.raises(Uncertain, match="yet the server took"):
                await smtp.send(sample_email(), "key-1")


class TestLies:
    """Servers that offer PIPELINING and cannot bear it."""

    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", ["envelope", "cross"])
    @pytest.mark.parametrize("steps", ["MAIL", "RCPT", "MAIL RCPT DATA"])
    @pytest.mark.parametrize("fault", [Fault.DISCARD, Fault.STRICT, Fault.PATIENT])
    async def test_within_the_envelope(self, mode: str, steps: str, fault: Fault) -> None:
        """Input thrown away, 554 or 503: all is sent once, step by step in the end."""
        async with (
            sink(at(steps, fault)) as server,
            sending(server.port, pipelining=mode, connections=1, timeout=patience(fault)) as smtp,
        ):
            await several(smtp)
            server.reads.clear()
            await several(smtp)
        assert not together(server, b"MAIL FROM", b"RCPT TO")
        assert set(server.tokens.values()) == {2}

    @pytest.mark.anyio
    @pytest.mark.parametrize("fault", [Fault.DISCARD, Fault.STRICT, Fault.PATIENT])
    async def test_after_a_message(self, fault: Fault) -> None:
        """A server that only dislikes commands behind a message gets envelopes."""
        async with (
            sink(at(".", fault)) as server,
            sending(
                server.port, pipelining="cross", connections=1, timeout=patience(fault)
            ) as smtp,
        ):
            await several(smtp)
            server.reads.clear()
            await several(smtp)
        assert together(server, b"MAIL FROM", b"RCPT TO", b"DATA")
        assert not together(server, b".\r\nMAIL FROM")
        assert set(server.tokens.values()) == {2}

    @pytest.mark.anyio
    @pytest.mark.parametrize("steps", ["MAIL", "RCPT", "MAIL RCPT"])
    @pytest.mark.parametrize("fault", [Fault.STRICT, Fault.PATIENT])
    async def test_behind_chunks(self, steps: str, fault: Fault) -> None:
        """One message by BDAT that came too early is sent again another way, and those after it."""
        async with sink(at(steps, fault)) as server, sending(server.port, pipelining="bdat") as s:
            await several(s, 1)
            await several(s)
        assert sum(b"BDAT" in read for read in server.reads) == 1
        assert server.tokens.total() == 7

    @pytest.mark.anyio
    async def test_refusals_are_no_lies(self) -> None:
        """503 to DATA after a refused recipient is what RFC 5321 wants, and changes no mode."""
        answers = iter(["550 5.1.1 unknown"])

        def plan(step: str, _argument: str) -> str | None:
            return next(answers, None) if step == "RCPT" else None

        async with sink(plan) as server, sending(server.port) as smtp:
            with pytest.raises(Gone):
                await smtp.send(sample_email(), "key-1")
            server.reads.clear()
            await smtp.send(sample_email(), "key-2")
        assert together(server, b"MAIL FROM", b"DATA")
