"""An SMTP server as configured: where it is, how it is secured, who we are to it."""

from __future__ import annotations

import functools
import ipaddress
import re
import ssl
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from vero_deliver.errors import ConfigError, Misconfigured
from vero_deliver.secret import Secret

Security = Literal["starttls", "tls", "none"]
Auth = Literal["auto", "plain", "login", "xoauth2"]
_WITH_PORT = re.compile(r".+:[0-9]+")
Token = Callable[[], str | Awaitable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One account on one server. Raises ConfigError where the options cannot work together.

    address: the IP address to connect to, where `host` is but the name of the certificate.
    security: beside what a relay may have, "opportunistic" takes STARTTLS where it is offered.
    timeout: seconds to connect and per command; data_timeout: for the answer to the message.
    """

    channel: str
    host: str
    port: int
    security: Security | Literal["opportunistic"]
    address: str | None = None
    username: str = ""
    password: str | Secret = field(default="", repr=False)
    auth: Auth = "auto"
    token: Token | None = field(default=None, repr=False)
    ca_file: str | Path | None = None
    verify: bool = True
    source_address: str | None = None
    local_hostname: str | None = None
    timeout: float = 60.0
    data_timeout: float = 300.0

    def __post_init__(self) -> None:
        try:
            problems = [*self._connection_problems(), *self._login_problems()]
        except (AttributeError, TypeError) as error:
            problems = [f"an option has the wrong type: {error}"]
        if problems:
            raise ConfigError(f"channel {self.channel!r}: {'; '.join(problems)}")
        if self.ca_file is not None:
            tls_context(self.ca_file, self.verify)  # a wrong file is told now, not at a send

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def misconfigured(self, detail: str, code: str = "") -> Misconfigured:
        """The error that pauses this channel."""
        return Misconfigured(detail, channel=self.channel, code=code)

    def _connection_problems(self) -> Iterator[str]:
        if "://" in self.host or (_WITH_PORT.fullmatch(self.host) and _ip(self.host) is None):
            yield f"host {self.host!r}: host and port are two arguments"
        elif not _is_host(self.host):
            yield f"host {self.host!r} is no host name or IP address"
        if not 0 < self.port < 65536:
            yield f"port {self.port} is not within 1 to 65535"
        if self.security not in (*get_args(Security), "opportunistic"):
            yield f"security {self.security!r} is none of {_choices(Security)}"
        if min(self.timeout, self.data_timeout) <= 0:
            yield "timeouts are seconds, more than 0"
        own = self.local_hostname
        if own is not None and not (own.isascii() and _is_host(own.strip("[]"))):
            yield f"local_hostname {own!r} is no host name or [IP address]"
        if self.source_address is not None and _ip(self.source_address) is None:
            yield f"source_address {self.source_address!r} is no IP address"

    def _login_problems(self) -> Iterator[str]:
        if self.auth not in get_args(Auth):
            yield f"auth {self.auth!r} is none of {_choices(Auth)}"
        if not self.username and (self.password or self.token):
            yield "there is a password or token but no username"
        if self.username and not self.password and self.token is None:
            yield "there is a username but no password or token"
        if not isinstance(self.password, (str, Secret)):
            yield "password is neither text nor a Secret"
        if self.token is not None and self.auth not in ("auto", "xoauth2"):
            yield f"a token is for auth = 'xoauth2', not {self.auth!r}"
        in_clear = self.security in ("none", "opportunistic")
        if self.username and in_clear and not _is_loopback(self.host):
            yield (
                f"security = {self.security!r} would send the password in clear; use 'starttls' "
                "or 'tls'"
            )


@functools.lru_cache(maxsize=64)
def tls_context(ca_file: str | Path | None, verify: bool) -> ssl.SSLContext:
    """How certificates are checked: by `ca_file`, else by the system's authorities."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigError(f"ca_file {ca_file}: {error.strerror or error}") from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _choices(literal: object) -> str:
    return ", ".join(get_args(literal))


def _is_host(text: str) -> bool:
    try:
        encoded = text.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    return bool(re.fullmatch(r"[A-Za-z0-9_.:%-]{1,253}", encoded))


def _is_loopback(host: str) -> bool:
    address = _ip(host)
    return address.is_loopback if address else host.rstrip(".").lower() == "localhost"


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
