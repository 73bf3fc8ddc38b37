"""What readers see of an email before they open it: sender, subject and preheader."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from vero_deliver.check.finding import Hit
from vero_deliver.check.graphemes import graphemes
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen
from vero_deliver.check.shown import ShownEmail

_SUBJECT: Final = 60  # graphemes that most inboxes show
_PREHEADER: Final = 40
_FREE: Final = frozenset(
    ("aol.com", "gmail.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "icloud.com",
     "live.com", "mail.ru", "me.com", "outlook.com", "qq.com", "seznam.cz", "web.de", "yahoo.com",
     "yandex.ru", "ymail.com")
)  # fmt: skip
_NO_REPLY: Final = re.compile(r"(?:do[-_.]?)?no?t?[-_.]?reply\b", re.IGNORECASE)
_PADDING: Final = re.compile("[\u034f\u200b-\u200f\u00ad\u2007\ufeff]")
_CONSTRUCT: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


@rule("email/subject-length", "warning")
def subject_length(seen: Seen) -> Iterator[Hit]:
    """A subject is longer than inboxes show.

    Most cut it after about 60 characters, phones after 40: what is to be read stands first.
    """
    for mail in seen.emails:
        length = graphemes(mail.rendered.subject)
        if length > _SUBJECT:
            detail = f"{length}: {mail.rendered.subject[:80]}"
            yield Hit(f"more than {_SUBJECT} characters", on=mail, at="subject", detail=detail)


@rule("email/subject-caps", "warning")
def subject_caps(seen: Seen) -> Iterator[Hit]:
    """A subject is in capitals.

    It reads as shouting, and filters count it.
    """
    for mail in seen.emails:
        letters = [letter for letter in mail.rendered.subject if letter.isalpha()]
        if len(letters) > 8 and all(letter.isupper() for letter in letters):
            yield Hit("the subject is in capitals", on=mail, at="subject")


@rule("email/subject-newline", "warning")
def subject_newline(seen: Seen) -> Iterator[Hit]:
    """A subject is written on several lines.

    A header has one: line breaks become blanks, so the inbox shows something else than the file.
    """
    for mail in seen.emails:
        variant = mail.email.variants.get(mail.sample.language)
        written = (variant.subject if variant else "") or mail.email.subject
        if "\n" in _CONSTRUCT.sub("", written).strip():
            yield Hit("the subject has a line break", on=mail, at="subject")


@rule("email/preheader-missing", "warning")
def preheader_missing(seen: Seen) -> Iterator[Hit]:
    """There is no preheader.

    Inboxes show the beginning of the letter after the subject: without a preheader that is "View
    in browser", or the alternative text of a logo.
    """
    for mail in seen.emails:
        if mail.rendered.html and not _preheader(mail):
            hint = 'write preheader = "..." in [email]'
            yield Hit("there is no preheader", on=mail, at="preheader", hint=hint)


@rule("email/preheader-repeats", "warning")
def preheader_repeats(seen: Seen) -> Iterator[Hit]:
    """The preheader says what the subject says.

    Readers see both side by side: the second line is given away.
    """
    for mail in seen.emails:
        preheader = _preheader(mail).casefold().strip(" .!")
        if preheader and preheader == mail.rendered.subject.casefold().strip(" .!"):
            yield Hit("the preheader repeats the subject", on=mail, at="preheader")


@rule("email/preheader-short", "info")
def preheader_short(seen: Seen) -> Iterator[Hit]:
    """The preheader is short, and nothing stands behind it.

    Inboxes have room for 40 to 90 characters after the subject, and fill it with the beginning of
    the letter. What `preheader` in [email] says is padded for you.
    """
    for mail in seen.emails:
        length = graphemes(_preheader(mail))
        if 0 < length < _PREHEADER and not _is_padded(mail):
            text = f"the preheader has fewer than {_PREHEADER} characters"
            yield Hit(text, on=mail, at="body", detail=str(length))


@rule("email/free-sender", "error")
def free_sender(seen: Seen) -> Iterator[Hit]:
    """The sender is at a free mail provider.

    Their domains publish DMARC policies that tell others to refuse what is not sent through them,
    as yours is not. Send from a domain of your own.
    """
    for mail in seen.emails:
        domain = mail.rendered.from_.email.rpartition("@")[2].lower()
        if domain in _FREE:
            yield Hit(f"the sender is at {domain}", on=mail, at="from")


@rule("email/no-reply", "info")
def no_reply(seen: Seen) -> Iterator[Hit]:
    """Nobody reads the answers.

    A sender that says "no reply" is written into fewer address books, and answers are what
    mailbox providers like best. Set reply_to to somebody who reads.
    """
    for mail in seen.emails:
        senders = mail.rendered.reply_to or (mail.rendered.from_,)
        if any(_NO_REPLY.match(sender.email) for sender in senders):
            yield Hit("answers go to nobody", on=mail, at="from")


def _preheader(mail: ShownEmail) -> str:
    """What the hidden element at the top of the body says; empty where there is none."""
    for element in mail.page.body.elements:
        if element.is_hidden and element is not mail.page.body:
            inner = (child for e in element.elements for child in e.children)
            told = "".join(child for child in inner if isinstance(child, str))
            return " ".join(_PADDING.sub("", told).split())
        if any(isinstance(child, str) and child.strip() for child in element.children):
            return ""
    return ""


def _is_padded(mail: ShownEmail) -> bool:
    variant = mail.email.variants.get(mail.sample.language)
    return bool(mail.email.preheader or (variant and variant.preheader))
