"""When a delivery is tried again, and for how long."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from vero_deliver.errors import ConfigError
from vero_deliver.rendered import Kind
from vero_deliver.states import Repeat

_LONGEST_WISH: Final = 86_400.0  # seconds of a provider's Retry-After that are believed


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the desk does where nobody says otherwise.

    transactional, marketing: what becomes of a delivery that left and was never answered, on a
    channel that is not idempotent. at_most_once leaves it uncertain; at_least_once sends it again.
    An idempotent channel is simply asked again.
    expires: how long a delivery may take; what is not accepted by then is expired.
    first_retry: seconds before the second attempt; twice as long each time after, up to
    longest_retry. Half of each wait is random, so that what failed together does not return
    together. A provider that says Retry-After is not asked sooner.
    """

    transactional: Repeat = "at_most_once"
    marketing: Repeat = "at_most_once"
    expires: timedelta = timedelta(days=5)  # RFC 5321, 4.5.4.1
    first_retry: float = 30.0
    longest_retry: float = 3_600.0
    random: Callable[[], float] = field(default=random.random, repr=False)

    def __post_init__(self) -> None:
        if self.expires <= timedelta(0):
            raise ConfigError(f"expires must be longer than nothing, not {self.expires}")
        if not 0 < self.first_retry <= self.longest_retry:
            raise ConfigError(
                "first_retry must be more than 0 and at most longest_retry, "
                f"not {self.first_retry} and {self.longest_retry}"
            )

    def repeats(self, kind: Kind) -> bool:
        """True where a delivery that may have arrived is sent again all the same."""
        chosen: Repeat = getattr(self, kind)
        return chosen == "at_least_once"

    def wait(self, attempts: int, retry_after: float | None = None) -> float:
        """Seconds from an attempt, the first is 1, to the next."""
        doubled = self.first_retry * 2.0 ** min(attempts - 1, 60)
        wait = min(doubled, self.longest_retry) * (0.5 + self.random() / 2)
        return max(wait, min(retry_after or 0.0, _LONGEST_WISH))
