"""Who signs: a DKIM key and the DNS name that its public half is published under."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, get_args

from vero_deliver.errors import ConfigError
from vero_deliver.mime.address import check_domain
from vero_deliver.mime.signing_key import signing_key
from vero_deliver.secret import Secret

if TYPE_CHECKING:
    from vero_deliver.mime.signing_key import Algorithm, PrivateKey

Canonicalization = Literal["relaxed/relaxed", "relaxed/simple"]  # of header and body

_NAME_LIMIT = 253  # of a DNS name
_SUB_DOMAIN = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_SELECTOR = re.compile(rf"{_SUB_DOMAIN}(?:\.{_SUB_DOMAIN})*")
_ATOM = r"[A-Za-z0-9!#$%&'*+/?^_`{|}~-]+"  # no "=": dkim-quoted-printable would encode it
_LOCAL_PART = re.compile(rf"(?:{_ATOM}(?:\.{_ATOM})*)?")
_NAME_LIKE = re.compile(r"[\w.-]{1,253}")


class Tags(NamedTuple):
    """What a signature says of its signer; nothing of it is secret."""

    algorithm: Algorithm
    canonicalization: Canonicalization
    domain: str
    selector: str
    identity: str
    expires_after: int | None


class Signer:
    """A key and the name it is published under: `<selector>._domainkey.<domain>`.

    Pickles together with its key, for the worker processes that sign: the pickle is a secret.
    """

    __slots__ = (
        "_key",
        "canonicalization",
        "domain",
        "expires_after",
        "fingerprint",
        "identity",
        "selector",
        "tags",
    )

    def __init__(
        self,
        domain: str,
        selector: str,
        key: str | bytes | Secret | PrivateKey,
        *,
        canonicalization: Canonicalization = "relaxed/relaxed",
        identity: str = "",
        expires_after: int | None = None,
    ) -> None:
        """ConfigError, which shows nothing of the key, where one of them is wrong.

        key: PEM of an RSA (1024 bits or more; 2048 is usual) or Ed25519 key, or a loaded one.
        identity: the i= tag, "news@example.com" or "@example.com", in domain or below it.
        expires_after: seconds from signing to the x= tag; None for no such tag.
        """
        self.domain: Final = _domain(domain)
        self.selector: Final = _selector(selector, self.domain)
        try:
            self._key: Final = signing_key(key)
            self.identity: Final = _identity(identity, self.domain)
            self.canonicalization: Final = _canonicalization(canonicalization)
            self.expires_after: Final = _seconds(expires_after)
        except ValueError as error:
            raise ConfigError(f"DKIM {self.selector}._domainkey.{self.domain}: {error}") from None
        self.tags: Final = Tags(
            self._key.algorithm,
            self.canonicalization,
            self.domain,
            self.selector,
            self.identity,
            self.expires_after,
        )
        # equal for equal signers, and of the public half only: it is kept with what was signed
        named = self._key.public() + repr(self.tags).encode()
        self.fingerprint: Final = hashlib.sha256(named).hexdigest()

    @property
    def algorithm(self) -> Algorithm:
        """The a= tag."""
        return self._key.algorithm

    def signature(self, data: bytes) -> bytes:
        """The signature of these bytes, always the same."""
        return self._key.sign(data)

    @property
    def name(self) -> str:
        """Where in DNS the public key is."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def published(self) -> tuple[bytes, ...]:
        """The public key in the forms that a DNS record may hold it in; the first is usual."""
        return self._key.published()

    @property
    def record(self) -> str:
        """The TXT record that publishes the key, as one text (RFC 6376 section 3.6.1)."""
        kind = self.algorithm.partition("-")[0]
        public = base64.b64encode(self.published[0]).decode()
        return f"v=DKIM1; k={kind}; p={public}"

    def __repr__(self) -> str:
        return f"Signer(domain={self.domain!r}, selector={self.selector!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        signer = partial(
            Signer,
            canonicalization=self.canonicalization,
            identity=self.identity,
            expires_after=self.expires_after,
        )
        return signer, (self.domain, self.selector, self._key.pem())


def _domain(text: str) -> str:
    try:
        return check_domain(text)
    except ValueError as error:
        # a key in the place of the domain must not be shown
        shown = f" {text!r} ({error})" if _NAME_LIKE.fullmatch(text) else ""
        raise ConfigError(f"DKIM domain{shown}: give one such as news.example.com") from None


def _selector(text: str, domain: str) -> str:
    selector = text.lower()
    if not _SELECTOR.fullmatch(selector):
        raise ConfigError(
            f"DKIM selector for {domain}: use letters, digits and inner hyphens, such as v1"
        )
    if len(f"{selector}._domainkey.{domain}") > _NAME_LIMIT:
        raise ConfigError(f"DKIM selector for {domain}: with the domain it is too long for DNS")
    return selector


def _identity(text: str, domain: str) -> str:
    if not text:
        return ""
    local, at, host = text.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local):
        raise ValueError("identity is @ and a domain, after nothing or a plain ASCII local part")
    host = check_domain(host)
    if host != domain and not host.endswith(f".{domain}"):  # RFC 6376 section 3.5, i=
        raise ValueError(f"identity is in {host}; it has to be in {domain} or below it")
    return f"{local}@{host}"


def _canonicalization(text: Canonicalization) -> Canonicalization:
    if text not in get_args(Canonicalization):
        raise ValueError(f"canonicalization is one of {', '.join(get_args(Canonicalization))}")
    return text


def _seconds(given: int | None) -> int | None:
    if given is not None and (type(given) is not int or given < 1):
        raise ValueError("expires_after is a whole number of seconds, 1 or more")
    return given
