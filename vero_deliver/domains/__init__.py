"""What a sending domain has to have in DNS: as records, as a zone file, and as findings."""

from __future__ import annotations

from vero_deliver.domains.check import Finding, State, check
from vero_deliver.domains.lookup import Lookup, Unanswered
from vero_deliver.domains.records import Record, records
from vero_deliver.domains.zone import zone_line

__all__ = ["Finding", "Lookup", "Record", "State", "Unanswered", "check", "records", "zone_line"]
