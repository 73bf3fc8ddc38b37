"""The tree walk of RFC 9989: which record is for a domain, and which organisation is it."""

from __future__ import annotations

import pytest
from dns_server import dns_server
from domain_samples import txt

from vero_deliver.domains import Lookup
from vero_deliver.domains.dmarc import discover


@pytest.mark.parametrize(
    ("published", "domain", "organization", "source", "policy"),
    [
        ({}, "news.example.com", "news.example.com", None, "none"),
        ({"example.com": "p=reject"}, "example.com", "example.com", "example.com", "reject"),
        ({"example.com": "p=reject"}, "news.example.com", "example.com", "example.com", "reject"),
        ({"e.example": "p=reject; sp=none"}, "a.e.example", "e.example", "e.example", "none"),
        (
            {"news.example.com": "p=none", "example.com": "p=reject"},
            "news.example.com", "example.com", "news.example.com", "none",
        ),
        (
            {"news.example.com": "p=none; psd=n", "example.com": "p=reject"},
            "a.news.example.com", "news.example.com", "news.example.com", "none",
        ),
        (
            {"example.com": "p=none", "com": "p=reject; psd=y"},
            "a.example.com", "example.com", "example.com", "none",
        ),
        ({"com": "p=reject; sp=none; psd=y"}, "a.example.com", "example.com", "com", "none"),
        ({"gov": "p=reject; psd=y"}, "gov", "gov", "gov", "reject"),
        (
            {"b.c.d.e.f.example.com": "p=reject"},
            "1.2.3.4.a.b.c.d.e.f.example.com", "b.c.d.e.f.example.com", "b.c.d.e.f.example.com",
            "reject",
        ),
        ({"4.a.b.c.d.e.f.example.com": "p=reject"}, "3.4.a.b.c.d.e.f.example.com",
         "3.4.a.b.c.d.e.f.example.com", None, "none"),
    ],
)  # fmt: skip
def test_walk(
    published: dict[str, str], domain: str, organization: str, source: str | None, policy: str
) -> None:
    """Own record, the organisation's, the registry's; long names are cut; eight questions."""
    zone = "".join(txt(f"_dmarc.{name}", f"v=DMARC1; {tags}") for name, tags in published.items())
    with dns_server(zone) as dns:
        found = discover(domain, Lookup([dns.address]))
        assert len(dns.asked) <= 8
    assert found.organization == organization
    assert (found.record.name if found.record else None) == source
    assert found.policy == policy


def test_several_records_are_none() -> None:
    """A name with two is passed over, and named; what is no DMARC record does not count."""
    zone = txt("_dmarc.a.example.com", "v=DMARC1; p=none", "v=DMARC1; p=reject") + txt(
        "_dmarc.example.com", "v=DMARC1; p=quarantine", "v=DMARC10; p=none", "hello"
    )
    with dns_server(zone) as dns:
        found = discover("a.example.com", Lookup([dns.address]))
    assert found.twice == ("a.example.com",)
    assert found.policy == "quarantine"
