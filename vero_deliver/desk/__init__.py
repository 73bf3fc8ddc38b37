"""The delivery desk: what the outbox promises is rendered, sent once, and filed."""

from __future__ import annotations

from vero_deliver.desk.intake import Intake
from vero_deliver.desk.policy import Policy
from vero_deliver.desk.worker import Worker

__all__ = ["Intake", "Policy", "Worker"]
