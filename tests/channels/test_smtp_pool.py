"""Connections: how many, how long, and what happens when one is lost."""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from smtp_sending import sending
from smtp_server import Authority, authority, relay
from smtp_sink import Fault, sink

from vero_channels.email.smtp import Smtp
from vero_channels.transport.smtp_pipelining import MODES
from vero_deliver.errors import ConfigError, Deferred, DeliveryError, Misconfigured, Uncertain
from vero_deliver.testing import sample_email


def send(smtp: Smtp, number: int) -> asyncio.Task[object]:
    email = sample_email(text=f"token-{number}-", html="")
    return asyncio.create_task(smtp.send(email, f"key-{number}"))


async def until(happened: Callable[[], bool]) -> None:
    """Wait for it, at most five seconds."""
    async with asyncio.timeout(5):
        while not happened():  # noqa: ASYNC110  # the sink has no events
            await asyncio.sleep(0.005)


@pytest.fixture(scope="module")
def ca() -> Iterator[Authority]:
    with authority() as made:
        yield made


async def outcomes(smtp: Smtp, count: int) -> list[object]:
    return await asyncio.gather(*(send(smtp, n) for n in range(count)), return_exceptions=True)


class TestConnections:
    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    async def test_as_many_as_allowed(self, mode: str) -> None:
        """Sends at the same time share at most `connections`."""
        async with (
            sink(lambda step, _: Fault.LATE if step == "." else None) as server,
            sending(server.port, pipelining=mode, connections=3) as smtp,
        ):
            await outcomes(smtp, 60)
        assert (server.most, server.connections) == (3, 3)
        assert server.tokens.total() == 60

    @pytest.mark.anyio
    async def test_one_after_another_needs_one(self) -> None:
        """Sends that wait for one another use one connection, however many are allowed."""
        async with sink() as server, sending(server.port) as smtp:
            for number in range(10):
                await send(smtp, number)
        assert server.connections == 1

    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    async def test_messages_per_connection(self, mode: str) -> None:
        """After so many messages a connection ends with QUIT and another is opened."""
        async with (
            sink() as server,
            sending(server.port, pipelining=mode, connections=1, messages_per_connection=4) as smtp,
        ):
            await outcomes(smtp, 10)
        assert (server.connections, server.commands.count("QUIT")) == (3, 3)
        assert server.tokens.total() == 10

    @pytest.mark.anyio
    async def test_idle_ones_are_closed(self) -> None:
        """After `idle` seconds without work a connection says QUIT; the next send opens another."""
        async with sink() as server, sending(server.port, idle=0.05) as smtp:
            await send(smtp, 1)
            await until(lambda: not server.open)
            assert server.commands[-1] == "QUIT"
            await send(smtp, 2)
        assert server.connections == 2

    @pytest.mark.anyio
    async def test_server_that_allows_fewer(self) -> None:
        """Where the server refuses another connection, those that it took do the work."""
        connections = iter(range(1000))

        def plan(step: str, _argument: str) -> str | Fault | None:
            if step == "connect":
                return "421 4.7.0 too many connections" if next(connections) >= 2 else None
            return Fault.LATE if step == "." else None

        async with sink(plan) as server, sending(server.port, connections=8) as smtp:
            found = await outcomes(smtp, 60)
        assert not [o for o in found if isinstance(o, DeliveryError)]
        assert server.connections <= 8, "it was asked again and again"

    @pytest.mark.anyio
    async def test_nobody_listens(self) -> None:
        """With no server at all every send is told so, at once."""
        async with sink() as server:
            port = server.port
        started = time.monotonic()
        async with sending(port, connections=2) as smtp:
            found = await outcomes(smtp, 200)
        assert {type(outcome) for outcome in found} == {Deferred}
        assert len({id(outcome) for outcome in found}) == 200
        assert time.monotonic() - started < 5

    @pytest.mark.anyio
    async def test_wrong_login(self) -> None:
        """With the wrong password every send is told so."""
        async with (
            relay(login=("ada", "right")) as server,
            sending(server.port, username="ada", password="wrong") as smtp,
        ):
            found = await outcomes(smtp, 20)
        assert {type(outcome) for outcome in found} == {Misconfigured}
        assert len(server.mechanisms) <= 5

    @pytest.mark.anyio
    async def test_session_that_fails_by_surprise(self) -> None:
        """An error that is no DeliveryError is told as well, to everybody who waits."""
        async with (
            relay(login=("ada", "right")) as server,
            sending(server.port, username="a\udc80", password="right") as smtp,
        ):
            async with asyncio.timeout(5):
                found = await outcomes(smtp, 3)
        assert [type(outcome) for outcome in found] == [UnicodeEncodeError] * 3

    @pytest.mark.anyio
    async def test_injected_answer_to_starttls(self, ca: Authority) -> None:
        """What stands in clear behind the answer to STARTTLS is not taken for one within TLS."""

        def plan(step: str, _argument: str) -> str | None:
            return "220 go\r\n250-evil.example\r\n250 CHUNKING" if step == "STARTTLS" else None

        async with (
            sink(plan, offer="x,SIZE 0,STARTTLS", starttls=ca.server) as server,
            sending(server.port, security="starttls", ca_file=ca.ca_file) as smtp,
        ):
            await send(smtp, 1)
        assert server.tokens.total() == 1
        assert any(" SIZE=" in command for command in server.commands)

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("pipelining", "on"),
            ("connections", 0),
            ("messages_per_connection", 0),
            ("window", 0),
            ("window", 1.5),
            ("idle", -1),
            ("dsn", ["sometimes"]),
            ("dsn", ["never", "delay"]),
            ("dsn", "delay"),
            ("require_tls", True),
        ],
    )
    def test_wrong_options(self, option: str, value: Any) -> None:
        """An option that cannot work is told at construction."""
        with pytest.raises(ConfigError, match=f"channel 'smtp': {option}"):
            Smtp("127.0.0.1", security="none", **{option: value})


