"""Sending domains: whose key signs an email, where its bounces go, and what DNS should hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, Literal, TypeVar, get_args

from vero_deliver.errors import ConfigError
from vero_deliver.mime.address import check_domain, domain_of
from vero_deliver.mime.return_path import return_path
from vero_deliver.mime.signer import Canonicalization, Signer
from vero_deliver.secret import Secret

if TYPE_CHECKING:
    from vero_deliver.rendered import RenderedEmail

T = TypeVar("T")

DmarcPolicy = Literal["none", "quarantine", "reject"]  # from lenient to strict
Alignment = Literal["relaxed", "strict"]

_SPF_TERM = re.compile(  # RFC 7208 section 4.6.1; what is expected passes, so no qualifier
    r"(?:include|exists|a|mx|ip4|ip6|ptr)(?:[:/][!-~]+)?|redirect=[!-~]+", re.IGNORECASE
)
_REPORTS = re.compile(r"mailto:[^\s;,!\"\\]+@[^\s;,!\"\\]+")


class Domain:
    """One domain that email is sent from: `[domains."news.example.com"]`.

    It is for From addresses at this domain, and for those below it that no nearer domain is for.
    """

    def __init__(
        self,
        name: str,
        *,
        selector: str = "",
        key: str | Secret = "",
        ed25519_selector: str = "",
        ed25519_key: str | Secret = "",
        canonicalization: Canonicalization = "relaxed/relaxed",
        other_selectors: Sequence[str] = (),
        return_path: str = "",
        return_path_secret: str | Secret = "",
        return_path_cname: str = "",
        return_path_mx: str = "",
        tracking: str = "",
        tracking_cname: str = "",
        spf: str = "",
        dmarc: DmarcPolicy = "none",
        dmarc_reports: str = "",
        alignment: Alignment = "relaxed",
    ) -> None:
        """ConfigError, which shows nothing of a secret, where one of them is wrong.

        key, ed25519_key: PEM. Ed25519 signs beside RSA, never alone.
        other_selectors: stay published though nobody here signs with them: retired ones.
        return_path: the domain of bounce addresses, which are made with return_path_secret.
        return_path_cname: what it is an alias of; or return_path_mx: the host that takes its mail.
        spf: terms that the SPF record has to have, "include:_spf.example.net ip4:192.0.2.1".
        dmarc: the policy that is published, or a stricter one.
        alignment: "strict" leaves addresses below this domain to others.
        """
        self.name: Final = _checked("the domain", name, _with_parent)
        self.signers: Final = _signers(
            self.name, canonicalization, (selector, key), (ed25519_selector, ed25519_key)
        )
        self.other_selectors: Final = _selectors(other_selectors, self.signers)
        self.return_path: Final = _host("return_path", return_path)
        self.return_path_secret: Final = _bounce_secret(self.return_path, return_path_secret)
        self.return_path_cname: Final = _host("return_path_cname", return_path_cname)
        self.return_path_mx: Final = _host("return_path_mx", return_path_mx)
        self.tracking: Final = _host("tracking", tracking)
        self.tracking_cname: Final = _host("tracking_cname", tracking_cname)
        self.spf: Final = _spf(spf)
        self.dmarc: Final = _choice("dmarc", dmarc, DmarcPolicy)
        self.dmarc_reports: Final = _reports(dmarc_reports)
        self.alignment: Final = _choice("alignment", alignment, Alignment)
        for key_of, host in (
            ("return_path_cname", self.return_path),
            ("return_path_mx", self.return_path),
            ("tracking_cname", self.tracking),
        ):
            if getattr(self, key_of) and not host:
                raise ConfigError(f"{key_of}: needs {key_of.rpartition('_')[0]}, the name in DNS")
        if self.return_path_cname and self.return_path_mx:
            raise ConfigError("return_path_mx: an alias (return_path_cname) has no MX of its own")
        if self.return_path_cname and self.spf:
            raise ConfigError("spf: an alias (return_path_cname) has the SPF record of its target")

    def __repr__(self) -> str:
        return f"Domain({self.name!r})"

    @property
    def mail_from(self) -> str:
        """The domain of the envelope's sender, which SPF is about."""
        return self.return_path or self.name

    def bounce_address(self, key: str) -> str:
        """The envelope's sender of the delivery `key`; empty where it is the From address."""
        if not self.return_path:
            return ""
        return return_path(key, self.return_path, self.return_path_secret)


