"""The envelope sender that says, in every bounce, which delivery it was (VERP), and is signed.

    b+<key>.<mac>@bounce.example.com        keys of at most 49 of the characters a-z 0-9 - _ .
    b+<digest>+<mac>@bounce.example.com     every other key, as the name that its Message-ID has

The mac is the first 60 bits of an HMAC-SHA-256, in base32: who has not seen an address cannot
make bounces up for it. The local part holds at most 64 octets (RFC 5321 section 4.5.3.1) and
reads the same in capitals, since servers on the way may change its case. The domain is not
signed: a bounce may come back through an alias of it.
"""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass

from vero_deliver.mime.address import check_address, check_domain
from vero_deliver.mime.ids import key_digest
from vero_deliver.secret import Secret

_MAC = 12  # characters of five bits
_LONGEST = 64 - len("b+.") - _MAC
_SHORTEST_SECRET = 16  # octets

_PLAIN_KEY = re.compile(rf"(?=.{{1,{_LONGEST}}}\Z)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_DIGEST = re.compile(r"[0-9a-f]{32}")
_LOCAL = re.compile(rf"b\+(?P<name>[a-z0-9_.-]+)(?P<sign>[.+])(?P<mac>[a-z2-7]{{{_MAC}}})")


@dataclass(frozen=True, slots=True)
class Named:
    """The delivery that a return path names.

    key: empty where the address had no room for it.
    digest: always there; `mime.key_digest` of the delivery's key.
    """

    key: str
    digest: str


def return_path(key: str, domain: str, secret: Secret) -> str:
    """The envelope sender of the delivery `key`: the same whenever it is made.

    secret: at least 16 octets, the same wherever bounces are read; errors show no part of it.
    ValueError where the domain is none, or too long to stand behind a local part.
    """
    name, sign = (key, ".") if _PLAIN_KEY.fullmatch(key) else (key_digest(key), "+")
    return check_address(f"b+{name}{sign}{_mac(sign, name, secret)}@{check_domain(domain)}")


def named_by(address: str, *secrets: Secret) -> Named | None:
    """The delivery that a bounce's recipient names; None where no secret has signed the address.

    secrets: those that are in use and those that were, while bounces may still come.
    """
    found = _LOCAL.fullmatch(address.rpartition("@")[0].lower()) if address.isascii() else None
    if found is None:
        return None
    name, sign, mac = found["name"], found["sign"], found["mac"]
    if not any(hmac.compare_digest(mac, _mac(sign, name, secret)) for secret in secrets):
        return None
    if sign == "+":
        return Named("", name) if _DIGEST.fullmatch(name) else None
    return Named(name, key_digest(name))


def _mac(sign: str, name: str, secret: Secret) -> str:
    known = secret.reveal().encode("utf-8", "surrogatepass")
    if len(known) < _SHORTEST_SECRET:
        raise ValueError(
            f"the secret of return paths has {len(known)} octets; give {_SHORTEST_SECRET} or more"
        )
    digest = hmac.digest(known, f"vero-deliver return path{sign}{name}".encode(), "sha256")
    return base64.b32encode(digest).decode()[:_MAC].lower()
