"""Whose key signs, and where bounces go: by the domain of From."""

from __future__ import annotations

import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from dkim_samples import verdicts
from domain_samples import BOUNCE_SECRET, NEWS, ed25519_pem, news, rsa_pem
from smtp_server import Relay, relay

from vero_channels.email.eml import Eml
from vero_channels.email.smtp import Smtp
from vero_deliver import mime
from vero_deliver.errors import ConfigError, Refused
from vero_deliver.mime import Domain, Domains
from vero_deliver.rendered import Address, RenderedEmail
from vero_deliver.testing import sample_email

KEY = "order-1001-email"


def sent_by(email: str) -> RenderedEmail:
    return sample_email(from_=Address(email, "Shop"))


def published(*domains: Domain) -> dict[str, str]:
    """What DNS says of the keys."""
    return {
        f"{signer.selector}._domainkey.{signer.domain}": signer.record
        for domain in domains
        for signer in domain.signers
    }


def smtp(server: Relay, domains: list[Domain]) -> Smtp:
    return Smtp("127.0.0.1", server.port, security="none", domains=domains)


def plain(name: str, **options: Any) -> Domain:
    return Domain(name, selector="v1", key=rsa_pem(name), **options)


@pytest.mark.parametrize(
    ("sender", "name"),
    [
        ("shop@example.com", "example.com"),
        ("shop@EXAMPLE.com", "example.com"),
        ("shop@news.example.com", "news.example.com"),
        ("shop@a.b.news.example.com", "news.example.com"),
        ("shop@other.example.com", "example.com"),
        ("shop@strict.example.com", "strict.example.com"),
        ("shop@below.strict.example.com", "example.com"),
        ("shop@notexample.com", None),
        ("shop@example.org", None),
        ("shop@com", None),
        ("shop@bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_nearest_domain(sender: str, name: str | None) -> None:
    """The domain itself, else the nearest above it whose alignment is relaxed."""
    known = Domains(
        [
            Domain("example.com"),
            Domain("News.Example.com"),
            Domain("strict.example.com", alignment="strict"),
            Domain("bücher.example"),
        ]
    )
    found = known.of(sender)
    assert (found.name if found else None) == name


@pytest.mark.anyio
async def test_server_gets_signatures_of_the_senders_domain() -> None:
    """Over SMTP: each sender's own key, which verifies, and its own return path."""
    domains = [news(), plain("example.org")]
    async with relay() as server, aclosing(smtp(server, domains)) as channel:
        for sender in (f"a@{NEWS}", "b@sub.example.org", "c@example.net"):
            await channel.send(sent_by(sender), KEY)
    by_news, by_org, by_nobody = server.mails
    zone = published(*domains)
    assert verdicts(by_news.data, zone) == [True, True]
    assert b"d=news.example.com;" in by_news.data
    assert verdicts(by_org.data, zone) == [True]
    assert b"d=example.org;" in by_org.data
    assert verdicts(
        by_org.data,
        published(
            plain(
                "example.org",
            ),
            news(),
        ),
    ) == [True]
    assert b"DKIM-Signature" not in by_nobody.data
    assert by_news.sender == mime.return_path(KEY, f"bounces.{NEWS}", BOUNCE_SECRET)
    assert [mail.sender for mail in (by_org, by_nobody)] == ["b@sub.example.org", "c@example.net"]


@pytest.mark.anyio
async def test_key_of_another_domain_does_not_verify() -> None:
    """The verifier of these tests can say no: with the other domain's key in DNS it does."""
    domain = plain("example.org")
    raw = Domains([domain]).signed(sent_by("a@example.org"), KEY)
    swapped = {"v1._domainkey.example.org": news().signers[0].record}
    assert (verdicts(raw, published(domain)), verdicts(raw, swapped)) == ([True], [False])


@pytest.mark.anyio
async def test_eml_holds_what_smtp_carries(tmp_path: Path) -> None:
    """The file has the signed bytes, the envelope the return path."""
    domains = [news()]
    email = sent_by(f"a@{NEWS}")
    async with relay() as server, aclosing(smtp(server, domains)) as channel:
        await channel.send(email, KEY)
    receipt = await Eml(tmp_path, domains=domains).send(email, KEY)
    written = Path(receipt.provider_id)
    assert written.read_bytes() == server.mails[0].data
    assert json.loads(written.with_suffix(".json").read_text())["from"] == server.mails[0].sender


@pytest.mark.anyio
async def test_broken_sender_is_refused(tmp_path: Path) -> None:
    """An address that is none is no reason to crash."""
    with pytest.raises(Refused):
        await Eml(tmp_path, domains=[news()]).send(sent_by("not an address"), KEY)


def test_signing_is_repeatable() -> None:
    """Same email, key and domain: same bytes."""
    email = sent_by(f"a@{NEWS}")
    assert Domains([news()]).signed(email, KEY) == Domains([news()]).signed(email, KEY)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"key": ""}, "selector and key belong together"),
        ({"selector": ""}, "selector and key belong together"),
        ({"selector": "", "key": ""}, "ed25519_key: signs only beside an RSA key"),
        ({"key": ed25519_pem()}, "key: signs ed25519-sha256, not rsa-sha256"),
        ({"ed25519_key": rsa_pem()}, "ed25519_key: signs rsa-sha256, not ed25519-sha256"),
        ({"ed25519_selector": "v2"}, "two keys cannot be published under one selector"),
        ({"key": "hunter2"}, "DKIM v2._domainkey.news.example.com: this is no private key"),
        ({"other_selectors": "v1"}, 'other_selectors: expected a list of names, ["v1"]'),
        ({"other_selectors": ["v 1"]}, "other_selectors: 'v 1'"),
        ({"other_selectors": ["v2"]}, "v2 signs; list those that do not"),
        ({"return_path": ""}, "return_path and return_path_secret belong together"),
        ({"return_path": "a b"}, "return_path: 'a b'"),
        ({"return_path_secret": "short"}, "give 16 or more"),
        ({"return_path_cname": "b.example.net"}, "return_path_mx: an alias"),
        ({"return_path_mx": "", "return_path_cname": "b.example.net"}, "spf: an alias"),
        ({"tracking": ""}, "tracking_cname: needs tracking"),
        ({"spf": "relay.example"}, "spf: 'relay.example' is no term to expect"),
        ({"spf": 'include:a" "b'}, "spf: "),
        ({"dmarc": "strict"}, "dmarc: 'strict' is none of none, quarantine, reject"),
        ({"dmarc_reports": "dmarc@example.com"}, "dmarc_reports: 'dmarc@example.com'; write mail"),
        ({"alignment": "loose"}, "alignment: 'loose' is none of"),
        ({"canonicalization": "simple"}, "simple"),
    ],
)
def test_mistakes_are_named(changes: dict[str, Any], words: str) -> None:
    """Each wrong setting is an error that names it, and shows no key and no secret."""
    with pytest.raises(ConfigError) as caught:
        news(**changes)
    assert words in str(caught.value)
    assert not [secret for secret in ("hunter2", "short") if secret in str(caught.value)]
    assert "MII" not in str(caught.value)


@pytest.mark.parametrize("name", ["com", "", "a b.example", "example..com", "-a.example", "a@b.c"])
def test_names_of_domains(name: str) -> None:
    """A sending domain has two labels and is one."""
    with pytest.raises(ConfigError, match="the domain"):
        Domain(name)


def test_a_domain_is_there_once() -> None:
    """Two for one name are a mistake, whatever their case."""
    with pytest.raises(ConfigError, match=r"example\.com is there twice"):
        Domains([Domain("example.com"), Domain("EXAMPLE.com")])


def test_no_secret_in_a_repr() -> None:
    """Domains, channels and their signers can be printed."""
    domain = news()
    shown = repr((domain, Domains([domain]), domain.signers, Eml(domains=[domain])))
    assert "0123456789abcdef" not in shown
    assert "PRIVATE" not in shown
