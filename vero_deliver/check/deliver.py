"""Whether mailbox providers can tell that the sender is who it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from vero_deliver.check.finding import Hit
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen
from vero_deliver.check.shown import ShownEmail

if TYPE_CHECKING:
    from vero_deliver.domains import Lookup


@rule("deliver/unaligned", "warning")
def unaligned(seen: Seen) -> Iterator[Hit]:
    """The sender is at none of the project's sending domains.

    Nobody signs for it with DKIM, so DMARC has nothing to go by: bulk senders without it are
    refused by Gmail and Yahoo.
    """
    domains = seen.project.settings.domains
    for mail in seen.emails if domains else ():
        sender = _domain_of(mail)
        if not any(sender == name or sender.endswith(f".{name}") for name in domains):
            yield Hit(f"{sender} is below none of [domains]", on=mail, at="from")


@rule("deliver/dns", "error", needs="online", parts=True)
def records(seen: Seen) -> Iterator[Hit]:
    """DNS lacks what a sending domain needs.

    SPF, DKIM and DMARC records are how mailbox providers know that the mail is yours. `domain
    check` shows all of them, with what to publish.
    """
    from vero_deliver.domains import check

    dns = _lookup(tuple(seen.options.nameservers))
    senders = {_domain_of(mail): mail for mail in seen.emails}
    for name in seen.project.settings.domains:
        mail = next((m for s, m in senders.items() if s == name or s.endswith(f".{name}")), None)
        if mail is None:
            continue
        for found in check([seen.project.domain(name)], dns):
            if found.state in ("missing", "wrong"):
                part = re.sub(r"\W+", "-", found.what.lower()).strip("-")
                text = f"{found.name} {found.type} is {found.state}"
                hint = f"publish {found.wanted}" if found.wanted else ""
                yield Hit(text, at="email.from", detail=found.detail, hint=hint, part=part)


@lru_cache(maxsize=1)
def _lookup(nameservers: tuple[str, ...]) -> Lookup:
    """One for all messages, so that each question is asked once."""
    from vero_deliver.domains import Lookup

    return Lookup(nameservers)


def _domain_of(mail: ShownEmail) -> str:
    return mail.rendered.from_.email.rpartition("@")[2].lower()
