"""Who sends: Vero Deliver in its modes, aiosmtplib, nodemailer. All send the same bytes."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any, Protocol

import aiosmtplib

from benchmarks import node
from benchmarks.dkim import AT, letter
from vero_channels.email.smtp import Smtp
from vero_deliver.rendered import Address, RenderedEmail

MESSAGE = letter()
SENDER, RECIPIENT = "shop@example.com", "ada@example.com"
MODES = ("envelope", "cross", "bdat")
AT_ONCE = 16  # sends that wait for an answer, for each connection


@dataclass(frozen=True)
class Speed:
    """One round: messages a second, CPU microseconds of the client for each."""

    per_s: float
    cpu_us: float


class Client(Protocol):
    """Sends so many messages, over connections that are kept from call to call."""

    async def __call__(self, messages: int) -> Speed: ...


def prepared(numbers: Iterator[int]) -> Iterator[tuple[RenderedEmail, str]]:
    """Emails, each with its key, whose MIME has been built already: the message."""
    for number in numbers:
        email = RenderedEmail(
            from_=Address(SENDER), to=(Address(RECIPIENT),), subject="", text="-", at=AT
        )
        key = f"benchmark-{number}"
        email._mime[(key,)] = MESSAGE  # noqa: SLF001  # this is about SMTP, not about MIME
        yield email, key


async def timed(messages: int, work: Awaitable[object]) -> Speed:
    """How fast that was."""
    cpu, wall = time.process_time(), time.perf_counter()
    await work
    seconds, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Speed(messages / seconds, cpu * 1_000_000 / messages)


async def in_parallel(
    tasks: int, items: Iterator[Any], send: Callable[[int, Any], Awaitable[object]]
) -> None:
    """Send every item; so many tasks take them in turn."""

    async def run(task: int) -> None:
        for item in items:
            await send(task, item)

    await asyncio.gather(*map(run, range(tasks)))


@asynccontextmanager
async def vero(mode: Any, port: int, connections: int) -> AsyncIterator[Client]:
    """Our channel."""
    channel = Smtp(
        "127.0.0.1",
        port,
        security="none",
        pipelining=mode,
        connections=connections,
        messages_per_connection=1_000_000_000,
        idle=3600,
    )
    numbers = count()

    async def send(_: int, item: tuple[RenderedEmail, str]) -> None:
        await channel.send(*item)

    async def client(messages: int) -> Speed:
        ready = [next(emails) for _ in range(messages)]
        return await timed(messages, in_parallel(AT_ONCE * connections, iter(ready), send))

    emails = prepared(numbers)
    try:
        yield client
    finally:
        await channel.aclose()


@asynccontextmanager
async def by_aiosmtplib(port: int, connections: int) -> AsyncIterator[Client]:
    """aiosmtplib, which has no pool: a client for each connection."""
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(
                aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
            )
            for _ in range(connections)
        ]

        async def send(task: int, _: object) -> None:
            await clients[task].sendmail(SENDER, [RECIPIENT], MESSAGE)

        async def client(messages: int) -> Speed:
            return await timed(messages, in_parallel(connections, iter(range(messages)), send))

        yield client


def by_nodemailer(process: node.Process, port: int, connections: int) -> Client:
    """nodemailer's pool, in the process of node."""

    async def client(messages: int) -> Speed:
        ask = partial(process.ask, port=port, connections=connections, count=messages)
        return Speed(**await asyncio.to_thread(ask))

    return client


def told(process: node.Process) -> node.Process:
    """The process, once it has the message."""
    message = base64.b64encode(MESSAGE).decode()
    process.tell(message=message, sender=SENDER, recipient=RECIPIENT)
    return process
