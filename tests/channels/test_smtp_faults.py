"""Whatever a server does, each message ends as what became of it: once, or not at all."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from smtp_sending import ADA, BEN, sending
from smtp_server import Authority, authority
from smtp_sink import Fault, Plan, Taken, sink

from vero_channels.email.smtp import Smtp
from vero_channels.transport.smtp_pipelining import MODES
from vero_deliver.channel import Receipt
from vero_deliver.errors import DeliveryError, Uncertain
from vero_deliver.rendered import Address, RenderedEmail
from vero_deliver.testing import sample_email

MESSAGES = 120
ANSWERS: dict[str, tuple[str | Fault, ...]] = {
    "connect": ("421 4.3.2 busy", Fault.DROP, Fault.LATE, Fault.SPLIT),
    "EHLO": ("421 4.3.2 closing", Fault.DROP, Fault.SPLIT),
    "MAIL": ("421 4.3.2 closing", "451 4.3.0 later", Fault.DROP, Fault.LATE, Fault.SPLIT),
    "RCPT": ("421 4.3.2 closing", "550 5.1.1 unknown", "450 4.2.0 grey", Fault.DROP, Fault.SPLIT),
    "DATA": ("421 4.3.2 closing", "451 4.3.0 later", Fault.DROP, Fault.LATE),
    "body": (Fault.DROP,),
    ".": (
        "421 4.3.2 closing", "552 5.3.4 too big", "451 4.3.0 later",
        Fault.DROP, Fault.DROP_TAKEN, Fault.LATE, Fault.SPLIT,
    ),
    "RSET": (Fault.LATE, Fault.DROP, "421 4.3.2 closing"),
}  # fmt: skip


@pytest.fixture(scope="module")
def ca() -> Iterator[Authority]:
    with authority() as made:
        yield made


def chance(seed: int, share: float) -> Plan:
    """A fault at that share of all steps."""
    dice = random.Random(seed)

    def plan(step: str, _argument: str) -> str | Fault | None:
        return dice.choice(ANSWERS[step]) if step in ANSWERS and dice.random() < share else None

    return plan


def numbered(number: int) -> RenderedEmail:
    """An email whose text holds its token; every seventh has two recipients."""
    people = (ADA, BEN) if number % 7 == 0 else (Address(f"user{number}@example.org"),)
    body = "a line of it\n" * (number % 400)
    return sample_email(to=people, text=f"token-{number}-\n{body}", html="")


Outcome = Receipt | DeliveryError


async def send_all(smtp: Smtp, count: int = MESSAGES) -> list[Outcome]:
    sends = (smtp.send(numbered(n), f"key-{n}") for n in range(count))
    outcomes = await asyncio.gather(*sends, return_exceptions=True)
    for outcome in outcomes:
        assert isinstance(outcome, Receipt | DeliveryError), outcome
    return [o for o in outcomes if isinstance(o, Receipt | DeliveryError)]


def check(taken: Taken, outcomes: list[Outcome]) -> Counter[str]:
    """Each message is in the sink as often as its outcome says; how many ended which way."""
    tokens = taken.tokens
    for number, outcome in enumerate(outcomes):
        times = tokens[f"token-{number}-"]
        if isinstance(outcome, Receipt):
            assert times == 1, f"accepted, but {times} times: {number}"
        elif isinstance(outcome, Uncertain):
            assert times <= 1, f"uncertain, but {times} times: {number}"
        else:
            assert times == 0, f"{outcome}, but it is there: {number}"
    for _, recipients, body in taken.messages:
        number = int(body.partition(b"token-")[2].partition(b"-")[0])
        assert list(recipients) == [a.email for a in numbered(number).to], "not all recipients"
    return Counter(type(outcome).__name__ for outcome in outcomes)


class TestProperty:
    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    @pytest.mark.parametrize("seed", range(6))
    async def test_none_is_lost_and_none_is_doubled(self, mode: str, seed: int) -> None:
        """With faults at one step in twenty-five every outcome is the truth, in every mode."""
        async with sink(chance(seed, 0.04)) as server:
            options: dict[str, Any] = {"connections": 1 + seed % 4, "messages_per_connection": 25}
            async with sending(server.port, pipelining=mode, **options) as smtp:
                outcomes = await send_all(smtp)
            ended = check(server, outcomes)
        assert ended["Receipt"] > MESSAGES / 2
        assert server.most <= options["connections"]

    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    async def test_over_tls(self, mode: str, ca: Authority) -> None:
        """The same within TLS."""
        async with sink(chance(7, 0.04), tls=ca.server) as server:
            options: dict[str, Any] = {"security": "tls", "ca_file": ca.ca_file}
            async with sending(server.port, pipelining=mode, **options) as smtp:
                outcomes = await send_all(smtp)
            check(server, outcomes)

    @pytest.mark.anyio
    @pytest.mark.parametrize("mode", MODES)
    async def test_senders_that_give_up(self, mode: str) -> None:
        """Cancelled sends harm no other: each other one ends as what became of it."""
        dice = random.Random(1)
        async with (
            sink(chance(11, 0.03)) as server,
            sending(server.port, pipelining=mode, connections=2) as smtp,
        ):
            tasks = [
                asyncio.create_task(smtp.send(numbered(n), f"key-{n}")) for n in range(MESSAGES)
            ]
            while not all(task.done() for task in tasks):
                dice.choice(tasks[: MESSAGES // 3]).cancel()
                await asyncio.sleep(0.0005)
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            tokens = server.tokens
        assert any(isinstance(outcome, asyncio.CancelledError) for outcome in outcomes)
        for number, outcome in enumerate(outcomes):
            times = tokens[f"token-{number}-"]
            if isinstance(outcome, Receipt):
                assert times == 1
            elif isinstance(outcome, Uncertain | asyncio.CancelledError):
                assert times <= 1
            else:
                assert isinstance(outcome, DeliveryError)
                assert times == 0
