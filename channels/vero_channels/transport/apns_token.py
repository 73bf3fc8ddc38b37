"""Apple's provider token: a JWT for the whole team, made anew neither too often nor too late."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from vero_channels.transport.jwt import load_key, signed
from vero_deliver.secret import Secret

LIFE: Final = 45 * 60.0  # seconds; Apple refuses a token after 60 minutes
SHORTEST: Final = 20 * 60.0  # seconds; Apple refuses those who make new ones more often


class ProviderToken:
    """Signs with the key of a .p8 file. ValueError where it is none; it shows nothing of it."""

    def __init__(
        self, key: str | Secret, key_id: str, team_id: str, clock: Callable[[], float]
    ) -> None:
        found = load_key(key)
        if not isinstance(found, EllipticCurvePrivateKey):
            raise ValueError("the key is of RSA, and Apple's are of P-256")
        self._key, self._clock = found, clock
        self.key_id, self.team_id = key_id, team_id
        self._token, self._made, self._renewed = Secret(""), 0.0, -SHORTEST

    def current(self) -> Secret:
        """The token of now: the same one for 45 minutes."""
        now = self._clock()
        if not self._token or not self._made <= now < self._made + LIFE:
            self._make(now)
        return self._token

    def renew(self, refused: Secret) -> bool:
        """Make another one in place of that which Apple calls expired; False if that is no use.

        Where several requests were refused at once, the first of them makes it.
        """
        now = self._clock()
        if self._token is not refused:
            return True
        if 0 <= now - self._renewed < SHORTEST:
            return False
        self._renewed = now
        self._make(now)
        return True

    def _make(self, now: float) -> None:
        claims = {"iss": self.team_id, "iat": int(now)}
        self._token = Secret(signed({"kid": self.key_id}, claims, self._key))
        self._made = now
