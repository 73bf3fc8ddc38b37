"""Rules of automation: what a server's words make us do, and for how long."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from vero_channels.transport.egress.amounts import Rate

ActionName = Literal["Suspend", "SuspendTenant", "Bounce", "SetConfig"]


@dataclass(frozen=True, slots=True)
class Action:
    """What is done to a source at a site.

    Suspend: nothing is sent. SuspendTenant: nothing of that sender's domain. Bounce: everything is
    refused. SetConfig: the option `option` has another value.
    """

    name: ActionName
    option: str = ""
    value: Any = None


@dataclass(frozen=True, slots=True)
class Rule:
    """Acts for `duration` seconds at the first match, or at `threshold` of them in its time."""

    patterns: tuple[re.Pattern[str], ...]
    actions: tuple[Action, ...]
    duration: float
    threshold: Rate | None = None

    def matches(self, answer: str) -> bool:
        """Whether the server's answer, "421 4.7.0 [TSS04] Messages from ...", is meant."""
        return any(pattern.search(answer) for pattern in self.patterns)
