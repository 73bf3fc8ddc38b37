"""DMARC policies as receivers find them: the DNS tree walk of RFC 9989 section 4.10.

No list of public suffixes is needed: the walk finds the organisation's domain by its records.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vero_deliver.domains.lookup import Lookup
from vero_deliver.domains.tags import parse_tags

_MOST_LABELS = 8  # of a name that is walked one label at a time
_RECORD = re.compile(r"v[ \t]*=[ \t]*DMARC1[ \t]*(?:;.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Published:
    """The DMARC record of one name. wrong: why receivers cannot read it."""

    name: str
    text: str
    tags: dict[str, str]
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Discovery:
    """What a walk up from a domain finds.

    record: the one that is for the domain: its own, else its organisation's, else its
    registry's. twice: names with several records, which are all ignored.
    """

    domain: str
    organization: str
    record: Published | None
    twice: tuple[str, ...]

    @property
    def policy(self) -> str:
        """What receivers are asked to do with mail from the domain that fails, as it is put."""
        if self.record is None:
            return "none"
        tags = self.record.tags
        policy = tags.get("p", "none")
        if self.record.name != self.domain:
            policy = tags.get("sp", policy)
        return policy.lower()


def discover(domain: str, dns: Lookup) -> Discovery:
    """The walk: at most eight questions. Raises Unanswered."""
    found: list[Published] = []
    twice: list[str] = []
    for name in _walk(domain):
        texts = [
            text for text in dns.ask(f"_dmarc.{name}", "TXT").values if _RECORD.fullmatch(text)
        ]
        if len(texts) > 1:
            twice.append(name)
        elif texts:
            found.append(_published(name, texts[0]))
            if found[-1].tags.get("psd", "").lower() in ("y", "n"):
                break
    organization = _organization(domain, found)
    above = [record for record in found if record.name in (domain, organization)]
    registry = [record for record in found if record.tags.get("psd", "").lower() == "y"]
    return Discovery(domain, organization, next(iter(above + registry), None), tuple(twice))


def _walk(domain: str) -> list[str]:
    labels = domain.split(".")
    rest = labels[1:] if len(labels) < _MOST_LABELS else labels[1 - _MOST_LABELS :]
    return [domain, *(".".join(rest[at:]) for at in range(len(rest)))]


def _organization(domain: str, found: list[Published]) -> str:
    """Section 4.10.2: where psd says it, else the shortest name with a record."""
    for record in found:
        psd = record.tags.get("psd", "").lower()
        if psd == "n":
            return record.name
        if psd == "y" and record.name != domain:
            depth = record.name.count(".") + 2
            return ".".join(domain.split(".")[-depth:])
    return found[-1].name if found else domain


def _published(name: str, text: str) -> Published:
    try:
        return Published(name, text, parse_tags(text))
    except ValueError as error:
        return Published(name, text, {}, str(error))
