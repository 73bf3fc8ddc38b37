"""Opening an SMTP session: connect, TLS, EHLO, AUTH (RFC 5321, RFC 3207, RFC 4954).

aiosmtplib does the talking; every fault on the way becomes the DeliveryError that names what
happens next. Nothing has been sent yet, so none of them is Uncertain.
"""

from __future__ import annotations

import asyncio
import base64
import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

import aiosmtplib

from vero_channels.transport.smtp_dialogue import Dialogue, Reply, clean
from vero_channels.transport.smtp_server import Auth, Server, Token, tls_context
from vero_deliver.errors import Deferred, DeliveryError, Misconfigured
from vero_deliver.secret import reveal

_STARTTLS: Final = "STARTTLS"  # what the code of an error begins with where that failed


@dataclass(frozen=True, slots=True)
class Session:
    """A session ready for MAIL FROM, and what the server's last EHLO offered, in lower case."""

    server: Server
    dialogue: Dialogue
    extensions: Mapping[str, str]


async def open_session(server: Server) -> Session:
    """Connect, secure the connection and log in. Raises Deferred or Misconfigured.

    The code of the error begins with STARTTLS where that is what failed.
    """
    secret = await _credential(server)
    client = aiosmtplib.SMTP(
        hostname=server.address or server.host,
        port=server.port,
        use_tls=server.security == "tls",
        start_tls=False,
        tls_context=tls_context(server.ca_file, server.verify),
        source_address=(server.source_address, 0) if server.source_address else None,
        local_hostname=server.local_hostname or "localhost",  # _greet says the real one
        timeout=server.timeout,
    )
    try:
        await client.connect()
        await _prepare(client, server, secret)
        _stop_if_cancelled()
        extensions = dict(client.esmtp_extensions)
        dialogue = Dialogue(cast(asyncio.Transport, client.transport))
        return Session(server, dialogue, extensions)
    except (aiosmtplib.SMTPException, OSError) as error:
        fault = _fault(error, server, secret)
        _abandon(client)
        _stop_if_cancelled()
    except BaseException:
        _abandon(client)
        raise
    # Outside `except`: aiosmtplib's error holds the server's raw words, which may echo a secret.
    raise fault


