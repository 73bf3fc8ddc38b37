"""Records as lines of a zone file (RFC 1035 section 5)."""

from __future__ import annotations

import re
from typing import Final

from vero_deliver.domains.records import Record

TTL: Final = 3600  # seconds
_STRING = 255  # octets of one string of a TXT record (RFC 1035 section 3.3)


def zone_line(record: Record, *, origin: str = "") -> str:
    """One record, a TXT value in strings of at most 255 octets.

    origin: the domain that the owner's name is relative to; empty for an absolute name.
    """
    owner = record.name.removesuffix(f".{origin}") if origin else f"{record.name}."
    return f"{owner} {TTL} IN {record.type} {_value(record)}"


def _value(record: Record) -> str:
    if record.type != "TXT":
        return f"{record.value}."
    octets = record.value.encode()
    parts = [octets[at : at + _STRING] for at in range(0, len(octets), _STRING)]
    strings = " ".join(f'"{_escaped(part)}"' for part in parts)
    return f"( {strings} )" if len(parts) > 1 else strings


def _escaped(octets: bytes) -> str:
    text = re.sub(r'(["\\])', r"\\\1", octets.decode("latin-1"))
    return re.sub(r"[^ -~]", lambda found: f"\\{ord(found[0]):03}", text)
