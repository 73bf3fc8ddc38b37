"""MIME as it goes over the wire: a pure function of the rendered email and its key."""

from __future__ import annotations

from vero_deliver.mime.address import check_address, envelope, mailbox, needs_smtputf8
from vero_deliver.mime.chunks import Chunks, Printed
from vero_deliver.mime.compose import build
from vero_deliver.mime.dkim import sign
from vero_deliver.mime.ids import message_id
from vero_deliver.mime.signer import Signer

__all__ = [
    "Chunks",
    "Printed",
    "Signer",
    "build",
    "check_address",
    "envelope",
    "mailbox",
    "message_id",
    "needs_smtputf8",
    "sign",
]
