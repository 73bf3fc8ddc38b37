"""A sending domain with all that it may have, and what DNS holds where it is well set up."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from vero_deliver.domains import Finding, Lookup, State, check, records, zone_line
from vero_deliver.mime import Domain, new_key
from vero_deliver.secret import Secret

BOUNCE_SECRET = Secret("0123456789abcdef-bounces")
NEWS = "news.example.com"
RELAY = '_spf.relay.example. 60 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"\n'


@lru_cache
def rsa_pem(name: str = "") -> str:
    """A key for each name."""
    del name
    return new_key("rsa")


@lru_cache
def ed25519_pem() -> str:
    return new_key("ed25519")


def news(**changes: Any) -> Domain:
    """news.example.com, signed twice, bounces to a name of its own."""
    given: dict[str, Any] = {
        "selector": "v2",
        "key": rsa_pem(),
        "ed25519_selector": "v2e",
        "ed25519_key": ed25519_pem(),
        "return_path": f"bounces.{NEWS}",
        "return_path_secret": BOUNCE_SECRET,
        "return_path_mx": "mx.example.com",
        "tracking": f"click.{NEWS}",
        "tracking_cname": "track.vero.example",
        "spf": "include:_spf.relay.example",
        "dmarc": "quarantine",
        "dmarc_reports": "mailto:dmarc@example.com",
    }
    return Domain(NEWS, **{**given, **changes})


def zone_of(domain: Domain, more: str = "") -> str:
    """What `domain zone` prints, and what the relay publishes."""
    return "".join(f"{zone_line(record)}\n" for record in records(domain)) + RELAY + more


def txt(name: str, *texts: str) -> str:
    """Zone lines of TXT records with these texts, in strings of 255 octets."""
    lines = []
    for text in texts:
        parts = [text[at : at + 255] for at in range(0, len(text), 255)] or [""]
        lines.append(f"{name}. 60 IN TXT {' '.join(f'{chr(34)}{part}{chr(34)}' for part in parts)}")
    return "\n".join(lines) + "\n"


def found(domain: Domain, address: str, timeout: float = 5.0) -> dict[str, Finding]:
    """The findings by what they are about."""
    return {one.what: one for one in check([domain], Lookup([address], timeout=timeout))}


def states(findings: dict[str, Finding]) -> dict[str, State]:
    return {what: finding.state for what, finding in findings.items()}
