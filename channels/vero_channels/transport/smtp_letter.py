"""What goes over the wire, and the commands that announce it.

Parameters: SIZE (RFC 1870), BODY=8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531), REQUIRETLS (RFC 8689),
NOTIFY, RET, ENVID and ORCPT (RFC 3461).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from vero_channels.transport.smtp_replies import Step
from vero_channels.transport.smtp_server import Server
from vero_deliver.errors import Refused

Notify = Literal["never", "success", "failure", "delay"]

_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_NOT_XCHAR = re.compile(rb"[^!-*,-<>-~]")  # RFC 3461 4: all that is printable, without + and =
_ENVID_LIMIT = 100  # RFC 3461 4.4


@dataclass(frozen=True, slots=True)
class Dsn:
    """Which delivery status notifications are wished for.

    full: they are to bring the message back, not its header alone.
    Raises ValueError where RFC 3461 knows no such wish.
    """

    notify: Sequence[Notify]
    full: bool = False

    def __post_init__(self) -> None:
        known, alone = set(get_args(Notify)), "never" in self.notify and len(self.notify) > 1
        if isinstance(self.notify, str) or set(self.notify) - known or alone:
            some = "a list of success, failure and delay, or ['never']"
            raise ValueError(f"dsn is {some}, not {self.notify!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message and its envelope; addresses are reverse- and forward-paths, `<ada@example.com>`.

    data: lines end in CRLF, the last one too. utf8: an address needs SMTPUTF8.
    require_tls: every hop has to use TLS, or nobody gets it.
    envelope_id: what notifications name it by; left out where it takes more than 100 characters.
    """

    sender: bytes
    recipients: tuple[bytes, ...]
    data: bytes
    utf8: bool = False
    require_tls: bool = False
    dsn: Dsn | None = None
    envelope_id: str = ""


class Command(NamedTuple):
    """A command with its line end, what it is a step of, and the path that it names."""

    step: Step
    line: bytes
    path: bytes = b""


def envelope(letter: Letter, extensions: Mapping[str, str], server: Server) -> list[Command]:
    """MAIL FROM and the RCPT TOs.

    Raises Refused or Misconfigured where the server's offer does not suffice,
    ValueError where a path would be more than an argument.
    """
    mail = b"MAIL FROM:" + letter.sender + _mail_options(letter, extensions, server) + b"\r\n"
    dsn = letter.dsn if "dsn" in extensions else None
    commands = [Command("MAIL FROM", mail, letter.sender)]
    for path in letter.recipients:
        line = b"RCPT TO:" + path + (_rcpt_options(dsn, path) if dsn else b"") + b"\r\n"
        commands.append(Command("RCPT TO", line, path))
    if any(_CONTROL.search(command.line, 0, len(command.line) - 2) for command in commands):
        raise ValueError("an SMTP command may hold no control characters")
    return commands


def _mail_options(letter: Letter, extensions: Mapping[str, str], server: Server) -> bytes:
    size = len(letter.data)
    limit = extensions.get("size", "")
    if _SIZE.fullmatch(limit) and 0 < int(limit) < size:
        detail = f"the message has {size} bytes, the server takes at most {limit}"
        raise Refused(detail, channel=server.channel, code="SIZE")
    if letter.utf8 and "smtputf8" not in extensions:
        detail = (
            f"{server} takes no address with non-ASCII characters before the @ "
            "(SMTPUTF8); use an ASCII address or another channel"
        )
        raise Refused(detail, channel=server.channel, code="SMTPUTF8")
    if letter.require_tls and "requiretls" not in extensions:
        detail = f"{server} does not promise TLS for the rest of the way (REQUIRETLS)"
        raise server.misconfigured(detail, "REQUIRETLS")
    options = b" SIZE=%d" % size if "size" in extensions else b""
    if "8bitmime" in extensions and not letter.data.isascii():
        options += b" BODY=8BITMIME"
    options += b" SMTPUTF8" if letter.utf8 else b""
    options += b" REQUIRETLS" if letter.require_tls else b""
    if letter.dsn and "dsn" in extensions:
        options += b" RET=FULL" if letter.dsn.full else b" RET=HDRS"
        envelope_id = _xtext(letter.envelope_id.encode("utf-8", "surrogatepass"))
        options += b" ENVID=" + envelope_id if 0 < len(envelope_id) <= _ENVID_LIMIT else b""
    return options


def _rcpt_options(dsn: Dsn, path: bytes) -> bytes:
    options = b" NOTIFY=" + ",".join(dsn.notify).upper().encode()
    # the address type rfc822 is ASCII's; RFC 6533 has another one, for servers that know it
    return options + (b" ORCPT=rfc822;" + _xtext(path.strip(b"<>")) if path.isascii() else b"")


def _xtext(text: bytes) -> bytes:
    return _NOT_XCHAR.sub(lambda found: b"+%02X" % found[0][0], text)
