"""What was seen before, for signatures that do not cover what they come with."""

from __future__ import annotations

from itertools import islice
from threading import Lock
from typing import Final

_MOST: Final = 100_000  # tokens; the oldest are forgotten


class Seen:
    """Remembers what each token came with first. In memory: each process has its own."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: dict[str, tuple[str, float]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._known)

    def remember(self, token: str, name: str, expires: float, *, now: float) -> str:
        """The name that the token came with first: `name` itself where it is new.

        expires, now: seconds since 1970.
        """
        with self._lock:
            known = self._known.get(token)
            if known is not None and known[1] > now:
                return known[0]
            self._known.pop(token, None)
            self._known[token] = (name, expires)
            self._forget(now)
            return name

    def _forget(self, now: float) -> None:
        for token in list(islice(self._known, 2)):  # one comes, two may go: it never grows old
            if len(self._known) > self._most or self._known[token][1] <= now:
                del self._known[token]
