"""Channels made of channels: failover, turns, by platform, throttle, quiet hours; and health."""

from __future__ import annotations

from vero_deliver.routes.by_platform import ByPlatform
from vero_deliver.routes.failover import Failover
from vero_deliver.routes.health import Admission, Circuits, Health, Shut
from vero_deliver.routes.limits import Quotas
from vero_deliver.routes.quiet import QuietHours
from vero_deliver.routes.round_robin import RoundRobin
from vero_deliver.routes.throttled import Throttled

__all__ = [
    "Admission",
    "ByPlatform",
    "Circuits",
    "Failover",
    "Health",
    "QuietHours",
    "Quotas",
    "RoundRobin",
    "Shut",
    "Throttled",
]
