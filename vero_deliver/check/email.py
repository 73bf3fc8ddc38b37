"""What mail clients and mailbox providers make of an email as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from vero_deliver.check.finding import Hit, Severity
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen

GMAIL_CLIPS: Final = 102_400  # bytes of HTML; measured by many, documented by nobody
_NEAR_CLIP: Final = 90_000
_LARGE: Final = 10_000_000  # bytes of attachments that some servers refuse
_TOO_LARGE: Final = 25_000_000 * 3 // 4  # Gmail's limit is of the encoded message
# support.google.com/mail/answer/6590: refused, inside of archives too
_BLOCKED: Final = frozenset(
    ("ade", "adp", "apk", "appx", "appxbundle", "bat", "cab", "chm", "cmd", "com", "cpl", "diagcab",
     "diagcfg", "diagpkg", "dll", "dmg", "ex", "ex_", "exe", "hta", "img", "ins", "iso", "isp",
     "jar", "jnlp", "js", "jse", "lib", "lnk", "mde", "mjs", "msc", "msi", "msix", "msixbundle",
     "msp", "mst", "nsh", "pif", "ps1", "scr", "sct", "shb", "sys", "vb", "vbe", "vbs", "vhd",
     "vxd", "wsc", "wsf", "wsh", "xll")
)  # fmt: skip
# a postal code beside words: 12345, 12345-6789, SY8 1AA, 1010 AB, 110 00, A1A 1A1; or a P.O. box
_POSTAL: Final = re.compile(
    r"\b(?:\d{4,6}(?:-\d{3,4})?|[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|\d{4} ?[A-Z]{2}|\d{3} \d{2}"
    r"|[A-Z]\d[A-Z] ?\d[A-Z]\d)\b|\bP\.? ?O\.? Box\b|\bPostfach\b"
)
_WORD: Final = re.compile(r"\w{2,}")


@rule("email/gmail-clip", "warning")
def gmail_clip(seen: Seen) -> Iterator[Hit]:
    """The HTML is longer than Gmail shows.

    Above about 102 KB Gmail cuts the letter and puts "[Message clipped]" in place of its end: the
    footer, the link to unsubscribe and the pixel that counts opens are gone.
    """
    for mail in seen.emails:
        size = len(mail.rendered.html.encode())
        if size > GMAIL_CLIPS:
            text = f"the HTML is longer than about {GMAIL_CLIPS:,} bytes: Gmail cuts it"
            yield Hit(text, on=mail, at="body", detail=f"{size:,} bytes", severity="error")
        elif size > _NEAR_CLIP:
            text = f"the HTML is near the {GMAIL_CLIPS:,} bytes that Gmail shows"
            yield Hit(text, on=mail, at="body", detail=f"{size:,} bytes")


@rule("email/text-missing", "warning")
def text_missing(seen: Seen) -> Iterator[Hit]:
    """The text part is empty.

    It is what watches, screen readers and filters read. One made of pictures only has no text to
    derive it from: write email.txt, or alternative texts.
    """
    for mail in seen.emails:
        if mail.rendered.html and not mail.rendered.text.strip():
            yield Hit("the text part is empty", on=mail, at="body")


@rule("email/text-unlike", "warning")
def text_unlike(seen: Seen) -> Iterator[Hit]:
    """The text part says something else than the HTML.

    Often it was not changed with it. Filters compare the two, and readers of the text get old
    news.
    """
    for mail in seen.emails:
        if mail.email.text and mail.rendered.html:
            text = _words(mail.rendered.text)
            html = _words(mail.page.body.text)
            if len(html) > 10 and len(html & text) < len(html) / 3:
                shared = f"{len(html & text)} of {len(html)} words are in both"
                yield Hit("the text part is unlike the HTML", on=mail, at="text", detail=shared)


@rule("email/one-click-unsubscribe", "error")
def one_click_unsubscribe(seen: Seen) -> Iterator[Hit]:
    """A marketing email cannot be unsubscribed from with one click.

    Gmail and Yahoo ask bulk senders for List-Unsubscribe with an https address and
    List-Unsubscribe-Post (RFC 8058), and refuse mail without.
    """
    for mail in seen.emails:
        if mail.rendered.kind != "marketing":
            continue
        headers = {name.lower(): value for name, value in mail.rendered.headers.items()}
        if "<https://" not in headers.get("list-unsubscribe", ""):
            hint = 'set [links] unsubscribe = "https://..." in the project'
            yield Hit("List-Unsubscribe has no https address", on=mail, at="headers", hint=hint)
        elif headers.get("list-unsubscribe-post") != "List-Unsubscribe=One-Click":
            hint = 'add List-Unsubscribe-Post = "List-Unsubscribe=One-Click"'
            yield Hit("List-Unsubscribe-Post is missing", on=mail, at="headers", hint=hint)


@rule("email/attachment-size", "warning")
def attachment_size(seen: Seen) -> Iterator[Hit]:
    """Attachments are too large.

    Base64 makes them a third larger; many servers refuse 10 MB, Gmail 25. Link to the file.
    """
    for mail in seen.emails:
        size = sum(len(file.content) for file in mail.rendered.attachments)
        if size > _LARGE:
            text = f"attachments of more than {_LARGE // 1_000_000} MB"
            detail = f"{size / 1_000_000:.1f} MB"
            severity: Severity = "error" if size > _TOO_LARGE else "warning"
            yield Hit(text, on=mail, at="attachments", detail=detail, severity=severity)


@rule("email/attachment-type", "error")
def attachment_type(seen: Seen) -> Iterator[Hit]:
    """An attachment is of a kind that is refused.

    Programs and scripts do not get past Gmail and Outlook, whoever sends them.
    """
    for mail in seen.emails:
        for file in mail.rendered.attachments:
            if PurePosixPath(file.filename).suffix.lower().lstrip(".") in _BLOCKED:
                yield Hit(f"{file.filename} is refused as a program", on=mail, at="attachments")


@rule("email/postal-address", "warning")
def postal_address(seen: Seen) -> Iterator[Hit]:
    """A marketing email shows no postal address.

    CAN-SPAM (US), CASL (Canada) and others ask for the sender's valid physical address in each.
    What is looked for is a postal code or a P.O. box.
    """
    for mail in seen.emails:
        if mail.rendered.kind == "marketing":
            text = mail.page.body.text if mail.rendered.html else mail.rendered.text
            if not _POSTAL.search(text):
                yield Hit("no postal address is in sight", on=mail, at="body")


@rule("email/color-scheme", "info")
def color_scheme(seen: Seen) -> Iterator[Hit]:
    """The letter does not say which color schemes it is made for.

    `<meta name="color-scheme" content="light dark">` lets Apple Mail and others use the dark
    colors that you chose, in place of their own.
    """
    for mail in seen.emails:
        names = {meta.get("name").lower() for meta in mail.page.find("meta")}
        if mail.rendered.html and not names & {"color-scheme", "supported-color-schemes"}:
            yield Hit("there is no <meta name=color-scheme>", on=mail, at="body")


@rule("email/viewport", "warning")
def viewport(seen: Seen) -> Iterator[Hit]:
    """The letter does not say that it fits a phone.

    Without `<meta name="viewport" content="width=device-width">` phones draw it as wide as a
    desktop and make it small. MJML says it for you.
    """
    for mail in seen.emails:
        names = {meta.get("name").lower() for meta in mail.page.find("meta")}
        if mail.rendered.html and "viewport" not in names:
            yield Hit("there is no <meta name=viewport>", on=mail, at="body")


def _words(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(text)}
