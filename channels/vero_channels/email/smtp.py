"""SMTP: email through a relay, over connections that are kept (RFC 5321).

A Receipt means that the server accepted the message for every recipient: where one is refused
the transaction is given up before the message is sent, since an email that reached half of its
recipients can be neither repeated nor called sent. One RenderedEmail per person avoids that.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from vero_channels.transport.smtp_email import letter_of
from vero_channels.transport.smtp_letter import Dsn, Notify
from vero_channels.transport.smtp_pipelining import Mode
from vero_channels.transport.smtp_pool import Limits, Pool
from vero_channels.transport.smtp_replies import queue_id
from vero_channels.transport.smtp_server import Auth, Security, Server, Token
from vero_deliver import mime
from vero_deliver.channel import Receipt
from vero_deliver.errors import ConfigError
from vero_deliver.rendered import RenderedEmail
from vero_deliver.secret import Secret


class Smtp:
    """Sends email through one SMTP server.

    port: 587, or 465 with security="tls".
    security: "starttls" (required, never optional), "tls" from the first byte, or "none".
    auth: "auto" takes PLAIN, else LOGIN; with a token XOAUTH2.
    token: called for each new session, returns an OAuth 2 access token or an awaitable of one.
    timeout: seconds to connect and per command; data_timeout: for the answer to the message.
    pipelining: how much is written before an answer is heard, where the server offers as much:
    "off" nothing, "envelope" a message's commands, "cross" the end of one message with the
    commands of the next, "bdat" whole messages by BDAT, `window` of them on each connection.
    connections: at most so many at once, each for `messages_per_connection`, and closed after
    `idle` seconds without work.
    dsn: what the sender's address is notified of (RFC 3461), with the message if `dsn_full`, where
    the server offers DSN. require_tls: no hop without TLS (RFC 8689), or no delivery.
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
        pipelining: Mode = "envelope",
        window: int = 8,
        connections: int = 5,
        messages_per_connection: int = 100,
        idle: float = 30.0,
        dsn: Sequence[Notify] = (),
        dsn_full: bool = False,
        require_tls: bool = False,
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
        limits = Limits(
            pipelining=pipelining,
            window=window,
            connections=connections,
            messages_per_connection=messages_per_connection,
            idle=idle,
        )
        self._pool = Pool(self._server, limits)
        try:
            self._dsn = Dsn(dsn, full=dsn_full) if dsn else None
        except ValueError as error:
            raise ConfigError(f"channel {name!r}: {error}") from None
        self._require_tls = require_tls
        if require_tls and self._server.security == "none":
            raise ConfigError(f"channel {name!r}: require_tls needs security 'starttls' or 'tls'")

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
        letter, message_id = letter_of(
            rendered,
            key,
            channel=self._name,
            domains=self._domains,
            dsn=self._dsn,
            require_tls=self._require_tls,
        )
        reply = await self._pool.hand_over(letter)
        return Receipt(self._name, queue_id(reply) or message_id, datetime.now(UTC))

    async def aclose(self) -> None:
        """Let running sends end, then say QUIT. A later send opens new connections."""
        await self._pool.aclose()
