"""Real SMTP servers for tests, on a free port of 127.0.0.1 unless told otherwise.

`relay` is aiosmtpd with TLS and AUTH: it keeps what it accepts. `Scripted` answers as told, and
closes or falls silent where told, to show what a client makes of faults.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


@dataclass(frozen=True, slots=True)
class Mail:
    """What the relay accepted: the envelope and the exact bytes, dots unstuffed."""

    sender: str
    recipients: list[str]
    data: bytes
    mail_options: list[str]
    over_tls: bool
    login: str


@dataclass(frozen=True, slots=True)
class Authority:
    """A private certificate authority. `stranger` serves a certificate for another host."""

    server: ssl.SSLContext
    stranger: ssl.SSLContext
    ca_file: Path


@contextmanager
def authority() -> Iterator[Authority]:
    """Certificates for our hosts and for other.example, by one new authority."""
    ca = trustme.CA()
    server = _certified(ca, "127.0.0.1", "localhost", "mx1.example.org", "mx2.example.org")
    stranger = _certified(ca, "other.example")
    with TemporaryDirectory() as folder:
        ca_file = Path(folder, "ca.pem")
        ca.cert_pem.write_to_path(ca_file)
        yield Authority(server, stranger, ca_file)


def _certified(ca: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*names).configure_cert(context)
    return context


@dataclass(slots=True)
class Relay:
    """A running aiosmtpd. connections: how many were ever opened."""

    port: int = 0
    mails: list[Mail] = field(default_factory=list)
    connections: int = 0
    mechanisms: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep the message; the answer is Postfix's."""
        self.mails.append(
            Mail(
                sender=envelope.mail_from,
                recipients=envelope.rcpt_tos,
                data=envelope.original_content,
                mail_options=envelope.mail_options,
                over_tls=server.transport.get_extra_info("cipher") is not None,
                login=(session.auth_data or LoginPassword(b"", b"")).login.decode(),
            )
        )
        return f"250 2.0.0 Ok: queued as QUEUE{len(self.mails)}"


@asynccontextmanager
async def relay(
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    login: tuple[str, str] | None = None,
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN"),
    size_limit: int = 2**25,
    utf8: bool = True,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[Relay]:
    """Run aiosmtpd with STARTTLS, or TLS from the first byte, or neither."""
    state = Relay()

    def authenticate(_1: Any, _2: Any, _3: Any, mechanism: str, given: LoginPassword) -> AuthResult:
        state.mechanisms.append(mechanism)
        right = login is not None and given == tuple(text.encode() for text in login)
        return AuthResult(success=right, handled=False, auth_data=given)

    def protocol() -> SMTP:
        state.connections += 1
        return SMTP(
            state,
            data_size_limit=size_limit,
            enable_SMTPUTF8=utf8,
            hostname="relay.example",
            tls_context=starttls,
            auth_require_tls=starttls is not None,
            authenticator=authenticate if login else None,
            auth_exclude_mechanism=[m for m in ("PLAIN", "LOGIN") if m not in mechanisms],
            loop=asyncio.get_running_loop(),
        )

    server = await asyncio.get_running_loop().create_server(protocol, host, port, ssl=tls)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()


class Fault(Enum):
    """What a scripted server does instead of answering."""

    DROP = "closes the connection"
    HANG = "never answers"


Action = str | Fault | Sequence[str | Fault]
Script = Mapping[str, Action]

ANSWERS: Mapping[str, str] = {
    "connect": "220 scripted.example ESMTP",
    "EHLO": "250-scripted.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-AUTH PLAIN LOGIN XOAUTH2"
    "\r\n250 ENHANCEDSTATUSCODES",
    "AUTH": "235 2.7.0 ok",
    "MAIL": "250 2.1.0 ok",
    "RCPT": "250 2.1.5 ok",
    "DATA": "354 go ahead",
    ".": "250 2.0.0 Ok: queued as SCRIPTED",
    "RSET": "250 2.0.0 ok",
    "QUIT": "221 2.0.0 bye",
}


class Scripted:
    """Answers each step as its script says. One script per connection, the last for the rest.

    Steps are the verbs, "connect", "body" (after the first 64 KiB of a message), "." (its end)
    and "idle" (after a message was accepted). A list gives one answer after another, then the
    usual one. `commands` holds what was said, a list per connection; `mails` the messages that
    were accepted, as on the wire.
    """

    def __init__(self, *scripts: Script, host: str = "127.0.0.1", port: int = 0) -> None:
        self._scripts = scripts or ({},)
        self._tasks: set[asyncio.Task[None]] = set()
        self.commands: list[list[str]] = []
        self.mails: list[bytes] = []
        self.hanging = asyncio.Event()
        self._host, self.port = host, port

    async def __aenter__(self) -> Scripted:
        self._server = await asyncio.start_server(self._accept, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def said(self) -> list[str]:
        """All commands of all connections."""
        return [command for commands in self.commands for command in commands]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        script = self._scripts[min(len(self.commands), len(self._scripts) - 1)]
        answers = {step: _Answers(step, action) for step, action in {**ANSWERS, **script}.items()}
        self.commands.append([])
        conversation = _Conversation(self, answers, self.commands[-1], reader, writer)
        task = asyncio.create_task(conversation.run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Answers:
    """What one connection is told at one step, time after time."""

    def __init__(self, step: str, action: Action) -> None:
        self._then: str | Fault
        self._first: Iterator[str | Fault] = iter(())
        if isinstance(action, str | Fault):
            self._then = action
        else:
            self._first, self._then = iter(action), ANSWERS[step]

    def next(self) -> str | Fault:
        return next(self._first, self._then)


class _OverError(Exception):
    """The connection was closed, by either side."""


@dataclass(slots=True)
class _Conversation:
    server: Scripted
    answers: dict[str, _Answers]
    commands: list[str]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def run(self) -> None:
        try:
            await self._answer("connect")
            while True:
                await self._command((await self.reader.readuntil()).decode("latin-1").rstrip())
        except (_OverError, ConnectionError, EOFError):
            pass
        finally:
            self.writer.transport.abort()
            with contextlib.suppress(ConnectionError):
                await self.writer.wait_closed()

    async def _command(self, command: str) -> None:
        self.commands.append(command)
        verb = command.split(" ")[0]
        answer = await self._answer(verb)
        if verb == "DATA" and answer.startswith("354"):
            await self._message()
        if verb == "QUIT":
            raise _OverError

    async def _message(self) -> None:
        message = b""
        while not message.endswith(b"\r\n.\r\n"):
            message += await self._more()
            if "body" in self.answers and len(message) > 65_536:
                await self._answer("body")
                while await self._more():  # so that no reset overtakes the answer
                    pass
        if (await self._answer(".")).startswith("2"):
            self.server.mails.append(message)
            if "idle" in self.answers:
                await self._answer("idle")

    async def _more(self) -> bytes:
        data = await self.reader.read(65_536)
        if not data:
            raise _OverError
        return data

    async def _answer(self, step: str) -> str:
        action = self.answers[step].next() if step in self.answers else "500 5.5.1 what?"
        if action is Fault.DROP:
            raise _OverError
        if action is Fault.HANG:
            self.server.hanging.set()
            await asyncio.Event().wait()  # until the server is closed; reads nothing meanwhile
            raise _OverError
        self.writer.write(action.encode() + b"\r\n")
        await self.writer.drain()
        if action.startswith("421"):
            raise _OverError
        return action
