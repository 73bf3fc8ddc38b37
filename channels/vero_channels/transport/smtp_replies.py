"""What a reply means: the error it becomes, and the queue id in a server's yes."""

from __future__ import annotations

import re
from typing import Literal

from vero_channels.transport.smtp_dialogue import Reply, clean
from vero_deliver.errors import Deferred, DeliveryError, Gone, Misconfigured, Refused

Step = Literal["MAIL FROM", "RCPT TO", "DATA", "the message"]

# RFC 3463 and the IANA registry: no such mailbox, moved away, null MX (RFC 7505), disabled.
_GONE = frozenset({"5.1.1", "5.1.6", "5.1.10", "5.2.1"})
# RFC 4954 section 6: sign in first, mechanism too weak, credentials invalid, TLS needed.
_ACCOUNT = frozenset({530, 534, 535, 538})
# RFC 3463: the server's system, the network between; the rest may be greylisting or a full mailbox
_OURS = re.compile(r"4\.[34]\.")

_QUEUE_ID = re.compile(
    r"\bqueued as (?P<postfix>[\w.-]+)"  # 2.0.0 Ok: queued as 4WfGp03zqPz1
    r"|\bid=(?P<exim>[\w-]+)"  # OK id=1sA2bC-000000001Xy-0AbC
    r"|^ok (?P<ses>[0-9a-f]{8,}-[0-9a-f-]+)$"  # Ok 0102018f6a-5c1e0d3a-...-000000
    r"|^(?P<sendmail>\w{8,}) message accepted",  # 2.0.0 45KFxyz0123 Message accepted for delivery
    re.IGNORECASE,
)


def refusal(reply: Reply, step: Step, *, channel: str, address: str = "") -> DeliveryError:
    """The error for a reply other than the one the step needs.

    Gone is said only of RCPT TO: after the message nobody knows whose mailbox was meant.
    """
    what = f"{step} <{clean(address)}>" if address else step
    detail = f"{what} was refused: {reply.words or 'the server gave no reason'}"
    if reply.code < 500:
        personal = step == "RCPT TO" and reply.code != 421 and not _OURS.match(reply.status)
        return Deferred(detail, channel=channel, code=reply.label, personal=personal)
    return _kind(reply, step)(detail, channel=channel, code=reply.label)


def _kind(reply: Reply, step: Step) -> type[DeliveryError]:
    if reply.code in _ACCOUNT:
        return Misconfigured
    if step == "MAIL FROM" and (reply.status.startswith("5.7.") or reply.status == "5.1.8"):
        return Misconfigured  # this account may not send as that address or domain
    if step == "RCPT TO" and reply.status in _GONE:
        return Gone
    return Refused


def queue_id(reply: Reply) -> str:
    """The server's own id of the message it took, or "" where its words name none we know."""
    found = _QUEUE_ID.search(reply.words)
    return next(filter(None, found.groups()), "") if found else ""
