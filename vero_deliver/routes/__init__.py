"""Channels made of channels: failover, round robin, throttle, quiet hours; and health."""

from __future__ import annotations

from vero_deliver.routes.failover import Failover
from vero_deliver.routes.health import Admission, Circuits, Health, Shut
from vero_deliver.routes.quiet import QuietHours
from vero_deliver.routes.round_robin import RoundRobin
from vero_deliver.routes.throttled import Throttled

__all__ = [
    "Admission",
    "Circuits",
    "Failover",
    "Health",
    "QuietHours",
    "RoundRobin",
    "Shut",
    "Throttled",
]
