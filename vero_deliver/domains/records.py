"""The records that a sending domain needs, as its settings say."""

from __future__ import annotations

from dataclasses import dataclass

from vero_deliver.domains.lookup import RecordType
from vero_deliver.mime import Domain


@dataclass(frozen=True, slots=True)
class Record:
    """One DNS record. value: TXT as one text, "10 mx.example.com" of MX, a name of CNAME."""

    name: str
    type: RecordType
    value: str


def records(domain: Domain) -> list[Record]:
    """All that has to be published for the domain, and is known: DKIM, bounces, SPF, DMARC."""
    found = [Record(signer.name, "TXT", signer.record) for signer in domain.signers]
    if domain.return_path_cname:
        found.append(Record(domain.return_path, "CNAME", domain.return_path_cname))
    if domain.return_path_mx:
        found.append(Record(domain.return_path, "MX", f"10 {domain.return_path_mx}"))
    if domain.spf:
        found.append(Record(domain.mail_from, "TXT", spf_record(domain)))
    found.append(Record(f"_dmarc.{domain.name}", "TXT", dmarc_record(domain)))
    if domain.tracking_cname:
        found.append(Record(domain.tracking, "CNAME", domain.tracking_cname))
    return found


def spf_record(domain: Domain) -> str:
    """The whole SPF record; `redirect` stands in for `all`."""
    end = "" if "redirect=" in domain.spf.lower() else " ~all"
    return f"v=spf1 {domain.spf}{end}"


def dmarc_record(domain: Domain) -> str:
    """The DMARC record that says what the settings say."""
    tags = ["v=DMARC1", f"p={domain.dmarc}"]
    if domain.alignment == "strict":
        tags.append("adkim=s")
    if domain.dmarc_reports:
        tags.append(f"rua={domain.dmarc_reports}")
    return "; ".join(tags)
