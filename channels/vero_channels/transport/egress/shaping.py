"""How fast each destination likes it: a table in the format of KumoMTA's shaping.toml.

Options come from `["default"]`, then from the provider whose hosts the domain's mail goes to, then
from the domain's own table; in each, `sources.NAME` last. Source: KumoMTA, "Traffic Shaping
Automation" and "make_egress_path".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

from vero_channels.transport.egress.amounts import Rate
from vero_channels.transport.egress.rules import Rule

Tls = Literal["Opportunistic", "Required", "RequiredInsecure", "Disabled"]

DEFAULT: Final = "default"
SHIPPED: Final = Path(__file__).with_name("shaping.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What one source may do at one site. Durations are seconds.

    connection_limit: connections at once. provider_connection_limit: to all sites of the provider.
    enable_tls: "Opportunistic" takes what certificate there is, and goes on in clear where TLS
    fails; "Required" wants a good certificate, "RequiredInsecure" any.
    remember_broken_tls: how long a host whose TLS failed is spoken to in clear.
    """

    connection_limit: int = 10
    provider_connection_limit: int | None = None
    max_connection_rate: Rate | None = None
    max_deliveries_per_connection: int = 100
    max_message_rate: Rate | None = None
    idle_timeout: float = 60.0
    enable_tls: Tls = "Opportunistic"
    remember_broken_tls: float = 259_200.0


OPTIONS: Final = tuple(option.name for option in fields(Shape))


@dataclass(frozen=True, slots=True)
class Match:
    """Which destinations are a provider's: every host has to be, or the domain itself."""

    host_suffixes: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    domain_suffixes: tuple[str, ...] = ()

    def means(self, domain: str, hosts: Sequence[str]) -> bool:
        """Whether mail for that domain, which those hosts take, goes to the provider."""
        if domain.endswith(self.domain_suffixes):
            return True
        return bool(hosts) and all(
            host.endswith(self.host_suffixes) or host in self.hosts for host in hosts
        )


@dataclass(slots=True)
class Table:
    """One table of the file: options, options by source, and rules of automation."""

    options: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    match: Match | None = None
    replace_base: bool = False

    def merge(self, later: Table) -> Table:
        """This table with a later one over it; rules add up."""
        if later.replace_base:
            return later
        sources = {
            name: {**self.sources.get(name, {}), **later.sources.get(name, {})}
            for name in {**self.sources, **later.sources}
        }
        return Table(
            options={**self.options, **later.options},
            sources=sources,
            rules=[*self.rules, *later.rules],
            match=later.match or self.match,
        )


class Shaping:
    """The tables of all files, later ones merged over earlier ones."""

    def __init__(self) -> None:
        self.domains: dict[str, Table] = {}
        self.providers: dict[str, Table] = {}

    def add(self, domains: dict[str, Table], providers: dict[str, Table]) -> None:
        """Merge a file over what is here."""
        for mine, theirs in ((self.domains, domains), (self.providers, providers)):
            for name, table in theirs.items():
                mine[name] = mine.get(name, Table()).merge(table)

    def provider(self, domain: str, hosts: Sequence[str]) -> str:
        """The provider whose hosts these are, or ""; the one named last where several match."""
        found = ""
        for name, table in self.providers.items():
            if table.match is not None and table.match.means(domain, hosts):
                found = name
        return found

    def shape(self, domain: str, provider: str, source: str) -> Shape:
        """What that source may do there."""
        options: dict[str, Any] = {}
        for table in self._tables(domain, provider):
            options |= table.options
            options |= table.sources.get(source, {})
        return replace(Shape(), **options)

    def rules(self, domain: str, provider: str) -> list[Rule]:
        """The rules of automation for that destination."""
        return [rule for table in self._tables(domain, provider) for rule in table.rules]

    def _tables(self, domain: str, provider: str) -> Iterable[Table]:
        for tables, name in (
            (self.domains, DEFAULT),
            (self.providers, provider),
            (self.domains, domain),
        ):
            if name in tables:
                yield tables[name]