def _stop_if_cancelled() -> None:
    """Until Python 3.12 asyncio.wait_for, which aiosmtplib uses, may swallow a cancellation."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _prepare(client: aiosmtplib.SMTP, server: Server, secret: str) -> None:
    await _greet(client, server)
    offered = client.supports_extension("starttls")
    if server.security == "starttls" and not offered:
        raise server.misconfigured(
            f"{server} offers no STARTTLS, so nothing was sent in clear; use security = "
            "'tls' where the server speaks TLS at once (port 465)",
            _STARTTLS,
        )
    if offered and server.security in ("starttls", "opportunistic"):
        await _start_tls(client, server)
    if server.username:
        await _log_in(client, server, secret)


async def _start_tls(client: aiosmtplib.SMTP, server: Server) -> None:
    greeting = False
    try:
        await client.starttls(server_hostname=server.host)
        greeting = True
        await _greet(client, server)
    except (aiosmtplib.SMTPException, OSError) as error:
        fault = _fault(error, server, "")
    else:
        return
    if greeting and fault.code:
        raise fault  # the server's words about something else
    code = f"{_STARTTLS} {fault.code}".strip()
    raise type(fault)(fault.detail, channel=fault.channel, code=code)


async def _greet(client: aiosmtplib.SMTP, server: Server) -> None:
    await client.ehlo(hostname=server.local_hostname or _own_name(client))


def _own_name(client: aiosmtplib.SMTP) -> str:
    """The address literal of RFC 5321 4.1.3: our own name costs a DNS query and is often wrong."""
    address = ipaddress.ip_address(client.get_transport_info("sockname")[0].partition("%")[0])
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


async def _log_in(client: aiosmtplib.SMTP, server: Server, secret: str) -> None:
    mechanism = _mechanism(client, server)
    if mechanism == "xoauth2":
        await client.auth_xoauth2(server.username, secret)
    elif mechanism == "login":
        await client.auth_login(server.username, secret)
    else:
        await client.auth_plain(server.username, secret)


def _mechanism(client: aiosmtplib.SMTP, server: Server) -> Auth:
    wanted: tuple[Auth, ...] = (server.auth,)
    if server.auth == "auto":
        wanted = ("xoauth2",) if server.token else ("plain", "login")
    offered = client.server_auth_methods
    for mechanism in wanted:
        if mechanism in offered:
            return mechanism
    raise server.misconfigured(
        f"{server} offers no AUTH {' or '.join(wanted).upper()}; "
        f"it offers {clean(' '.join(offered)).upper() or 'no login at all'}"
    )


async def _credential(server: Server) -> str:
    if not server.username:
        return ""
    if server.token is not None:
        secret = await _fresh_token(server.token, server)
    else:
        secret = reveal(server.password)
    if not secret or any("\ud800" <= char <= "\udfff" for char in secret):
        raise server.misconfigured(f"the password for {server} is empty or no valid text")
    return secret


async def _fresh_token(token: Token, server: Server) -> str:
    try:
        answer = token()
        return answer if isinstance(answer, str) else await answer
    except DeliveryError:
        raise
    except Exception as error:  # noqa: BLE001  # the caller's own code may raise anything
        kind = type(error).__name__
    # Its text is left out and not chained: token endpoints like to quote the request.
    raise Deferred(f"no access token for {server}: {kind}", channel=server.channel)


def _fault(error: Exception, server: Server, secret: str) -> DeliveryError:
    refused_tls = _tls_error(error)
    if refused_tls:
        return server.misconfigured(_explain_tls(refused_tls, server))
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _refused(error, server, secret)
    return Deferred(_explain(error, server), channel=server.channel)


def _refused(error: aiosmtplib.SMTPResponseException, server: Server, secret: str) -> DeliveryError:
    reply = Reply(error.code, tuple(_without(secret, server, error.message).split("\n")))
    if error.code < 0:
        return server.misconfigured(f"{server} answers something that is not SMTP")
    login = isinstance(error, aiosmtplib.SMTPAuthenticationError)
    step = f"login as {server.username}" if login else "the session"
    detail = f"{server} refused {step}: {reply.words or 'it gave no reason'}"
    kind = Deferred if 400 <= error.code < 500 else Misconfigured
    return kind(detail, channel=server.channel, code=reply.label)


def _without(secret: str, server: Server, words: str) -> str:
    """`words` without our credential: servers quote the command that they did not like."""
    if not secret:
        return words
    user, plain = server.username.encode(), secret.encode()
    forms = (
        b"\0" + user + b"\0" + plain,
        b"user=" + user + b"\x01auth=Bearer " + plain + b"\x01\x01",
        plain,
    )
    for form in (*(base64.b64encode(form).decode() for form in forms), secret):
        words = words.replace(form, "***")
    return words


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """The TLS failure behind an error, unless it is only a connection lost in the handshake."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return None if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) else error
        error = error.__cause__
    return None


def _explain_tls(error: ssl.SSLError, server: Server) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate of {server} was not accepted: {clean(error.verify_message)}; "
            "ca_file names the authority of a private certificate"
        )
    reason = (error.reason or str(error)).replace("_", " ").lower()
    return f"no TLS with {server} ({clean(reason)}); is security = {server.security!r} right?"


def _explain(error: Exception, server: Server) -> str:
    detail = f"no session with {server}: {clean(str(error) or type(error).__name__)}"
    if server.port == 465 and server.security != "tls" and isinstance(error, TimeoutError):
        return f"{detail}; port 465 mostly wants security = 'tls'"
    return detail


def _abandon(client: aiosmtplib.SMTP) -> None:
    transport = client.transport
    client.close()
    if transport is not None:
        cast(asyncio.Transport, transport).abort()
