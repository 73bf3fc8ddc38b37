"""An email composed for one user."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from collections.abc import Sequence
from typing import Any, Literal

from vero_deliver.errors import MessageError, RenderError
from vero_deliver.message import Attachment, Email, EmailVariant
from vero_deliver.mime.chunks import Printed
from vero_deliver.render.addresses import addresses
from vero_deliver.render.draft import Draft
from vero_deliver.render.inline_images import check_cids
from vero_deliver.render.layout import layout_file
from vero_deliver.render.marks import in_classes
from vero_deliver.render.markup import Inliner, from_html, from_mjml
from vero_deliver.render.mjml_check import MarkupError, locate
from vero_deliver.render.once.bodies import Bodies, Personal
from vero_deliver.render.once.compiled import Body
from vero_deliver.render.plaintext import plaintext
from vero_deliver.render.run import current
from vero_deliver.render.tracked import with_links, with_pixel
from vero_deliver.rendered import Address, File, RenderedEmail, Skipped
from vero_deliver.source import Source, where
from vero_deliver.tracking import Tracking

_NO_VARIANT = EmailVariant()


def compose(
    draft: Draft,
    email: Email,
    *,
    language: str,
    default_from: str,
    inliner: Inliner,
    bodies: Bodies | None,
    tracking: Tracking | None,
    key: str,
) -> RenderedEmail | Skipped:
    """The email as it will be sent, or Skipped where the user has no address.

    tracking: whose links and pixel it gets; key: of the delivery, without which there are none.
    """
    variant = email.variants.get(language, _NO_VARIANT)
    to = _mailboxes(draft, email.to, "email.to")
    if not to:
        return Skipped("the user has no email address")
    base = variant if variant.mjml or variant.html else email
    html, text, cids = _body(draft, email, base, variant, language, inliner, bodies)
    files = _files(draft, email.attachments) if email.attachments else []
    if cids is None or not cids <= {file.cid for file in files}:
        check_cids(draft, base, email.layout, str(html), files)
    opens, clicks = email.track_opens, email.track_clicks
    tracked = tracking is not None and bool(key and html)
    if tracking is not None and tracked:
        # ours in place of the provider's: both would count twice
        html, opens, clicks = _tracked(draft, email, html, tracking, key), False, False
    return RenderedEmail.of_pieces(
        from_=_sender(draft, email.from_ or default_from),
        to=to,
        cc=_mailboxes(draft, email.cc, "email.cc") if email.cc else (),
        bcc=_mailboxes(draft, email.bcc, "email.bcc") if email.bcc else (),
        reply_to=_mailboxes(draft, email.reply_to, "email.reply_to") if email.reply_to else (),
        subject=_subject(draft, variant.subject or email.subject),
        html=html,
        text=text,
        headers=_headers(draft, email),
        attachments=tuple(files),
        **draft.common(),
        track_opens=opens,
        track_clicks=clicks,
        tracked=tracked,
    )


def _tracked(
    draft: Draft, email: Email, html: str | Printed, tracking: Tracking, key: str
) -> str | Printed:
    opens = tracking.opens if email.track_opens is None else email.track_opens
    clicks = tracking.clicks if email.track_clicks is None else email.track_clicks
    if clicks:
        own = {link for name, link in draft.variables["url"].items() if name.endswith("_link")}
        html = with_links(str(html), tracking, key, own)
    return with_pixel(str(html), tracking, key) if opens else html


def _mailboxes(draft: Draft, entries: Sequence[str], field: str) -> tuple[Address, ...]:
    found: list[Address] = []
    for entry in entries:
        try:
            found += addresses(entry, lambda text: draft.value(text, field))
        except ValueError as error:
            raise draft.wrong(entry, field, str(error)) from None
    return tuple(found)


def _sender(draft: Draft, entry: str) -> Address:
    if not entry:
        raise draft.wrong(
            draft.message.email.subject if draft.message.email else "",
            "email.from",
            'nobody to send as: set `from` in the message, or [from] email = "..." in the project',
        )
    senders = _mailboxes(draft, (entry,), "email.from")
    if len(senders) != 1:
        raise draft.wrong(entry, "email.from", f"takes one address, not {len(senders)}")
    return senders[0]


def _subject(draft: Draft, template: str) -> str:
    subject = draft.line(template, "email.subject")
    if not subject:
        raise draft.wrong(template, "email.subject", "comes out empty")
    if len(subject) > 2_000:
        raise draft.wrong(template, "email.subject", f"is {len(subject):,} characters long")
    return subject


def _headers(draft: Draft, email: Email) -> dict[str, str]:
    headers = draft.lines(email.headers, "email.headers")
    if draft.message.kind != "marketing" or "list-unsubscribe" in map(str.lower, headers):
        return headers
    link = draft.variables["url"].get("unsubscribe_link", "")
    if not link:
        raise draft.wrong(
            email.subject,
            "email",
            'a marketing email needs a way out: set [links] unsubscribe = "https://..." in the '
            "project, or a List-Unsubscribe header",
        )
    headers["List-Unsubscribe"] = f"<{link}>"
    if link.startswith("https://"):  # RFC 8058 3.1 asks for https
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _body(
    draft: Draft,
    email: Email,
    base: Email | EmailVariant,
    variant: EmailVariant,
    language: str,
    inliner: Inliner,
    bodies: Bodies | None,
) -> tuple[str | Printed, str | Printed, frozenset[str] | None]:
    """HTML, text, and the attachments that the HTML may show; None where that is not known."""
    hidden = variant.preheader or email.preheader
    preheader = draft.line(hidden, "email.preheader") if hidden else ""
    made = _compiled(draft, base, email.layout, preheader, language, bodies)
    html: str | Printed = (
        made.html if made else _html(draft, base, email.layout, preheader, language, inliner)
    )
    # a translated body without its own text part must not fall back to the other language's
    text_source = variant.text or ("" if base is variant else email.text)
    text = draft.printed(text_source, "email.text") if text_source else plaintext(str(html))
    if not html and not text:
        raise draft.wrong(email.subject, "email", "has no body: write email.mjml, .html or .txt")
    return html, text, made.cids if made else None


def body_of(
    draft: Draft, content: Email | EmailVariant, layout: str, language: str, *, preheader: bool
) -> Body:
    """What decides how a body is compiled."""
    ending: Literal["mjml", "html"] = "mjml" if content.mjml else "html"
    if layout and "." not in layout:
        layout = f"{layout}.{ending}"
    label = draft.name(f"email.{ending}")
    source = content.mjml or content.html
    return Body(source, ending, label, layout, language, preheader)


def body_for(draft: Draft, email: Email, language: str) -> Body:
    """The body that a language gets."""
    variant = email.variants.get(language, _NO_VARIANT)
    base = variant if variant.mjml or variant.html else email
    hidden = bool(variant.preheader or email.preheader)
    return body_of(draft, base, email.layout, language, preheader=hidden)


def _compiled(
    draft: Draft,
    content: Email | EmailVariant,
    layout: str,
    preheader: str,
    language: str,
    bodies: Bodies | None,
) -> Personal | None:
    """The HTML of a body that was compiled once; None where it is made for every recipient."""
    if bodies is None or not (content.mjml or content.html):
        return None
    body = body_of(draft, content, layout, language, preheader=bool(preheader))

    def check() -> None:
        if layout:
            layout_file(draft, layout, body.source, body.ending)

    return bodies.pieces(draft, body, preheader, current().catalog, check)


def _html(
    draft: Draft,
    body: Email | EmailVariant,
    layout: str,
    preheader: str,
    language: str,
    inliner: Inliner,
) -> str:
    ending = "mjml" if body.mjml else "html"
    source, field = getattr(body, ending), f"email.{ending}"
    if not source:
        return ""
    if layout:
        layout = layout_file(draft, layout, source, ending)
    markup = draft.text(source, field, escape="html", layout=layout)
    if draft.templates.marks and body.mjml:
        markup = in_classes(markup)
    try:
        if body.mjml:
            return from_mjml(markup, preheader, language, inliner)
        return from_html(markup, preheader, language, inliner)
    except MarkupError as error:
        raise _markup_error(draft, source, field, layout, error) from None


def _markup_error(
    draft: Draft, source: str, field: str, layout: str, error: MarkupError
) -> RenderError:
    """Names a line of the author's file, where the fault is in it; rendered lines mean nothing."""
    found = locate(error.fault, draft.templates.written(source, layout)) if error.fault else None
    if found:
        text, line = found
        place = where(text, line) or f"{draft.name(field)}:{line}"
        return RenderError(f"{field}: {error}", where=place)
    file = source.file if isinstance(source, Source) else draft.message.id or draft.message.title
    return RenderError(f"{field}: {error}", where=file)


def _files(draft: Draft, attachments: Sequence[Attachment]) -> list[File]:
    return [
        _file(draft, attachment, f"email.attachments[{index}]")
        for index, attachment in enumerate(attachments)
    ]


def _file(draft: Draft, attachment: Attachment, field: str) -> File:
    content = attachment.content
    if attachment.content_from:
        content = _data_bytes(draft, attachment.content_from, field)
    elif not content:
        wrong = draft.wrong(attachment.filename, field, "has neither content nor content_from")
        raise MessageError(wrong.detail, where=wrong.where)
    filename = draft.line(attachment.filename, f"{field}.filename")
    filename = filename.replace("/", "_").replace("\\", "_")
    return File(
        filename=filename,
        content=content,
        content_type=attachment.content_type or _guessed(filename),
        cid=attachment.cid,
    )


def _guessed(filename: str) -> str:
    return mimetypes.guess_type(filename)[0] or "application/octet-stream"


def _data_bytes(draft: Draft, name: str, field: str) -> bytes:
    value: Any = draft.value(f"{{{{ {name} }}}}", f"{field}.content_from")
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            pass
    raise draft.wrong(name, field, f"the value of {name!r} is neither bytes nor base64 text")
