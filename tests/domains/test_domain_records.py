"""What DNS has to hold, what it holds, and what to change."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from dns_server import Fault, dns_server
from domain_samples import NEWS, RELAY, found, news, rsa_pem, states, txt, zone_of

from vero_deliver.domains import Lookup, check, records
from vero_deliver.errors import ConfigError
from vero_deliver.mime import Domain

V2 = f"v2._domainkey.{NEWS}"
GOOD = {
    "DKIM v2": "ok", "DKIM v2e": "ok", "bounces": "ok", "SPF": "ok", "DMARC": "ok",
    "tracking": "ok",
}  # fmt: skip


def test_published_zone_is_found_good() -> None:
    """What `zone` prints, published, is what `check` wants; RSA keys need two strings."""
    with dns_server(zone_of(news())) as dns:
        findings = found(news(), dns.address)
    assert states(findings) == GOOD
    assert findings["SPF"].detail == "takes 1 of 10 DNS lookups"
    assert len(findings["DKIM v2"].wanted) > 255


def test_nothing_is_published() -> None:
    """Every record is missing, and the value to publish is told."""
    with dns_server() as dns:
        findings = found(news(), dns.address)
    assert set(states(findings).values()) == {"missing"}
    wanted = {finding.wanted for finding in findings.values()}
    assert wanted == {record.value for record in records(news())}


def test_alias_as_return_path() -> None:
    """A CNAME stands for the MX and the SPF record of its target."""
    domain = news(return_path_mx="", spf="", return_path_cname="bounce.vero.example")
    target = "bounce.vero.example. 60 IN MX 10 mx.vero.example.\n" + txt(
        "bounce.vero.example", "v=spf1 ip4:192.0.2.1 -all"
    )
    with dns_server(zone_of(domain, target)) as dns:
        assert states(found(domain, dns.address)) == {**GOOD, "return path": "ok"}
        dns.publish(zone_of(domain).replace("bounce.vero.example", "elsewhere.example"))
        findings = found(domain, dns.address)
    assert findings["return path"].detail == "it is an alias of elsewhere.example"
    assert (findings["bounces"].state, findings["SPF"].state) == ("missing", "missing")


def without(name: str, domain: Domain) -> str:
    return "".join(
        line + "\n" for line in zone_of(domain).splitlines() if not line.startswith(f"{name}. ")
    )


def pkcs1() -> str:
    """The key in the form that RFC 6376 names and few publish."""
    public = load_pem_private_key(rsa_pem().encode(), None).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.PKCS1)).decode()


RECORD = news().signers[0].record
P = RECORD.partition("p=")[2]


@pytest.mark.parametrize(
    ("texts", "state", "words"),
    [
        ([f"p={P}"], "ok", "is the key that signs"),
        ([f" v = DKIM1 ;k=rsa; n=note; p={P[:90]} {P[90:]} ;"], "ok", ""),
        ([f"v=DKIM1; h=sha1:sha256; s=email; t=s; p={P}"], "ok", ""),
        ([f"v=DKIM1; p={pkcs1()}"], "ok", ""),
        ([RECORD, RECORD + " "], "wrong", "2 TXT records"),
        (["v=DKIM1; k=rsa; p="], "wrong", "revoked"),
        ([RECORD[:300]], "wrong", "p="),
        ([RECORD.replace("p=M", "p=N")], "wrong", "another key's"),
        ([f"v=DKIM1; k=rsa; p={P[:40]}?{P[41:]}"], "wrong", "not base64"),
        ([f"v=DKIM1; k=ed25519; p={P}"], "wrong", "k=ed25519"),
        ([f"v=DKIM1; t=y; p={P}"], "wrong", "t=y"),
        ([f"v=DKIM1; h=sha1; p={P}"], "wrong", "h="),
        ([f"v=DKIM1; s=other; p={P}"], "wrong", "s="),
        ([f"p={P}; v=DKIM1"], "wrong", "v="),
        ([f"v=DKIM1; p={P}; p={P}"], "wrong", "twice"),
        (["v=DKIM1; k=rsa"], "wrong", "no p="),
        (["hello"], "wrong", "no tag=value"),
    ],
)
def test_dkim_is_compared_by_its_tags(texts: list[str], state: str, words: str) -> None:
    """White space, order and strings do not matter; anything a receiver stumbles over does."""
    with dns_server(without(V2, news()) + txt(V2, *texts)) as dns:
        finding = found(news(), dns.address)["DKIM v2"]
    assert (finding.state, words in finding.detail) == (state, True), finding


def test_selector_may_be_an_alias() -> None:
    """A selector that a CNAME leads elsewhere is read there."""
    zone = without(V2, news()) + f"{V2}. 60 IN CNAME v2.keys.vero.example.\n"
    with dns_server(zone + txt("v2.keys.vero.example", RECORD)) as dns:
        finding = found(news(), dns.address)["DKIM v2"]
    assert (finding.state, "by way of v2.keys.vero.example" in finding.detail) == ("ok", True)


def test_rotation_keeps_the_old_selector() -> None:
    """The old selector is looked at as well as the new one; it is missed when it is gone."""
    domain = news(other_selectors=["v1"])
    old = txt(f"v1._domainkey.{NEWS}", "v=DKIM1; p=QUJD")
    with dns_server(zone_of(domain, old)) as dns:
        assert states(found(domain, dns.address)) == {**GOOD, "DKIM v1": "ok"}
        dns.publish(zone_of(domain))
        finding = found(domain, dns.address)["DKIM v1"]
    assert finding.state == "missing"
    assert "take it out of other_selectors" in finding.detail


def dmarc(record: str, **changes: Any) -> tuple[str, str]:
    """State and detail of DMARC where that is the record of news.example.com."""
    domain = news(**changes)
    zone = without(f"_dmarc.{NEWS}", domain)
    with dns_server(zone + (txt(f"_dmarc.{NEWS}", record) if record else "")) as dns:
        finding = found(domain, dns.address)["DMARC"]
    return finding.state, finding.detail


@pytest.mark.parametrize(
    ("record", "changes", "state", "words"),
    [
        ("v=DMARC1; p=reject", {}, "ok", "policy reject"),
        ("v=DMARC1;p=none", {}, "wrong", "the policy is none, weaker than quarantine"),
        ("v=DMARC1; rua=mailto:a@example.com", {"dmarc": "none"}, "ok", "policy none"),
        ("v=DMARC1; p=quarantine; t=y", {}, "wrong", "quarantine with t=y, weaker"),
        ("v=DMARC1; p=reject; t=y", {}, "ok", ""),
        ("v=DMARC1; p=maybe", {}, "wrong", "'maybe' is none of none, quarantine, reject"),
        ("v=DMARC1; p=reject; adkim=s", {}, "wrong", "adkim=s fails senders below"),
        ("v=DMARC1; p=reject; adkim=s", {"alignment": "strict"}, "ok", ""),
        ("v=DMARC1; p=reject; aspf=s", {}, "ok", "so all rests on DKIM"),
        (
            "v=DMARC1; p=reject; aspf=s",
            {"selector": "", "key": "", "ed25519_selector": "", "ed25519_key": ""},
            "wrong",
            "no key signs, and aspf=s does not count",
        ),
        (
            "v=DMARC1; p=reject",
            {"return_path": "bounces.example.net"},
            "ok",
            "bounces.example.net belongs to another organisation",
        ),
        ("v=DMARC1; p", {}, "wrong", "no tag=value"),
        ("v=DMARC2; p=reject", {}, "missing", "neither it nor a domain above"),
        ("", {}, "missing", "neither it nor a domain above"),
    ],
)
def test_dmarc(record: str, changes: dict[str, Any], state: str, words: str) -> None:
    """Policy, trial, alignment of both mechanisms, and records that are none."""
    got, detail = dmarc(record, **changes)
    assert (got, words in detail) == (state, True), detail


def test_several_dmarc_records() -> None:
    """Two are as good as none."""
    domain = news()
    with dns_server(zone_of(domain, txt(f"_dmarc.{NEWS}", "v=DMARC1; p=none"))) as dns:
        finding = found(domain, dns.address)["DMARC"]
    assert (finding.state, "several records" in finding.detail) == ("wrong", True)


def test_bounces_that_nobody_takes() -> None:
    """A null MX, and a host that is not the one expected."""
    host = f"bounces.{NEWS}"
    with dns_server(zone_of(news()).replace("MX 10 mx.example.com.", "MX 0 .")) as dns:
        null = found(news(), dns.address)["bounces"]
        dns.publish(zone_of(news()).replace("mx.example.com", "mx.example.net"))
        other = found(news(), dns.address)["bounces"]
    assert (null.name, null.state) == (host, "wrong")
    assert "takes no mail" in null.detail
    assert other.detail == "its mail goes to mx.example.net, not mx.example.com"


def test_tracking_without_a_target_has_an_address() -> None:
    """Where no alias is expected, any address will do."""
    domain = news(tracking_cname="")
    with dns_server(zone_of(domain, f"click.{NEWS}. 60 IN AAAA 2001:db8::1\n")) as dns:
        assert states(found(domain, dns.address)) == GOOD
        dns.publish(zone_of(domain))
        assert found(domain, dns.address)["tracking"].state == "missing"


@pytest.mark.parametrize("fault", ["drop", "servfail", "refused", "garbage", "cname loop"])
def test_dns_that_fails_is_no_finding(fault: Fault) -> None:
    """A server that is silent, broken or lies leaves the state unknown; the others are known."""
    with dns_server(zone_of(news()), {V2: fault}) as dns:
        findings = found(news(), dns.address, timeout=1.0)
    assert states(findings) == {**GOOD, "DKIM v2": "unknown"}
    assert V2 not in findings["DKIM v2"].detail  # it is named beside
    assert "try again later" in findings["DKIM v2"].detail


def test_large_answers_come_over_tcp() -> None:
    """An answer that does not fit UDP is asked for again over TCP."""
    noise = txt(NEWS, *[f"site-verification={number:03}{'x' * 90}" for number in range(60)])
    domain = Domain(NEWS, spf="include:_spf.relay.example")
    with dns_server(zone_of(domain, noise)) as dns:
        assert found(domain, dns.address)["SPF"].state == "ok"
        assert dns.over_tcp


def test_odd_bytes_are_shown_escaped() -> None:
    """Octets that are no ASCII, records of 50 kB or a hundred of them: the report stays short."""
    odd = r"\000\027\255\"" * 60
    lines = f'{V2}. 60 IN TXT "{odd}"\n' + txt(V2, "x" * 50_000, *map(str, range(100)))
    with dns_server(without(V2, news()) + lines) as dns:
        finding = found(news(), dns.address)["DKIM v2"]
    assert finding.state == "wrong"
    assert max(map(len, finding.found)) <= 400
    assert len(finding.found) <= 10
    assert all(text.isascii() for text in finding.found)


def test_each_question_is_asked_once() -> None:
    """Domains that share records share answers."""
    domains = [Domain(f"{name}.example.com", spf="include:_spf.relay.example") for name in "abc"]
    with dns_server("".join(map(zone_of, domains[:1])) + RELAY) as dns:
        lookup = Lookup([dns.address])
        check(domains[:1], lookup)
        before = len(dns.asked)
        check(domains[:1], lookup)
        assert len(dns.asked) == before
    assert len(dns.asked) == len(set(dns.asked))


@pytest.mark.parametrize("text", ["dns.example.com", "127.0.0.1:0", "127.0.0.1:x", "::1:99999", ""])
def test_nameservers_are_addresses(text: str) -> None:
    """A name, or a port that is none, is an error that says what to write."""
    with pytest.raises(ConfigError, match="write an IP address"):
        Lookup([text])


def test_ipv6_nameservers() -> None:
    """With a port in brackets, without also bare."""
    assert Lookup(["[::1]:5353", "::1", "[::1]", "127.0.0.1"])
