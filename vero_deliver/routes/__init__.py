"""Channels made of channels: failover, round robin, throttle; and the health they share."""

from __future__ import annotations

from vero_deliver.routes.failover import Failover
from vero_deliver.routes.health import Admission, Circuits, Health, Shut
from vero_deliver.routes.round_robin import RoundRobin
from vero_deliver.routes.throttled import Throttled

__all__ = ["Admission", "Circuits", "Failover", "Health", "RoundRobin", "Shut", "Throttled"]
