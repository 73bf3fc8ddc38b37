"""MIME as it goes over the wire: a pure function of the rendered email and its key."""

from __future__ import annotations

from vero_deliver.mime.address import check_address, envelope, mailbox, needs_smtputf8
from vero_deliver.mime.chunks import Chunks, Printed
from vero_deliver.mime.compose import build
from vero_deliver.mime.dkim import sign, signatures
from vero_deliver.mime.domain import Domain, Domains
from vero_deliver.mime.ids import key_digest, message_id
from vero_deliver.mime.return_path import Named, named_by, return_path
from vero_deliver.mime.signer import Signer
from vero_deliver.mime.signing_key import new_key

__all__ = [
    "Chunks",
    "Domain",
    "Domains",
    "Named",
    "Printed",
    "Signer",
    "build",
    "check_address",
    "envelope",
    "key_digest",
    "mailbox",
    "message_id",
    "named_by",
    "needs_smtputf8",
    "new_key",
    "return_path",
    "sign",
    "signatures",
]
