"""Whether DNS has what a sending domain needs, and what to change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

from vero_deliver.domains.dkim import disagreement, key_record
from vero_deliver.domains.dmarc import Discovery, discover
from vero_deliver.domains.lookup import Lookup, RecordType, Unanswered
from vero_deliver.domains.records import dmarc_record, spf_record
from vero_deliver.domains.spf import SpfError, evaluate
from vero_deliver.mime import Domain, Signer
from vero_deliver.mime.domain import DmarcPolicy

State = Literal["ok", "missing", "wrong", "unknown"]

_STRICTNESS = get_args(DmarcPolicy)
_SHOWN = 400  # characters of a record that somebody else wrote
_MOST = 10  # such records
_THREADS = 16


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of one thing. detail: what is so, and what to change."""

    state: State
    detail: str
    found: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One record, or one set of them, that was looked at.

    wanted: the value to publish; empty where the settings do not say. state "unknown": DNS
    failed, ask again later.
    """

    domain: str
    what: str
    name: str
    type: RecordType
    state: State
    detail: str
    wanted: str
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Question:
    what: str
    name: str
    type: RecordType
    wanted: str
    ask: Callable[[Lookup], Verdict]


def check(domains: Sequence[Domain], dns: Lookup) -> list[Finding]:
    """What DNS says, in the order of the domains and of their records. Never raises for DNS."""
    asked = [(domain, question) for domain in domains for question in _questions(domain)]
    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(lambda pair: _finding(pair[0], pair[1], dns), asked))


def _finding(domain: Domain, question: _Question, dns: Lookup) -> Finding:
    try:
        verdict = question.ask(dns)
    except Unanswered as error:
        why = str(error).removeprefix(f"{question.name} {question.type}: ")
        verdict = Verdict("unknown", f"{why}; try again later")
    return Finding(
        domain.name,
        question.what,
        question.name,
        question.type,
        verdict.state,
        verdict.detail,
        question.wanted,
        tuple(text[:_SHOWN] for text in verdict.found[:_MOST]),
    )


def _questions(domain: Domain) -> Iterator[_Question]:
    for signer in domain.signers:
        ask = partial(_dkim, signer.name, signer)
        yield _Question(f"DKIM {signer.selector}", signer.name, "TXT", signer.record, ask)
    for selector in domain.other_selectors:
        name = f"{selector}._domainkey.{domain.name}"
        yield _Question(f"DKIM {selector}", name, "TXT", "", partial(_dkim, name, None))
    if domain.return_path_cname:
        host, target = domain.return_path, domain.return_path_cname
        yield _Question("return path", host, "CNAME", target, partial(_alias, host, target))
    if domain.return_path:
        wanted = f"10 {domain.return_path_mx}" if domain.return_path_mx else ""
        yield _Question("bounces", domain.return_path, "MX", wanted, partial(_bounces, domain))
    wanted = spf_record(domain) if domain.spf else ""
    yield _Question("SPF", domain.mail_from, "TXT", wanted, partial(_spf, domain))
    name = f"_dmarc.{domain.name}"
    yield _Question("DMARC", name, "TXT", dmarc_record(domain), partial(_dmarc, domain))
    if domain.tracking_cname:
        host, target = domain.tracking, domain.tracking_cname
        yield _Question("tracking", host, "CNAME", target, partial(_alias, host, target))
    elif domain.tracking:
        yield _Question("tracking", domain.tracking, "A", "", partial(_address, domain.tracking))


def _dkim(name: str, signer: Signer | None, dns: Lookup) -> Verdict:
    answer = dns.ask(name, "TXT")
    way = f" by way of {answer.alias}" if answer.alias else ""
    try:
        tags = key_record(answer.values)
    except ValueError as error:
        return Verdict("wrong", f"{error}{way}", answer.values)
    if not tags:
        why = "" if signer else "; publish it again, or take it out of other_selectors"
        return Verdict("missing", f"there is no key{way}{why}", ())
    wrong = disagreement(tags, signer) if signer else ""
    if wrong:
        return Verdict("wrong", f"{wrong}{way}", answer.values)
    does = "is the key that signs" if signer else "is still published; nobody here signs with it"
    return Verdict("ok", f"{does}{way}", answer.values)


def _alias(name: str, target: str, dns: Lookup) -> Verdict:
    answer = dns.ask(name, "CNAME")
    if not answer.values:
        return Verdict("missing", "there is no CNAME")
    if answer.values != (target,):
        return Verdict("wrong", f"it is an alias of {answer.values[0]}", answer.values)
    return Verdict("ok", f"is an alias of {target}", answer.values)


def _bounces(domain: Domain, dns: Lookup) -> Verdict:
    answer = dns.ask(domain.return_path, "MX")
    hosts = [value.partition(" ")[2] for value in answer.values]
    if not hosts:
        return Verdict("missing", "no host takes its mail, so bounces are lost; publish an MX")
    if hosts == [""]:
        return Verdict("wrong", 'its MX "." says that it takes no mail', answer.values)
    expected = domain.return_path_mx
    if expected and expected not in hosts:
        return Verdict("wrong", f"its mail goes to {hosts[0]}, not {expected}", answer.values)
    return Verdict("ok", f"bounces go to {', '.join(hosts[:_MOST])}", answer.values)


def _spf(domain: Domain, dns: Lookup) -> Verdict:
    try:
        spf = evaluate(domain.mail_from, dns)
    except SpfError as error:
        return Verdict("wrong", f"receivers end with permerror: {error}")
    if not spf.record:
        how = "" if domain.spf else "; publish v=spf1, the servers that send for you, and ~all"
        return Verdict("missing", f"there is no SPF record{how}")
    absent = [term for term in domain.spf.split() if term.lower() not in spf.terms]
    if absent:
        return Verdict("wrong", f"it lacks {' '.join(absent)}", (spf.record,))
    if {"all", "+all"} & spf.terms:
        return Verdict("wrong", "it lets everybody send: end it with ~all or -all", (spf.record,))
    return Verdict("ok", f"takes {spf.lookups} of 10 DNS lookups", (spf.record,))


def _dmarc(domain: Domain, dns: Lookup) -> Verdict:
    walk = discover(domain.name, dns)
    if domain.name in walk.twice:
        return Verdict("wrong", "there are several records, which are all ignored; keep one")
    record = walk.record
    if record is None:
        return Verdict("missing", "neither it nor a domain above it has a DMARC record")
    source = "" if record.name == domain.name else f" (of _dmarc.{record.name})"
    wrong = record.wrong or _weakness(domain, walk) or _misalignment(domain, walk, dns)
    if wrong:
        return Verdict("wrong", f"{wrong}{source}", (record.text,))
    apart = _spf_apart(domain, walk, dns)
    note = f"; {apart}, so all rests on DKIM" if apart else ""
    return Verdict("ok", f"policy {walk.policy}{source}{note}", (record.text,))


def _weakness(domain: Domain, walk: Discovery) -> str:
    policy = walk.policy
    if policy not in _STRICTNESS:
        return f"the policy {policy[:20]!r} is none of {', '.join(_STRICTNESS)}"
    strictness = _STRICTNESS.index(policy)
    if walk.record and walk.record.tags.get("t", "").lower() == "y" and strictness:
        strictness -= 1  # RFC 9989 section 4.7: on trial, the policy counts one step less
        policy = f"{policy} with t=y"
    if strictness < _STRICTNESS.index(domain.dmarc):
        return f"the policy is {policy}, weaker than {domain.dmarc}"
    return ""


def _misalignment(domain: Domain, walk: Discovery, dns: Lookup) -> str:
    if not domain.signers:
        apart = _spf_apart(domain, walk, dns)
        return f"mail fails DMARC: no key signs, and {apart}" if apart else ""
    tags = walk.record.tags if walk.record else {}
    if domain.alignment == "relaxed" and tags.get("adkim", "r").lower() == "s":
        return (
            f"adkim=s fails senders below {domain.name}, for which its key signs too; publish "
            'adkim=r, or set alignment = "strict"'
        )
    return ""


def _spf_apart(domain: Domain, walk: Discovery, dns: Lookup) -> str:
    """Why a pass of SPF does not count for DMARC; empty where it does."""
    host = domain.mail_from
    if host == domain.name:
        return ""
    if walk.record and walk.record.tags.get("aspf", "r").lower() == "s":
        return f"aspf=s does not count the SPF of {host}"
    if discover(host, dns).organization != walk.organization:
        return f"{host} belongs to another organisation"
    return ""


def _address(name: str, dns: Lookup) -> Verdict:
    found = dns.ask(name, "A").values or dns.ask(name, "AAAA").values
    return Verdict("ok", f"is {found[0]}", found) if found else Verdict("missing", "has no address")