class Domains:
    """The sending domains of a channel, looked up by the From address."""

    def __init__(self, domains: Iterable[Domain] = ()) -> None:
        """ConfigError where two have one name."""
        self._known: Final[dict[str, Domain]] = {}
        for domain in domains:
            if self._known.setdefault(domain.name, domain) is not domain:
                raise ConfigError(f"domains: {domain.name} is there twice")

    def __repr__(self) -> str:
        return f"Domains({list(self._known.values())!r})"

    def __bool__(self) -> bool:
        return bool(self._known)

    def of(self, email: str) -> Domain | None:
        """The domain itself, else the nearest above it that DMARC's relaxed alignment allows.

        ValueError where it is no address.
        """
        exact = above = domain_of(email)
        while above:
            found = self._known.get(above)
            if found and (above == exact or found.alignment == "relaxed"):
                return found
            above = above.partition(".")[2]
        return None

    def signed(self, email: RenderedEmail, key: str) -> bytes:
        """The bytes that go over the wire: `email.signed` with the keys of its sender's domain."""
        domain = self.of(email.from_.email)
        return email.signed(key, domain.signers if domain else ())

    def return_path(self, email: RenderedEmail, key: str) -> str:
        """The envelope's sender: the delivery's bounce address, else the From address."""
        domain = self.of(email.from_.email)
        return (domain and domain.bounce_address(key)) or email.from_.email


def _checked(what: str, text: str, check: Callable[[str], str]) -> str:
    try:
        return check(text)
    except ValueError as error:
        raise ConfigError(f"{what}: {text[:80]!r}: {error}") from None


def _with_parent(name: str) -> str:
    domain = check_domain(name)
    if "." not in domain:
        raise ValueError("a sending domain has two labels or more, as example.com has")
    return domain


def _host(what: str, text: str) -> str:
    return _checked(what, text.removesuffix("."), check_domain) if text else ""


def _signers(
    domain: str,
    canonicalization: Canonicalization,
    rsa: tuple[str, str | Secret],
    ed25519: tuple[str, str | Secret],
) -> tuple[Signer, ...]:
    if any(ed25519) and not any(rsa):
        raise ConfigError("ed25519_key: signs only beside an RSA key, which all receivers know")
    found = []
    for prefix, (selector, key) in (("", rsa), ("ed25519_", ed25519)):
        if bool(selector) != bool(key):
            raise ConfigError(f"{prefix}selector and {prefix}key belong together: give both")
        if key:
            signer = Signer(domain, selector, key, canonicalization=canonicalization)
            algorithm = f"{prefix.rstrip('_') or 'rsa'}-sha256"
            if signer.algorithm != algorithm:
                raise ConfigError(f"{prefix}key: signs {signer.algorithm}, not {algorithm}")
            found.append(signer)
    if len({signer.selector for signer in found}) < len(found):
        raise ConfigError("ed25519_selector: two keys cannot be published under one selector")
    return tuple(found)


def _selectors(names: Sequence[str], signers: tuple[Signer, ...]) -> tuple[str, ...]:
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise ConfigError('other_selectors: expected a list of names, ["v1"]')
    found = tuple(_checked("other_selectors", name, check_domain) for name in names)
    used = {signer.selector for signer in signers} & set(found)
    if used:
        raise ConfigError(f"other_selectors: {min(used)} signs; list those that do not")
    return found


def _bounce_secret(host: str, secret: str | Secret) -> Secret:
    known = Secret(secret) if isinstance(secret, str) else secret
    if bool(host) != bool(known):
        raise ConfigError("return_path and return_path_secret belong together: give both")
    if host:
        try:
            return_path("a key", host, known)
        except ValueError as error:
            raise ConfigError(f"return_path: {error}") from None
    return known


def _spf(text: str) -> str:
    for term in text.split():
        if not _SPF_TERM.fullmatch(term):
            raise ConfigError(
                f"spf: {term[:80]!r} is no term to expect; write include:_spf.example.net, "
                "ip4:192.0.2.1, a or mx"
            )
    return " ".join(text.split())


def _reports(text: str) -> str:
    if text and not _REPORTS.fullmatch(text):
        raise ConfigError(f"dmarc_reports: {text[:80]!r}; write mailto:dmarc@example.com")
    return text


def _choice(what: str, value: T, kind: object) -> T:
    if value not in get_args(kind):
        raise ConfigError(f"{what}: {value!r} is none of {', '.join(get_args(kind))}")
    return value