class TestLost:
    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", ["off", "envelope", "cross"])
    async def test_only_the_unanswered_one_is_uncertain(self, mode: str) -> None:
        """Of many on one connection, the one whose answer is missing; the others go on."""
        answers = iter([None, None, Fault.DROP_TAKEN])

        def plan(step: str, _argument: str) -> Fault | None:
            return next(answers, None) if step == "." else None

        async with (
            sink(plan) as server,
            sending(server.port, pipelining=mode, connections=1) as smtp,
        ):
            found = await outcomes(smtp, 10)
        assert [isinstance(outcome, Uncertain) for outcome in found] == [n == 2 for n in range(10)]
        assert set(server.tokens.values()) == {1}

    @pytest.mark.anyio
    async def test_window_is_uncertain(self) -> None:
        """With BDAT those that were written are, up to `window`; the others go on."""
        answers = iter([None, None, Fault.DROP_TAKEN])

        def plan(step: str, _argument: str) -> Fault | None:
            return next(answers, None) if step == "." else None

        async with (
            sink(plan) as server,
            sending(server.port, pipelining="bdat", window=3, connections=1) as smtp,
        ):
            found = await outcomes(smtp, 10)
        uncertain = [n for n, outcome in enumerate(found) if isinstance(outcome, Uncertain)]
        assert uncertain[0] == 2
        assert len(uncertain) <= 3
        assert server.tokens.total() == 10 - len(uncertain) + 1

    @pytest.mark.anyio
    async def test_window_that_the_server_closes(self) -> None:
        """421 says that nothing behind it was taken: all of the window goes on."""
        answers = iter([None, "421 4.3.2 closing"])

        def plan(step: str, _argument: str) -> str | None:
            return next(answers, None) if step == "RSET" else None

        async with (
            sink(plan) as server,
            sending(server.port, pipelining="bdat", connections=1) as smtp,
        ):
            found = await outcomes(smtp, 10)
        assert not [outcome for outcome in found if isinstance(outcome, Exception)]
        assert set(server.tokens.values()) == {1}
        assert server.connections == 2

    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    async def test_senseless_answer_to_a_message(self, mode: str) -> None:
        """One that is neither yes nor no leaves it open, in every mode."""
        async with (
            sink(lambda step, _: "354 more" if step == "." else None) as server,
            sending(server.port, pipelining=mode) as smtp,
        ):
            [outcome] = await outcomes(smtp, 1)
        assert isinstance(outcome, Uncertain)
        assert outcome.code == "354"

    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    async def test_connection_that_dies_under_every_message(self, mode: str) -> None:
        """A message is not carried from one dying connection to the next for ever."""
        async with (
            sink(lambda step, _: Fault.DROP if step == "RCPT" else None) as server,
            sending(server.port, pipelining=mode, connections=1) as smtp,
        ):
            found = await outcomes(smtp, 5)
        assert {type(outcome) for outcome in found} <= {Deferred, Uncertain}
        assert server.connections <= 15

    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    async def test_cancelled_one_frees_its_connection(self, mode: str) -> None:
        """Giving up on the only message of a silent connection lets the next one go at once."""
        answers = iter([Fault.SILENT])

        def plan(step: str, _argument: str) -> Fault | None:
            return next(answers, None) if step == "." else None

        async with (
            sink(plan) as server,
            sending(server.port, pipelining=mode, connections=1) as smtp,
        ):
            first = send(smtp, 1)
            await until(lambda: server.commands[-1:] == ["."])
            first.cancel()
            async with asyncio.timeout(2):
                await send(smtp, 2)
        assert server.tokens == {"token-2-": 1}

    def test_loops_that_end_without_aclose(self) -> None:
        """A channel whose loop ended in the middle of sends works in the next one."""
        smtp: list[Smtp] = []

        async def leave(port: int) -> None:
            send(smtp[0], 1)
            await asyncio.sleep(0.02)

        async def once() -> int:
            async with sink(lambda step, _: Fault.SILENT if step == "DATA" else None) as server:
                smtp.append(Smtp("127.0.0.1", server.port, security="none"))
                await leave(server.port)
                return server.port

        async def again(port: int) -> int:
            async with sink(port=port) as server:
                await send(smtp[0], 2)
                await smtp[0].aclose()
                return server.tokens.total()

        assert asyncio.run(again(asyncio.run(once()))) == 1

    @pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore:coroutine")
    def test_loop_that_is_closed_over_a_send(self) -> None:
        """What a closed loop left unsent is not sent by the next one."""
        smtp: list[Smtp] = []

        async def leave() -> int:
            async with sink(lambda step, _: Fault.SILENT if step == "MAIL" else None) as server:
                smtp.append(Smtp("127.0.0.1", server.port, security="none", connections=1))
                send(smtp[0], 1)
                send(smtp[0], 2)
                await asyncio.sleep(0.05)
                return server.port

        async def again(port: int) -> Counter[str]:
            gc.collect()
            async with sink(port=port) as server:
                await send(smtp[0], 3)
                await smtp[0].aclose()
                return server.tokens

        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)  # it tells of tasks that were left
        port = loop.run_until_complete(leave())
        loop.close()
        assert asyncio.run(again(port)) == {"token-3-": 1}
        del loop
        gc.collect()  # the sockets that it left open, while nobody minds
