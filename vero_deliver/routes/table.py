"""A table `[routes.NAME]` of the project's file, and what may be wrong with all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NoReturn

import msgspec

from vero_deliver.errors import ConfigError
from vero_deliver.plain import KeyPath, Where, dotted, nearest, quoted
from vero_deliver.routes.rates import parse
from vero_deliver.user import Platform

CHOICES: Final = ("failover", "round_robin", "platforms", "channel")
LIMITS: Final = (
    "rate", "rate_per_domain", "rate_per_sender", "quota", "quota_per_domain", "quota_per_sender",
)  # fmt: skip


class RouteTable(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One route: which channels or routes, and how much of it.

    round_robin: names with their weights, or names alone for equal weights. platforms: names by
    the platform of the device. The others are the keywords of Throttled.
    """

    failover: tuple[str, ...] = ()
    round_robin: tuple[str, ...] | Mapping[str, int] = ()
    platforms: Mapping[Platform, str] = {}
    channel: str = ""
    rate: str = ""
    rate_per_domain: str = ""
    rate_per_sender: str = ""
    quota: str = ""
    quota_per_domain: str = ""
    quota_per_sender: str = ""
    burst: int | None = None
    max_wait: float = 60.0

    def __str__(self) -> str:
        """`failover: a, b; rate 100/s`."""
        kind = next((choice for choice in CHOICES if getattr(self, choice)), "")
        weights = self.weights or {}
        names = [f"{name} {weights.get(name, '')}".rstrip() for name in self.members.values()]
        if self.platforms:
            names = [f"{platform} {name}" for platform, name in self.platforms.items()]
        limits = [f"{name.replace('_', ' ')} {text}" for name, text in self.limits.items()]
        parts = [f"{kind.replace('_', ' ')}: {', '.join(names)}", *limits]
        return "; ".join(parts)

    @property
    def members(self) -> Mapping[KeyPath, str]:
        """The names it leads to, by where they stand in the table."""
        if self.channel:
            return {("channel",): self.channel}
        if self.platforms:
            return {("platforms", platform): name for platform, name in self.platforms.items()}
        if self.weights is not None:
            return {("round_robin", name): name for name in self.weights}
        choice = "failover" if self.failover else "round_robin"
        return {(choice, n): name for n, name in enumerate(self.failover or self.round_robin)}

    @property
    def weights(self) -> Mapping[str, int] | None:
        """Of round_robin, where they are given."""
        return self.round_robin if isinstance(self.round_robin, Mapping) else None

    @property
    def limits(self) -> Mapping[str, str]:
        """The rates and quotas that are given."""
        return {name: getattr(self, name) for name in LIMITS if getattr(self, name)}


def check_routes(routes: Mapping[str, RouteTable], channels: Collection[str], where: Where) -> None:
    """Raise ConfigError for the first mistake, naming file, line and key."""
    check = _Check(routes, channels, where)
    for name in routes:
        check.route(name)


@dataclass(frozen=True, slots=True)
class _Check:
    routes: Mapping[str, RouteTable]
    channels: Collection[str]
    where: Where

    def route(self, name: str) -> None:
        table = self.routes[name]
        if name in self.channels:
            self._fail("there is a channel of that name; call the route something else", name)
        given = [choice for choice in CHOICES if getattr(table, choice)]
        if len(given) != 1:
            got = f"it has {' and '.join(given)}" if given else "it leads nowhere"
            self._fail(
                f'{got}; write one of failover = ["a", "b"], round_robin = {{a = 3, b = 1}}, '
                'platforms = {ios = "a", android = "b"} or channel = "a"',
                name,
            )
        self._check_members(name, table)
        self._check_limits(name, table)

    def _check_members(self, name: str, table: RouteTable) -> None:
        seen: set[str] = set()
        for place, member in table.members.items():
            if member not in self.channels and member not in self.routes:
                hint = nearest(member, [*self.channels, *self.routes])
                self._fail(f"there is no channel or route {quoted(member)}{hint}", name, *place)
            if member in seen and not table.platforms:
                self._fail(f"{quoted(member)} is there twice", name, *place)
            seen.add(member)
            loop = next(self._ways(member, (name,)), None)
            if loop:
                self._fail(f"it leads back to itself: {' -> '.join(loop)}", name, *place)
        for member, weight in (table.weights or {}).items():
            if weight < 1:
                detail = f"a weight is a whole number from 1 up, not {weight}"
                self._fail(detail, name, "round_robin", member)

    def _ways(self, name: str, way: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """The ways from a name back to where the way began."""
        if name == way[0]:
            yield (*way, name)
        elif name in self.routes and name not in way:
            for member in self.routes[name].members.values():
                yield from self._ways(member, (*way, name))

    def _check_limits(self, name: str, table: RouteTable) -> None:
        for option, text in table.limits.items():
            try:
                parse(option, text)
            except ConfigError as error:
                self._fail(str(error).removeprefix(f"{option}: "), name, option)
        if table.burst is not None and table.burst < 1:
            self._fail(f"must be at least 1, not {table.burst}", name, "burst")
        if table.burst is not None and not any("rate" in option for option in table.limits):
            self._fail("says nothing without a rate", name, "burst")
        if not table.max_wait >= 0:
            self._fail(f"must be 0 or more, not {table.max_wait}", name, "max_wait")

    def _fail(self, detail: str, *place: str | int) -> NoReturn:
        path = ("routes", *place)
        raise ConfigError(f"{self.where(path)}: {dotted(path)}: {detail}")
