"""DKIM key records as a receiver reads them (RFC 6376 section 3.6.1, RFC 8463)."""

from __future__ import annotations

import base64
import binascii

from vero_deliver.domains.tags import parse_tags
from vero_deliver.mime import Signer


def key_record(texts: tuple[str, ...]) -> dict[str, str]:
    """The tags of the one key record among a selector's TXT records.

    ValueError with the reason where receivers find no key there. Empty where there are no records.
    """
    if not texts:
        return {}
    text, *others = texts
    if others:
        raise ValueError(f"{len(texts)} TXT records are there, and receivers take any; keep one")
    tags = parse_tags(text)
    if "v" in tags and (next(iter(tags)) != "v" or tags["v"] != "DKIM1"):
        raise ValueError("v= is there, so it has to be DKIM1 and to stand first")
    if "p" not in tags:
        raise ValueError("it has no p=, the public key")
    if not tags["p"]:
        raise ValueError("its p= is empty: the key has been revoked")
    _refuse_limits(tags)
    return tags


def disagreement(tags: dict[str, str], signer: Signer) -> str:
    """Why signatures of the signer do not verify with that record; empty where they do."""
    kind = signer.algorithm.partition("-")[0]
    published = tags.get("k", "rsa").lower()
    if published != kind:
        return f"it says k={published[:20]}, and the key is {kind}"
    try:
        key = base64.b64decode("".join(tags["p"].split()), validate=True)
    except (binascii.Error, ValueError):
        return "its p= is not base64: it was cut or changed on the way"
    return "" if key in signer.published else "its p= is another key's"


def _refuse_limits(tags: dict[str, str]) -> None:
    hashes = [name.strip().lower() for name in tags.get("h", "sha256").split(":")]
    services = [name.strip().lower() for name in tags.get("s", "*").split(":")]
    if "sha256" not in hashes:
        raise ValueError("its h= does not allow sha256")
    if not {"*", "email"} & set(services):
        raise ValueError("its s= does not allow email")
    flags = [name.strip().lower() for name in tags.get("t", "").split(":")]
    if "y" in flags:
        raise ValueError("t=y says that the key is on trial, and receivers ignore it; take it out")
