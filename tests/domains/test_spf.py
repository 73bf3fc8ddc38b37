"""SPF as receivers read it, whatever DNS says."""

from __future__ import annotations

from itertools import pairwise

import pytest
from dns_server import Fault, dns_server
from domain_samples import txt

from vero_deliver.domains import Lookup, Unanswered, check
from vero_deliver.domains.spf import SpfError, evaluate
from vero_deliver.mime import Domain

NAME = "example.com"


def chain(length: int) -> str:
    """example.com includes s1.example, that one s2.example, and so on; the last ends it."""
    names = [NAME, *(f"s{number}.example" for number in range(1, length))]
    lines = [txt(name, f"v=spf1 include:{after} -all") for name, after in pairwise(names)]
    return "".join(lines) + txt(names[-1], "v=spf1 ip4:192.0.2.1 -all")


def a_records(*names: str) -> str:
    return "".join(f"{name}. 60 IN A 192.0.2.1\n" for name in names)


@pytest.mark.parametrize(
    ("zone", "lookups"),
    [
        (txt(NAME, "v=spf1 -all"), 0),
        (txt(NAME, "V=SPF1 IP4:192.0.2.0/24 ip6:2001:db8::/32 ~ALL"), 0),
        (txt(NAME, "other", "v=spf10 x", "v=spf1", "spf1"), 0),
        (txt(NAME, "v=spf1 a mx/24 a:b.example//64 ?all")
         + a_records(NAME, "b.example") + f"{NAME}. 60 IN MX 1 b.example.\n", 3),
        (txt(NAME, "v=spf1 ptr exists:%{i}.x.example include:%{d}.y.example exp=e.example"), 3),
        (txt(NAME, "v=spf1 redirect=b.example") + txt("b.example", "v=spf1 -all"), 1),
        (txt(NAME, "v=spf1 -all redirect=gone.example"), 0),
        (txt(NAME, "v=spf1 unknown=x -all"), 0),
        (chain(11), 10),
    ],
)  # fmt: skip
def test_lookups_are_counted(zone: str, lookups: int) -> None:
    """Terms that ask DNS count, through includes and redirects; a redirect behind all does not."""
    with dns_server(zone) as dns:
        assert evaluate(NAME, Lookup([dns.address])).lookups == lookups


MANY_MX = "".join(f"{NAME}. 60 IN MX {n} m{n}.example.\n" for n in range(11))


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        (txt(NAME, "v=spf1 -all", "v=spf1 ~all"), "example.com has 2 SPF records"),
        (txt(NAME, "v=spf1 ip5:x -all"), "'ip5:x' is no SPF term"),
        (txt(NAME, "v=spf1 include:gone.example -all"), "includes gone.example, which has no SPF"),
        (txt(NAME, "v=spf1 include: -all"), "'include:' is no SPF term"),
        (txt(NAME, "v=spf1 include -all"), "'' is no domain to include"),
        (txt(NAME, "v=spf1 include:a..b -all"), "'a..b' is no domain to include"),
        (txt(NAME, f"v=spf1 include:{'a' * 64}.b -all"), "is no domain to include"),
        (txt(NAME, f"v=spf1 include:{'a.' * 127}b -all"), "is no domain to include"),
        (txt(NAME, "v=spf1 include:a,b -all"), "'a,b' is no domain to include"),
        (txt(NAME, "v=spf1 include:EXAMPLE.com -all"), "itself: example.com -> example.com"),
        (txt(NAME, "v=spf1 include:b.example") + txt("b.example", "v=spf1 redirect=example.com"),
         "itself: example.com -> b.example -> example.com"),
        (chain(12), "more than 10 DNS lookups; the first too many is 'include:s11.example'"),
        (txt(NAME, "v=spf1 " + "ptr " * 60), "more than 10 DNS lookups"),
        (txt(NAME, "v=spf1 a:x.example a:y.example mx:z.example -all"), "lead to nothing"),
        (txt(NAME, "v=spf1 mx -all") + MANY_MX, "mx:example.com has 11 hosts"),
    ],
)  # fmt: skip
def test_permanent_errors(zone: str, words: str) -> None:
    """What makes receivers act as if there were no record; loops and floods end by themselves."""
    with dns_server(zone) as dns:
        with pytest.raises(SpfError) as caught:
            evaluate(NAME, Lookup([dns.address]))
        assert words in str(caught.value)
        assert len(dns.asked) < 40


def test_many_wide_includes_are_few_questions() -> None:
    """A tree of includes that fans out asks ten times and no more."""
    fan = "v=spf1 " + " ".join(f"include:n{n}.example" for n in range(50)) + " -all"
    zone = txt(NAME, fan) + "".join(txt(f"n{n}.example", fan) for n in range(50))
    with dns_server(zone) as dns:
        with pytest.raises(SpfError):
            evaluate(NAME, Lookup([dns.address]))
        assert len(dns.asked) <= 11


@pytest.mark.parametrize("fault", ["drop", "servfail"])
def test_an_include_that_fails_is_unknown(fault: Fault) -> None:
    """That DNS failed for an include says nothing against the record."""
    zone = txt(NAME, "v=spf1 include:b.example -all")
    with dns_server(zone, {"b.example": fault}) as dns, pytest.raises(Unanswered):
        evaluate(NAME, Lookup([dns.address], timeout=0.5))


@pytest.mark.parametrize(
    ("spf", "record", "state", "words"),
    [
        ("include:b.example", "v=spf1 include:B.example -all", "ok", "1 of 10"),
        ("ip4:192.0.2.9", "v=spf1 include:b.example -all", "ok", "1 of 10"),
        ("ip4:192.0.2.1", "v=spf1 +ip4:192.0.2.1 -all", "ok", ""),
        ("ip4:192.0.2.1 a", "v=spf1 ~ip4:192.0.2.1 -all", "wrong", "lacks ip4:192.0.2.1 a"),
        ("", "v=spf1 +all", "wrong", "everybody"),
        ("", "v=spf1 -all", "ok", "0 of 10"),
        ("redirect=b.example", "v=spf1 redirect=b.example", "ok", ""),
        ("", "", "missing", "no SPF record"),
    ],
)
def test_expected_terms(spf: str, record: str, state: str, words: str) -> None:
    """The terms of the settings pass, in the record itself or in what it includes."""
    zone = (txt(NAME, record) if record else "") + txt("b.example", "v=spf1 ip4:192.0.2.9 -all")
    with dns_server(zone) as dns:
        findings = check([Domain(NAME, spf=spf)], Lookup([dns.address]))
    [finding] = [one for one in findings if one.what == "SPF"]
    assert (finding.state, words in finding.detail) == (state, True), finding
