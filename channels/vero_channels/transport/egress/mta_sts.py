"""MTA-STS: domains that want mail over verified TLS, to hosts that they name (RFC 8461)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Literal
from weakref import WeakValueDictionary

from vero_channels.transport.egress.dns import Dns, NoSuchNameError, UnansweredError
from vero_channels.transport.public_network import is_public
from vero_channels.transport.smtp_server import tls_context

Fetch = Callable[[str], Awaitable[bytes]]

_MAX_OCTETS: Final = 65_536  # of a policy; RFC 8461 3.3 suggests that limit
_MAX_HEAD: Final = 16_384
_TIMEOUT: Final = 15.0  # seconds; RFC 8461 3.3 has a minute, and everyone waits for it
_LONGEST: Final = 31_557_600  # seconds that a policy may ask to be remembered: a year
_AGAIN: Final = 300.0  # seconds until a policy that could not be had is looked for again
_KEPT: Final = 10_000  # domains
_ID: Final = re.compile(r"v=STSv1\s*;(?:.*;)?\s*id=([A-Za-z0-9]{1,32})\s*(?:;.*)?", re.DOTALL)


class NoPolicyError(Exception):
    """There is no policy to be had; says why."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a domain wants. hosts: names, or "*.example.com" for one label more."""

    mode: Literal["enforce", "testing", "none"]
    hosts: tuple[str, ...]
    max_age: int

    def allows(self, host: str) -> bool:
        """Whether that MX host is one of the policy's."""
        wild = f"*.{host.partition('.')[2]}"
        return host in self.hosts or wild in self.hosts


@dataclass(frozen=True, slots=True)
class _Known:
    """until: it is forgotten. again: no other one is fetched before. Moments of the clock."""

    policy: Policy | None
    id: str
    until: float
    again: float = 0.0


class Policies:
    """The policies of domains, remembered as long as each of them says.

    fetch: the body behind an https URL, without following redirects; raises NoPolicyError.
    clock: seconds.
    """

    def __init__(self, dns: Dns, fetch: Fetch, clock: Callable[[], float]) -> None:
        self._dns, self._fetch, self._clock = dns, fetch, clock
        self._known: dict[str, _Known] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def enforced(self, domain: str) -> Policy | None:
        """The policy that the domain wants kept; None where it has none, or is only testing.

        One that is remembered counts where it cannot be had any more (RFC 8461 section 5.1).
        """
        policy_id = await self._id(domain)
        async with self._locks.setdefault(domain, asyncio.Lock()):
            known = self._remembered(domain)
            if policy_id and (known is None or known.id != policy_id):
                known = await self._renewed(domain, policy_id, known)
        policy = known.policy if known else None
        return policy if policy is not None and policy.mode == "enforce" else None

    def _remembered(self, domain: str) -> _Known | None:
        known = self._known.get(domain)
        return known if known is not None and known.until > self._clock() else None

    async def _id(self, domain: str) -> str:
        """The id in DNS, which changes with the policy; "" where there is none."""
        try:
            texts = await self._dns.texts(f"_mta-sts.{domain}")
        except (NoSuchNameError, UnansweredError):
            return ""
        records = [text for text in texts if text.startswith("v=STSv1")]
        found = _ID.fullmatch(records[0].strip()) if len(records) == 1 else None
        return found[1] if found else ""

    async def _renewed(self, domain: str, policy_id: str, old: _Known | None) -> _Known:
        now = self._clock()
        if old is not None and now < old.again:
            return old
        try:
            async with asyncio.timeout(_TIMEOUT):
                body = await self._fetch(f"https://mta-sts.{domain}/.well-known/mta-sts.txt")
            policy = parse(body)
        except (NoPolicyError, TimeoutError):
            again = now + _AGAIN
            fresh = replace(old, again=again) if old else _Known(None, policy_id, until=again)
        else:
            fresh = _Known(policy, policy_id, until=now + policy.max_age)
        if len(self._known) >= _KEPT:
            self._known = {name: one for name, one in self._known.items() if one.until > now}
        self._known[domain] = fresh
        return fresh


def parse(body: bytes) -> Policy:
    """The policy of that text (RFC 8461 3.2). Raises NoPolicyError."""
    if len(body) > _MAX_OCTETS:
        raise NoPolicyError("the policy is too long")
    pairs = [
        (key.strip(), value.strip())
        for line in body.decode("utf-8", "replace").splitlines()
        for key, colon, value in [line.partition(":")]
        if colon
    ]
    fields = dict(reversed(pairs))  # of a field that is there twice the first counts
    mode, max_age = fields.get("mode"), fields.get("max_age", "")
    hosts = tuple(value.lower().rstrip(".") for key, value in pairs if key == "mx")
    if fields.get("version") != "STSv1" or not re.fullmatch("[0-9]{1,10}", max_age):
        raise NoPolicyError("the policy has no version STSv1 or no max_age")
    age = min(int(max_age), _LONGEST)
    if mode == "none":
        return Policy("none", hosts, age)
    if mode not in ("enforce", "testing") or not hosts:
        raise NoPolicyError("the policy has no mode or no mx")
    return Policy("enforce" if mode == "enforce" else "testing", hosts, age)


async def fetch_policy(url: str, dns: Dns, *, allow_private: bool, port: int = 443) -> bytes:
    """The body behind https://host/path, from a host on the internet. Raises NoPolicyError."""
    host, _, path = url.removeprefix("https://").partition("/")
    try:
        addresses = await dns.addresses(host, None)
    except UnansweredError as error:
        raise NoPolicyError(str(error)) from None
    usable = [str(one) for one in addresses if allow_private or is_public(one)]
    if not usable:
        raise NoPolicyError(f"{host} has no address on the internet")
    try:
        return await _get(host, f"/{path}", usable[0], port)
    except (OSError, EOFError, asyncio.LimitOverrunError) as error:
        raise NoPolicyError(f"{url}: {type(error).__name__}") from None


async def _get(host: str, path: str, address: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(
        address, port, ssl=tls_context(None, verify=True), server_hostname=host, limit=_MAX_HEAD
    )
    try:
        # HTTP/1.0, whose answers have no chunks and end with the connection
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode("ascii"))
        head = await reader.readuntil(b"\r\n\r\n")
        if not re.match(rb"HTTP/1\.[01] 200\b", head):
            raise NoPolicyError(f"https://{host}{path} was not answered by 200")
        body = bytearray()
        while part := await reader.read(_MAX_OCTETS):
            body += part
            if len(body) > _MAX_OCTETS:
                raise NoPolicyError("the policy is too long")
        return bytes(body)
    finally:
        writer.transport.abort()
