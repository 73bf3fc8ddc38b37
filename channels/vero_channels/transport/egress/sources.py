"""The addresses we send from, and how often each has its turn (KumoMTA: egress source and pool)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

_GOLDEN: Final = 0.618033988749895  # the step that spreads points over a circle most evenly
_SITES: Final = 10_000  # that have a place on the circle of their own
_NAME: Final = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9-]{1,63}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Source:
    """An address to send from. Raises ValueError.

    address: an IP address of this machine; empty leaves the choice to its routes.
    ehlo: the name in EHLO, which DNS should have for the address, both ways; empty says the
    address itself.
    warm_up: the first day of its warm-up; None for an address that is known.
    """

    name: str
    address: str = ""
    ehlo: str = ""
    warm_up: date | None = None

    def __post_init__(self) -> None:
        if self.address:
            ipaddress.ip_address(
                self.address
            )  # "'x' does not appear to be an IPv4 or IPv6 address"
        if self.ehlo and not _NAME.fullmatch(self.ehlo):
            raise ValueError(f"ehlo {self.ehlo!r} is no host name")

    @property
    def version(self) -> int | None:
        """4 or 6; None where the address is the machine's choice."""
        return ipaddress.ip_address(self.address).version if self.address else None


class Pool:
    """Sources with weights; each site sees them in proportion.

    The turns of a site are points on a circle that the weights divide: the first at random, each
    next one 0.618 further. So every turn alone is as likely as its weight, and after n turns a
    share is wrong by about log(n) / n at most, where drawing each anew errs by 1 / sqrt(n).
    random: a number from 0 to below 1.
    """

    def __init__(self, weights: Mapping[str, float], random: Callable[[], float]) -> None:
        self.weights: Final = dict(weights)
        self._random = random
        self._points: dict[str, float] = {}

    def turn(self, site: str) -> float:
        """The point of the site's next turn."""
        if site not in self._points and len(self._points) >= _SITES:
            self._points.clear()  # they begin at random again, which is as fair
        point = self._points.get(site)
        point = self._random() if point is None else (point + _GOLDEN) % 1.0
        self._points[site] = point
        return point

    def pick(self, point: float, names: Sequence[str]) -> tuple[str, float]:
        """Whose turn that point is among these, and the point to go on with without that one."""
        left, chosen = point * sum(self.weights[name] for name in names), names[-1]
        for name in names[:-1]:
            if left < self.weights[name]:
                chosen = name
                break
            left -= self.weights[name]
        return chosen, min(left / self.weights[chosen], 1.0)
