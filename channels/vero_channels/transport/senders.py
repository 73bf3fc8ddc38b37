"""Who a text message comes from: what the sender is, and which one a country needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from vero_deliver.errors import ConfigError
from vero_deliver.phone import E164, SHORT_CODE, country, is_region

Kind = Literal["alphanumeric", "long code", "short code"]

# 11 characters of GSM-7 (3GPP TS 23.040 9.1.2.5), of which operators take these
_ALPHANUMERIC: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}")


@dataclass(frozen=True, slots=True)
class Sender:
    """A name like "VERO", a number like "+447700900123", or a code like "60123"."""

    text: str
    kind: Kind

    @classmethod
    def of(cls, text: str) -> Sender:
        """ValueError where it can be no sender."""
        if E164.fullmatch(text):
            return cls(text, "long code")
        if SHORT_CODE.fullmatch(text):
            return cls(text, "short code")
        if _ALPHANUMERIC.fullmatch(text):
            return cls(text, "alphanumeric")
        raise ValueError(
            f"the sender {text[:40]!r} is no number (+447700900123), no short code, and no name of"
            " up to 11 letters, digits and blanks"
        )


class Senders:
    """The sender of each country, "GB" to sender: what is not listed comes from the message."""

    def __init__(self, by_country: Mapping[str, str]) -> None:
        """ConfigError where a country or a sender is none."""
        self._by_country: dict[str, Sender] = {}
        for region, text in by_country.items():
            if not is_region(region):
                raise ConfigError(f"senders: {region!r} is no country; write GB (ISO 3166-1)")
            try:
                self._by_country[region] = Sender.of(text)
            except ValueError as error:
                raise ConfigError(f"senders: {region}: {error}") from None

    def choose(self, to: str, given: str) -> Sender | None:
        """For that recipient; `given`, the message's own, elsewhere. ValueError as Sender.of."""
        if self._by_country:
            found = self._by_country.get(country(to))
            if found:
                return found
        return Sender.of(given) if given else None
