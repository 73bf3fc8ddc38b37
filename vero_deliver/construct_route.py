"""A route from its table: the channels it names, one after another or in turn, and held back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vero_deliver.channel import Channel
from vero_deliver.errors import ConfigError
from vero_deliver.plain import KeyPath, Where, dotted
from vero_deliver.rendered import ContentName
from vero_deliver.routes import (
    ByPlatform,
    Failover,
    Health,
    QuietHours,
    Quotas,
    RoundRobin,
    Throttled,
)
from vero_deliver.routes.table import RouteTable
from vero_deliver.warm_up import WarmUpStore

_COUNTED_BY: Final[Mapping[str, tuple[ContentName, ...]]] = {
    "domain": ("email", "http"),
    "sender": ("email", "sms"),
}
_QUIET: Final[tuple[ContentName, ...]] = ("sms", "push")


@dataclass(frozen=True, slots=True)
class Shared:
    """What all processes know together; the process's own where there is none.

    health: the memory of failures. quotas: what was taken of each. warm_up: makes what keeps the
    warm-up of the channel of a name.
    """

    health: Health | None = None
    quotas: Quotas | None = None
    warm_up: Callable[[str], WarmUpStore] | None = None


def construct_route(
    name: str,
    table: RouteTable,
    content: ContentName,
    *,
    where: Where,
    member: Callable[[str], Channel[Any]],
    shared: Shared | None = None,
) -> Channel[Any]:
    """The route that a checked table describes. Raises ConfigError naming its place and key.

    where: the place of a key in the project's file. member: makes the channel or route of a name.
    """
    shared = shared or Shared()

    def place(path: KeyPath) -> str:
        whole = ("routes", name, *path)
        return f"{where(whole)}: {dotted(whole)}"

    for option in table.limits:
        what = option.rpartition("_")[2]
        if content not in _COUNTED_BY.get(what, (content,)):
            raise ConfigError(f"{place((option,))}: {content} has no {what}")
    if table.platforms and content != "push":
        raise ConfigError(f"{place(('platforms',))}: {content} goes to no device; only push does")
    channels = []
    for path, one in table.members.items():
        try:
            channels.append(member(one))
        except ConfigError as error:
            raise ConfigError(f"{place(path)}: {error}") from None
    if table.quiet_hours and content not in _QUIET:
        raise ConfigError(f"{place(('quiet_hours',))}: {content} has none, only sms and push have")
    route = _throttled(name, table, _chosen(name, table, channels, shared.health), shared)
    if not table.quiet_hours:
        return route
    return QuietHours(route, table.quiet_hours, timezone=table.timezone, name=name)


def _throttled(name: str, table: RouteTable, route: Channel[Any], shared: Shared) -> Channel[Any]:
    if not table.limits:
        return route
    return Throttled(
        route,
        table.rate,
        rate_per_domain=table.rate_per_domain,
        rate_per_sender=table.rate_per_sender,
        quota=table.quota,
        quota_per_domain=table.quota_per_domain,
        quota_per_sender=table.quota_per_sender,
        burst=table.burst,
        max_wait=table.max_wait,
        name=name,
        health=shared.health,
        quotas=shared.quotas,
    )


def _chosen(
    name: str, table: RouteTable, channels: list[Channel[Any]], health: Health | None
) -> Channel[Any]:
    if table.platforms:
        chosen = dict(zip(table.platforms, channels, strict=True))
        return ByPlatform(chosen, name=name, health=health)
    if table.round_robin:
        weights = list(table.weights.values()) if table.weights is not None else None
        return RoundRobin(channels, weights, name=name, health=health)
    if table.failover:
        return Failover(channels, name=name, health=health)
    [channel] = channels
    return channel
