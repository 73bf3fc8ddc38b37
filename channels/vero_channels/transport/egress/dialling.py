"""Opening a session with one of a destination's hosts: the next one where one fails."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal

from vero_channels.transport.egress.destination import Destination, Host, in_order
from vero_channels.transport.egress.dns import Dns, UnansweredError
from vero_channels.transport.egress.shaping import Shape
from vero_channels.transport.egress.sources import Source
from vero_channels.transport.egress.surroundings import Surroundings
from vero_channels.transport.public_network import is_public
from vero_channels.transport.smtp_server import Security, Server
from vero_channels.transport.smtp_session import Session, open_session
from vero_deliver.errors import Deferred, DeliveryError, Misconfigured, Refused
from vero_deliver.secret import Secret

_ATTEMPTS: Final = 5  # addresses that are tried for one session, as Postfix does
_KEPT: Final = 50_000  # hosts whose TLS is broken


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are to every host, and how long we wait for one (see Server)."""

    channel: str
    username: str = ""
    password: str | Secret = field(default="", repr=False)
    ca_file: str | Path | None = None
    timeout: float = 60.0
    data_timeout: float = 300.0


class Dialler:
    """Opens sessions. Nothing has been sent yet, so no failure is Uncertain.

    dns: finds the addresses of hosts, and only those on the internet count unless private ones
    are allowed; None leaves names to the system, for hosts that we named ourselves.
    """

    def __init__(
        self,
        account: Account,
        dns: Dns | None,
        sources: Iterable[Source],
        surroundings: Surroundings,
        *,
        allow_private: bool,
    ) -> None:
        self._account, self._dns, self._world = account, dns, surroundings
        self._own = {source.address for source in sources if source.address}
        self._allow_private = allow_private
        self._bound: set[str] = set()
        self._broken_tls: dict[str, float] = {}  # host to the moment that it is forgotten

    async def open(self, source: Source, destination: Destination, shape: Shape) -> Session:
        """A session with the best host that gives one. Raises Deferred, Refused, Misconfigured."""
        self._bind(source)
        failures: list[DeliveryError] = []
        attempts = 0
        async for server in self._servers(source, destination, failures.append):
            try:
                return await self._session(server, destination, shape)
            except DeliveryError as error:
                failures.append(error)
            attempts += 1
            if attempts == _ATTEMPTS:
                break
        raise self._summed_up(failures)

    async def reaches(self, source: Source, destination: Destination) -> bool:
        """False where the source speaks IPv6, and none of the hosts does."""
        if self._dns is None or source.version != 6:
            return True
        for host in destination.hosts:
            try:
                if await self._dns.addresses(host.name, source.version):
                    return True
            except UnansweredError:
                return True  # that is told when it is tried
        return False

    def server(
        self,
        source: Source,
        host: Host,
        address: str | None = None,
    ) -> Server:
        """The host as it is seen from that source, with good TLS. Raises ConfigError."""
        account = self._account
        return Server(
            channel=account.channel,
            host=host.name,
            port=host.port,
            address=address,
            security="starttls",
            username=account.username,
            password=account.password,
            ca_file=account.ca_file,
            source_address=source.address or None,
            local_hostname=source.ehlo or None,
            timeout=account.timeout,
            data_timeout=account.data_timeout,
        )

    def _bind(self, source: Source) -> None:
        """Raise Misconfigured where the address is not this machine's."""
        if not source.address or source.address in self._bound:
            return
        family = socket.AF_INET6 if source.version == 6 else socket.AF_INET
        try:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.bind((source.address, 0))
        except OSError as error:
            detail = f"source {source.name!r}: cannot send from {source.address}: {error.strerror}"
            raise Misconfigured(detail, channel=self._account.channel) from None
        self._bound.add(source.address)

    async def _servers(
        self, source: Source, destination: Destination, failed: Callable[[DeliveryError], None]
    ) -> AsyncIterator[Server]:
        """Every address of every host, the best first; `failed` hears of hosts without any."""
        for host in in_order(destination.hosts, self._world.random):
            if self._dns is None:
                yield self.server(source, host)
                continue
            try:
                found = await self._dns.addresses(host.name, source.version)
            except UnansweredError as error:
                failed(self._deferred(str(error), "451 4.4.3"))
                continue
            addresses = [str(one) for one in found if self._allow_private or is_public(one)]
            if self._own & set(addresses):
                failed(self._refused(f"mail for {destination.domain} would come back to us", "4.6"))
                return  # a host of less preference would hand it on to us (RFC 5321 5.1)
            if not addresses:
                what = "no address on the internet" if found else "no address"
                failed(self._refused(f"{host.name}, which takes the mail, has {what}", "4.4"))
            for address in addresses:
                yield self.server(source, host, address)

    async def _session(self, server: Server, destination: Destination, shape: Shape) -> Session:
        """The host as TLS is wanted; in clear where that failed and need not be."""
        wanted = "Required" if destination.verified else shape.enable_tls
        if wanted == "Disabled" or (wanted == "Opportunistic" and self._is_broken(server.host)):
            return await self._connect(server, "none")
        if wanted != "Opportunistic":
            return await self._connect(server, "starttls", verify=wanted == "Required")
        try:
            return await self._connect(server, "opportunistic")
        except DeliveryError as error:
            if not error.code.startswith("STARTTLS"):
                raise
        session = await self._connect(server, "none")
        if len(self._broken_tls) >= _KEPT:
            self._broken_tls.clear()
        self._broken_tls[server.host] = self._world.clock() + shape.remember_broken_tls
        return session

    def _is_broken(self, host: str) -> bool:
        return self._broken_tls.get(host, 0.0) > self._world.clock()

    async def _connect(
        self,
        server: Server,
        security: Security | Literal["opportunistic"],
        *,
        verify: bool = False,
    ) -> Session:
        try:
            return await open_session(replace(server, security=security, verify=verify))
        except Misconfigured as error:
            if self._dns is None:
                raise
            # a stranger's server says nothing about us, and advice about our options is no use
            about_tls = error.code.startswith("STARTTLS")
            detail = error.detail.partition("; ")[0] if about_tls else error.detail
            failure = self._deferred(detail, error.code)
        raise failure

    def _summed_up(self, failures: list[DeliveryError]) -> DeliveryError:
        """The failure that tells most: what may pass comes before what is final."""
        passing = [error for error in failures if isinstance(error, Deferred)]
        said = [error for error in passing if error.code]
        return (said or passing or failures)[-1]

    def _deferred(self, detail: str, code: str) -> Deferred:
        return Deferred(detail, channel=self._account.channel, code=code)

    def _refused(self, detail: str, status: str) -> Refused:
        return Refused(detail, channel=self._account.channel, code=f"550 5.{status}")
