"""Links of emails, and what a reader finds behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from vero_deliver.check.dom import Element
from vero_deliver.check.finding import Hit
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen
from vero_deliver.check.shown import ShownEmail
from vero_deliver.check.urls import (
    has_scheme,
    host_of,
    is_local,
    is_related,
    is_shortener,
    parts,
    shown_host,
)
from vero_deliver.mime import check_address

_NOWHERE: Final = re.compile(r"#?|javascript:.*", re.IGNORECASE | re.DOTALL)
# words for leaving, as readers look for them; a link's address may say it too
_LEAVE: Final = re.compile(
    r"unsub|opt.?out|preferences|abmelde|abbestell|d[ée]sabonn|d[ée]sinscri|darse de baja|"
    r"cancelar (?:la )?suscripci|cancelar (?:a )?inscri|disiscri|annulla iscriz|afmeld|uitschrijv|"
    r"odhl[áa]s|wypisz|avregistrer|avsluta|peruuta|leiratkoz|отпис|відпис|退订|配信停止|"
    r"수신거부|إلغاء الاشتراك|הסר",
    re.IGNORECASE,
)


def links(mail: ShownEmail) -> Iterator[tuple[Element, str]]:
    """The links of a page, each with its address."""
    for link in mail.page.find("a", "area"):
        if "href" in link.attributes:
            yield link, link.get("href").strip()


@rule("links/https", "warning")
def https(seen: Seen) -> Iterator[Hit]:
    """A link is http.

    Whoever sits between the reader and the site can read and change what an http link opens, mail
    clients warn of it, and a redirect to https costs every reader a round trip.
    """
    for mail in seen.emails:
        for link, url in links(mail):
            if url.lower().startswith("http:") and not is_local(host_of(url)):
                yield Hit("the link is http", on=mail, at=link, detail=url, hint="write https")


@rule("links/empty", "error")
def empty(seen: Seen) -> Iterator[Hit]:
    """A link leads nowhere.

    `#`, an empty address and `javascript:` are what is left of a draft, or of a value that was
    empty: the reader clicks and nothing happens.
    """
    for mail in seen.emails:
        ids = {e.get("id") or e.get("name") for e in mail.page.all}
        for link, url in links(mail):
            if _NOWHERE.fullmatch(url):
                yield Hit(f"the link leads nowhere: {url[:20]!r}", on=mail, at=link)
            elif _is_missing(url, ids) and mail.origins.is_own(link):  # a carousel has its own
                yield Hit(f"nothing on the page has the id {url[1:41]!r}", on=mail, at=link)


@rule("links/relative", "error")
def relative(seen: Seen) -> Iterator[Hit]:
    """A link has no scheme and host.

    An email has no address that `/offers` or `www.example.com` could be relative to: most clients
    open nothing, some a page of their own.
    """
    for mail in seen.emails:
        for link, url in links(mail):
            if url and not has_scheme(url) and not url.startswith("#"):
                hint = f"write https://{url.lstrip('/')[:60]}"
                yield Hit("the link has no scheme", on=mail, at=link, detail=url, hint=hint)


@rule("links/local", "error")
def local(seen: Seen) -> Iterator[Hit]:
    """A link leads to the author's own network.

    localhost, a name without a dot or a private address works on the desk where the message was
    written, and for no reader.
    """
    for mail in seen.emails:
        for link, url in links(mail):
            host = host_of(url)
            if host and is_local(host):
                yield Hit(f"only your own network knows {host}", on=mail, at=link)


@rule("links/shortener", "warning")
def shortener(seen: Seen) -> Iterator[Hit]:
    """A link goes over a shortener.

    Filters block their hosts for what others send over them, and readers cannot see where they
    are led. Link to your own domain; click tracking can be there too.
    """
    for mail in seen.emails:
        for link, url in links(mail):
            if is_shortener(host_of(url)):
                yield Hit(f"{host_of(url)} hides where the link leads", on=mail, at=link)


@rule("links/mismatch", "error")
def mismatch(seen: Seen) -> Iterator[Hit]:
    """A link's text is another address than it opens.

    It is what phishing does, so filters take it for that and clients warn the reader. Write words
    as the text, or the address that is opened.
    """
    for mail in seen.emails:
        for link, url in links(mail):
            said, host = shown_host(link.text), host_of(url)
            if said and host and not is_related(said, host):
                yield Hit(f"the text says {said}, the link opens {host}", on=mail, at=link)


@rule("links/utm", "warning")
def utm(seen: Seen) -> Iterator[Hit]:
    """Some links to a host are tagged for analytics, others are not.

    Visits over the untagged ones count as direct traffic, so the campaign looks smaller than it
    was. A tag that is empty counts as none.
    """
    for mail in seen.emails:
        if mail.rendered.kind != "marketing":
            continue
        leave = ways_out(mail)
        tagged = {host_of(url) for _, url in links(mail) if _has_utm(url)}
        for link, url in links(mail):
            if host_of(url) in tagged and not _has_utm(url) and url not in leave:
                yield Hit("the link has no utm_source, others have", on=mail, at=link)


@rule("links/mailto", "warning")
def mailto(seen: Seen) -> Iterator[Hit]:
    """A mailto link is broken.

    Its address is none, or a subject or body is not percent-encoded: some clients open an empty
    letter, some nothing (RFC 6068).
    """
    for mail in seen.emails:
        for link, url in links(mail):
            if url.lower().startswith("mailto:"):
                wrong = _wrong_mailto(url)
                if wrong:
                    yield Hit(wrong, on=mail, at=link)


@rule("links/unsubscribe-visible", "error")
def unsubscribe_visible(seen: Seen) -> Iterator[Hit]:
    """A marketing email shows no way to unsubscribe.

    The law asks for one in the letter itself (CAN-SPAM, GDPR, CASL), beside the header that mail
    clients read. Who finds none clicks "spam", and that counts against all that you send.
    """
    for mail in seen.emails:
        html = mail.rendered.html
        ways = ways_out(mail) if html else _LEAVE.search(mail.rendered.text)
        if mail.rendered.kind == "marketing" and not ways:
            hint = 'write <a href="{{ url.unsubscribe_link }}">Unsubscribe</a>'
            at = "body" if html else "text"
            yield Hit("no visible link to unsubscribe", on=mail, at=at, hint=hint)


@rule("links/tracking-domain", "warning")
def tracking_domain(seen: Seen) -> Iterator[Hit]:
    """Clicks are tracked over a domain that is not the sender's.

    Without a tracking domain of your own the provider's shared one stands in every link: filters
    judge it by what its other customers send, and readers see a stranger's address.
    """
    domains = seen.project.settings.domains
    for mail in seen.emails:
        sender = mail.rendered.from_.email.rpartition("@")[2].lower()
        own = [t for name, t in domains.items() if sender == name or sender.endswith(f".{name}")]
        if mail.rendered.track_clicks and own and not any(table.get("tracking") for table in own):
            hint = f'set tracking = "click.{sender}" in [domains."{sender}"]'
            yield Hit(f"clicks of {sender} have no domain", on=mail, at="track_clicks", hint=hint)


def _is_missing(url: str, ids: set[str]) -> bool:
    return url.startswith("#") and unquote(url[1:]) not in ids


def _has_utm(url: str) -> bool:
    split = parts(url)
    return bool(split and parse_qs(split.query).get("utm_source"))


def ways_out(mail: ShownEmail) -> set[str]:
    """The addresses of visible links that say that they unsubscribe."""
    header = {k.lower(): v for k, v in mail.rendered.headers.items()}.get("list-unsubscribe", "")
    return {
        url
        for link, url in links(mail)
        if link.is_shown and url and (f"<{url}>" in header or _LEAVE.search(f"{link.text} {url}"))
    }


def _wrong_mailto(url: str) -> str:
    try:
        split = urlsplit(url)
    except ValueError:
        return "the mailto link is no URL"
    if re.search(r"\s", url):
        return "a blank in a mailto link; write %20"
    for address in filter(None, split.path.split(",")):
        try:
            check_address(unquote(address))
        except ValueError as error:
            return f"the mailto link: {error}"
    return "" if split.path or "to=" in split.query else "the mailto link names nobody"
