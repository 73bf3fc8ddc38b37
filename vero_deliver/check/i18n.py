"""Languages: what is not translated, and what does not fit once it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from gettext import NullTranslations
from typing import Any, Final

from jinja2.ext import extract_from_ast

from vero_deliver.check.finding import Hit, Place
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen, texts_of
from vero_deliver.check.uses import values
from vero_deliver.data import check_data
from vero_deliver.errors import DataError
from vero_deliver.render.filters.formats import direction
from vero_deliver.render.translations import load
from vero_deliver.source import Source

_LONGER: Final = 1.4
_SHORT: Final = 15  # characters of a text whose translation may well be longer


@rule("i18n/missing-locale", "error")
def missing_locale(seen: Seen) -> Iterator[Hit]:
    """A locale that the message declares is nowhere written.

    Users of that locale are told that there is a translation, and get the text of the first
    locale with numbers and dates in their own manner.
    """
    email = seen.message.email
    written = {*(email.variants if email else ())}
    texts = {text for _, text in _translatable(seen)}
    for locale in seen.message.locales[1:]:
        known = any(_has(_catalog(seen, locale), text) for text in texts)
        if locale not in written and not known:
            text = f"nothing is translated to {locale}"
            yield Hit(text, at="locales", hint=f"write email.{locale}.mjml, or its catalog")


@rule("i18n/missing-key", "warning")
def missing_key(seen: Seen) -> Iterator[Hit]:
    """A text has no translation.

    Users of the other locales read this part in the first one's language.
    """
    for locale in seen.message.locales[1:]:
        catalog = _catalog(seen, locale)
        texts = list(_translatable(seen))
        if not any(_has(catalog, text) for _, text in texts):
            continue  # i18n/missing-locale, or whole files of its own
        for place, text in texts:
            if not _has(catalog, text):
                yield Hit(f"not translated to {locale}: {_short(text)}", at=place)


@rule("i18n/no-sample", "info")
def no_sample(seen: Seen) -> Iterator[Hit]:
    """No sample has a locale that the message is written in.

    Nobody has seen it: give a sample user that locale.
    """
    seen_in = {sample.language for sample in seen.samples}
    for locale in seen.message.locales:
        if seen.samples and locale not in seen_in:
            yield Hit(f"no sample user has the locale {locale}", at="locales")


@rule("i18n/longer", "info")
def longer(seen: Seen) -> Iterator[Hit]:
    """A translation is much longer than the text.

    More than 40 % longer does not fit a button or a subject that was made for the first language.
    """
    for locale in seen.message.locales[1:]:
        catalog = _catalog(seen, locale)
        for place, text in _translatable(seen):
            translated = catalog.gettext(text)
            if len(text) >= _SHORT and len(translated) > _LONGER * len(text):
                ratio = f"{len(translated) / len(text) - 1:.0%} longer"
                yield Hit(f"{ratio} in {locale}: {_short(text)}", at=place)


@rule("i18n/rtl-dir", "error")
def rtl_dir(seen: Seen) -> Iterator[Hit]:
    """A letter in a script that is read from the right does not say so.

    Without `dir="rtl"` Arabic and Hebrew stand at the wrong side, and full stops at the wrong end.
    MJML says it for you.
    """
    for mail in seen.emails:
        if not mail.rendered.html or direction(mail.sample.language) != "rtl":
            continue
        if not any(e.get("dir") == "rtl" for e in mail.page.find("html", "body", "div")):
            text = f"{mail.sample.language} is read from the right"
            yield Hit(text, on=mail, at="body", hint='write <html dir="rtl">')


@rule("i18n/unformatted", "warning")
def unformatted(seen: Seen) -> Iterator[Hit]:
    """A date or a number is printed as programs write it.

    "2026-11-23" and "1234.5" read well nowhere: `| format_date`, `| money("EUR")` and
    `| format_number` print what the user's locale writes.
    """
    silent = _for_programs(seen)
    for sample in seen.samples:
        given = _given(seen, sample.recipient.data)
        for use in seen.uses:
            if use.printed and not any(use.source is source for source in silent):
                for there, value in values(use.path, given):
                    if there and isinstance(value, (date, Decimal, float)):
                        kind = "a date" if isinstance(value, date) else "a number"
                        place = Place(use.source.file, use.line)
                        text = f"{use} is {kind}, printed without a format"
                        yield Hit(text, sample=sample.label, at=place)


def _translatable(seen: Seen) -> Iterator[tuple[Place, str]]:
    """The texts that templates give to the catalog, each with its place."""
    environment = seen.templates.environment("html")
    for source in seen.sources:
        for line, _, found in extract_from_ast(environment.parse(str(source))):
            texts = (found,) if isinstance(found, str) else found or ()
            text = next(filter(None, texts), None)
            if text:
                yield Place(source.file, source.line + line - 1), text


def _catalog(seen: Seen, locale: str) -> NullTranslations:
    folder = seen.project.root / seen.project.settings.translations
    return load(folder if folder.is_dir() else None, locale)


def _has(catalog: NullTranslations, text: str) -> bool:
    if catalog.gettext(text) != text:
        return True
    known: dict[Any, str] = getattr(catalog, "_catalog", {})
    return text in known or (text, 0) in known or (text, 1) in known


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 60 else f"{flat[:59]}…")


def _given(seen: Seen, data: Any) -> dict[str, Any]:
    try:
        return check_data(seen.message.data, data)
    except DataError:
        return dict(data)


def _for_programs(seen: Seen) -> list[Source]:
    """Templates whose text no reader sees."""
    message = seen.message
    given: list[Any] = [message.http, message.metadata, message.tags]
    if message.email:
        given += [message.email.headers, message.email.attachments]
    if message.push:
        push = message.push
        given += [push.data, push.ios, push.android, push.web, push.link, push.collapse]
        given += [push.badge, push.ttl, push.image]
    return [source for value in given for source in texts_of(value)]
