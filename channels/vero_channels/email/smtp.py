"""SMTP: email through a relay, over one connection that is kept (RFC 5321).

A Receipt means that the server accepted the message for every recipient: where one is refused
the transaction is given up before the message is sent, since an email that reached half of its
recipients can be neither repeated nor called sent. One RenderedEmail per person avoids that.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vero_channels.transport.smtp_dialogue import Reply, SessionError
from vero_channels.transport.smtp_replies import Step, queue_id, refusal
from vero_channels.transport.smtp_server import Auth, Security, Server, Token
from vero_channels.transport.smtp_session import Session, open_session
from vero_deliver import mime
from vero_deliver.channel import Receipt
from vero_deliver.errors import (
    Deferred,
    DeliveryError,
    MessageError,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import RenderedEmail
from vero_deliver.secret import Secret

_MAILBOX = re.compile(
    r'("(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"|[^\s<>"\x00-\x1f\x7f]+)@[^\s<>@"\x00-\x1f\x7f]+'
)
_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870
_QUIT = 5.0  # seconds for the answer to QUIT


class Smtp:
    """Sends email through one SMTP server.

    port: 587, or 465 with security="tls".
    security: "starttls" (required, never optional), "tls" from the first byte, or "none".
    auth: "auto" takes PLAIN, else LOGIN; with a token XOAUTH2.
    token: called for each new session, returns an OAuth 2 access token or an awaitable of one.
    timeout: seconds to connect and per command; data_timeout: for the answer to the message.
    domains: by the From address, whose keys sign and where bounces go.
    """

    def __init__(
        self,
        host: str,
        port: int | None = None,
        *,
        name: str = "smtp",
        username: str = "",
        password: str | Secret = "",
        security: Security | None = None,
        auth: Auth = "auto",
        token: Token | None = None,
        ca_file: str | Path | None = None,
        verify: bool = True,
        source_address: str | None = None,
        local_hostname: str | None = None,
        timeout: float = 60.0,
        data_timeout: float = 300.0,
        domains: Iterable[mime.Domain] = (),
    ) -> None:
        self._name = name
        self._domains = mime.Domains(domains)
        self._server = Server(
            channel=name,
            host=host,
            port=(465 if security == "tls" else 587) if port is None else port,
            security=security or ("tls" if port == 465 else "starttls"),
            username=username,
            password=password,
            auth=auth,
            token=token,
            ca_file=ca_file,
            verify=verify,
            source_address=source_address,
            local_hostname=local_hostname,
            timeout=timeout,
            data_timeout=data_timeout,
        )
        self._kept: Session | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    def __repr__(self) -> str:
        at = self._server
        return f"Smtp({at.host!r}, {at.port}, name={self._name!r}, security={at.security!r})"

    @property
    def name(self) -> str:
        """The configured name."""
        return self._name

    @property
    def idempotent(self) -> bool:
        """False: a server that is told twice delivers twice."""
        return False

    async def send(self, rendered: RenderedEmail, key: str) -> Receipt:
        """Hand over to the server, for all recipients or none.

        Deferred: it was not accepted. Uncertain: the connection broke, or `data_timeout` passed,
        after the end of the message had been handed to the network.
        """
        letter, message_id = self._letter(rendered, key)
        async with self._turn():
            reply = await self._hand_over(letter)
        return Receipt(self._name, queue_id(reply) or message_id, datetime.now(UTC))

    async def aclose(self) -> None:
        """Say QUIT on the kept connection, if any. A later send opens a new one."""
        async with self._turn():
            kept, self._kept = self._kept, None
            if kept is not None:
                with contextlib.suppress(SessionError):
                    await kept.dialogue.command(b"QUIT", min(_QUIT, self._server.timeout))
                await kept.dialogue.close()

    def _turn(self) -> asyncio.Lock:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            # asyncio.run() made a new loop: the connection died with the old one.
            self._loop, self._lock, self._kept = loop, asyncio.Lock(), None
        return self._lock

    def _letter(self, rendered: RenderedEmail, key: str) -> tuple[_Letter, str]:
        try:
            letter = _Letter(
                sender=_path(self._domains.return_path(rendered, key)),
                recipients=tuple(_path(email) for email in rendered.recipients),
                data=self._domains.signed(rendered, key),
                utf8=mime.needs_smtputf8(rendered),
            )
            message_id = mime.message_id(rendered, key)
        except (MessageError, ValueError) as error:
            raise Refused(f"this email cannot be sent: {error}", channel=self._name) from None
        if not letter.recipients:
            raise Refused("this email has no recipient", channel=self._name)
        return letter, message_id

    async def _hand_over(self, letter: _Letter) -> Reply:
        kept, self._kept = self._kept, None
        if kept is not None and not kept.dialogue.lost:
            # A server may have dropped it while idle. It shows at MAIL FROM, before anything
            # was sent, so a new connection is safe.
            with contextlib.suppress(_StaleError):
                return await self._transact(kept, letter)
        try:
            return await self._transact(await open_session(self._server), letter)
        except _StaleError as stale:
            raise stale.error from None

    async def _transact(self, session: Session, letter: _Letter) -> Reply:
        try:
            options = self._options(session, letter)
            session.clean = False
            await self._mail(session, letter, options)
            for recipient in letter.recipients:
                await self._ask(session, b"RCPT TO:" + recipient, "RCPT TO", recipient)
            return await self._data(session, letter.data)
        except SessionError as broken:
            raise self._broken(Deferred, broken) from None
        finally:
            if session.clean and not session.dialogue.lost:
                self._kept = session
            else:
                session.dialogue.abort()

    async def _mail(self, session: Session, letter: _Letter, options: bytes) -> None:
        command = b"MAIL FROM:" + letter.sender + options
        try:
            await self._ask(session, command, "MAIL FROM", letter.sender)
        except SessionError as broken:
            raise _StaleError(self._broken(Deferred, broken)) from None
        except Deferred as error:
            if error.code.startswith("421"):
                raise _StaleError(error) from None
            raise

    async def _ask(
        self, session: Session, command: bytes, step: Step, path: bytes = b"", expected: int = 2
    ) -> None:
        """Say a command; any reply but the expected hundred undoes the transaction and raises."""
        reply = await session.dialogue.command(command, self._server.timeout)
        if reply.code // 100 != expected:
            await self._reset(session, reply)
            raise self._refusal(reply, step, path)

    async def _data(self, session: Session, message: bytes) -> Reply:
        await self._ask(session, b"DATA", "DATA", expected=3)
        early = await session.dialogue.body(_stuffed(message), self._server.timeout)
        if early is not None:
            # The message has no end yet, so whatever this says it was not accepted.
            raise self._refusal(early, "the message")
        try:
            reply = await session.dialogue.command(b".", self._server.data_timeout)
        except SessionError as broken:
            raise self._broken(Uncertain if broken.asked else Deferred, broken) from None
        return self._verdict(session, reply)

    def _verdict(self, session: Session, reply: Reply) -> Reply:
        if reply.code // 100 == 3:
            detail = f"the server asked for more after the message: {reply.words}"
            raise Uncertain(detail, channel=self._name, code=reply.label)
        session.clean = reply.code != 421
        if reply.code // 100 == 2:
            return reply
        raise self._refusal(reply, "the message")

    async def _reset(self, session: Session, refused: Reply) -> None:
        if refused.code == 421:
            return
        with contextlib.suppress(SessionError):
            reply = await session.dialogue.command(b"RSET", self._server.timeout)
            session.clean = reply.code // 100 == 2

    def _options(self, session: Session, letter: _Letter) -> bytes:
        """Parameters of MAIL FROM (RFC 1870, 6152, 6531). Raises Refused where they cannot be."""
        offered, size = session.extensions, len(letter.data)
        limit = offered.get("size", "")
        if _SIZE.fullmatch(limit) and 0 < int(limit) < size:
            detail = f"the message has {size} bytes, the server takes at most {limit}"
            raise Refused(detail, channel=self._name, code="SIZE")
        if letter.utf8 and "smtputf8" not in offered:
            detail = (
                f"{self._server} takes no address with non-ASCII characters before the @ "
                "(SMTPUTF8); use an ASCII address or another channel"
            )
            raise Refused(detail, channel=self._name, code="SMTPUTF8")
        options = f" SIZE={size}".encode() if "size" in offered else b""
        if "8bitmime" in offered and not letter.data.isascii():
            options += b" BODY=8BITMIME"
        return options + (b" SMTPUTF8" if letter.utf8 else b"")

    def _refusal(self, reply: Reply, step: Step, path: bytes = b"") -> DeliveryError:
        address = path.decode().strip("<>")
        return refusal(reply, step, channel=self._name, address=address)

    def _broken(self, kind: type[DeliveryError], broken: SessionError) -> DeliveryError:
        return kind(f"{self._server}: {broken}", channel=self._name)


@dataclass(frozen=True, slots=True)
class _Letter:
    """What goes over the wire; addresses are reverse- and forward-paths, `<ada@example.com>`."""

    sender: bytes
    recipients: tuple[bytes, ...]
    data: bytes
    utf8: bool


class _StaleError(Exception):
    """The connection was dead before the transaction began."""

    def __init__(self, error: DeliveryError) -> None:
        super().__init__(str(error))
        self.error = error


def _path(email: str) -> bytes:
    address = mime.envelope(email)
    if not _MAILBOX.fullmatch(address):
        raise ValueError(f"{address!r} is no address for an SMTP command")
    return f"<{address}>".encode()


def _stuffed(message: bytes) -> bytes:
    """The message with its leading dots doubled (RFC 5321 4.5.2)."""
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed
