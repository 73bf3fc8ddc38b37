"""SPF records as a receiver reads them (RFC 7208), with all that they include."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from vero_deliver.domains.lookup import Lookup

LOOKUPS = 10  # terms that ask DNS, and hosts of one mx (RFC 7208 section 4.6.4)
VOIDS = 2  # questions that may come back empty

_RECORD = re.compile(r"v=spf1(?: (?P<terms>.*))?", re.IGNORECASE | re.DOTALL)
_MODIFIER = re.compile(r"(?P<name>[a-z][a-z0-9._-]*)=(?P<value>.*)", re.IGNORECASE)
_MECHANISM = re.compile(
    r"(?P<sign>[+?~-]?)(?P<name>all|include|a|mx|ptr|ip4|ip6|exists)(?P<to>:[^/]+)?(?:/.*)?",
    re.IGNORECASE,
)
_HOST = re.compile(r"(?!.{254})[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)


class SpfError(ValueError):
    """Receivers end with permerror, as if nothing were published; the text says why."""


@dataclass(slots=True)
class Spf:
    """What a domain's record comes to.

    record: its text; empty where there is none. terms: all that pass, included ones too.
    lookups: how many of the ten a receiver needs at most.
    """

    record: str = ""
    terms: set[str] = field(default_factory=set)
    lookups: int = 0
    voids: int = 0


def spf_records(texts: tuple[str, ...]) -> list[str]:
    """Those of a name's TXT records that are SPF."""
    return [text for text in texts if _RECORD.fullmatch(text)]


def evaluate(domain: str, dns: Lookup) -> Spf:
    """The domain's SPF, every include followed. Raises SpfError, and Unanswered.

    Asks at most a few dozen questions, whatever DNS says.
    """
    spf = Spf()
    found = spf_records(dns.ask(domain, "TXT").values)
    if found:
        _Walk(dns, spf).record(domain, found, ())
        spf.record = found[0]
    return spf


@dataclass(slots=True)
class _Walk:
    dns: Lookup
    spf: Spf

    def record(self, domain: str, found: list[str], above: tuple[str, ...]) -> None:
        if len(found) > 1:
            raise SpfError(f"{domain} has {len(found)} SPF records, and receivers take just one")
        words = _RECORD.fullmatch(found[0])
        path = (*above, domain.lower())
        redirect, ends = "", False
        for term in (words["terms"] or "" if words else "").split():
            modifier = _MODIFIER.fullmatch(term)
            if modifier is None:
                ends = self.mechanism(term, domain, path) or ends
            elif modifier["name"].lower() == "redirect":
                redirect = modifier["value"]
        if redirect and not ends:  # RFC 7208 section 6.1: "all" makes it void
            self.spf.terms.add(f"redirect={redirect.lower()}")
            self.count(f"redirect={redirect}", domain)
            self.follow(redirect, path)

    def mechanism(self, term: str, domain: str, path: tuple[str, ...]) -> bool:
        """True for `all`, which ends the record."""
        found = _MECHANISM.fullmatch(term)
        if found is None:
            raise SpfError(f"{domain}: {term[:60]!r} is no SPF term")
        name, target = found["name"].lower(), (found["to"] or "").removeprefix(":")
        if found["sign"] in ("", "+"):
            self.spf.terms.add(term.removeprefix("+").lower())
        if name in ("include", "exists", "a", "mx", "ptr"):
            self.count(term, domain)
        if name == "include":
            self.follow(target, path)
        elif name in ("a", "mx", "exists"):
            self.hosts(name, target or domain)
        return name == "all"

    def count(self, term: str, domain: str) -> None:
        self.spf.lookups += 1
        if self.spf.lookups > LOOKUPS:
            raise SpfError(
                f"it needs more than {LOOKUPS} DNS lookups; the first too many is "
                f"{term[:60]!r} of {domain}; replace includes by their ip4: and ip6: terms"
            )

    def follow(self, target: str, path: tuple[str, ...]) -> None:
        if "%" in target:  # a macro is made of the sender and the address that connects
            return
        if not _HOST.fullmatch(target):
            raise SpfError(f"{path[-1]}: {target[:60]!r} is no domain to include")
        if target.lower() in path:
            raise SpfError(f"it includes itself: {' -> '.join((*path, target.lower()))}")
        found = spf_records(self.dns.ask(target, "TXT").values)
        if not found:
            raise SpfError(f"{path[-1]} includes {target}, which has no SPF record")
        self.record(target, found, path)

    def hosts(self, name: str, target: str) -> None:
        if "%" in target or not _HOST.fullmatch(target):
            return
        if name == "mx":
            answers = self.dns.ask(target, "MX").values
            if len(answers) > LOOKUPS:
                raise SpfError(f"mx:{target} has {len(answers)} hosts, and {LOOKUPS} are allowed")
        else:
            answers = self.dns.ask(target, "A").values or (
                self.dns.ask(target, "AAAA").values if name == "a" else ()
            )
        if not answers:
            self.spf.voids += 1
            if self.spf.voids > VOIDS:
                raise SpfError(f"more than {VOIDS} of its terms lead to nothing; one is {target}")
