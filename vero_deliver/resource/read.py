"""Vero's JSON as a Message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

import msgspec

from vero_deliver.address_list import split_addresses
from vero_deliver.data import check_declaration
from vero_deliver.decode import decode, error
from vero_deliver.errors import MessageError
from vero_deliver.message import Email, EmailVariant, Http, Message, Push, Sms
from vero_deliver.plain import KeyPath, Problem, Where, unwritable
from vero_deliver.reading import ReadError, parse_json
from vero_deliver.rendered import ContentName
from vero_deliver.resource.shape import (
    ADDRESS_LISTS,
    BOOKKEEPING,
    TRACKING,
    AnyEmailPart,
    ContentPart,
    EmailPart,
    HeadersPart,
    OptionsPart,
    ResourcePart,
    VariantPart,
)

_MODELS: Final[dict[str, type[Push | Sms | Http]]] = {"push": Push, "sms": Sms, "http": Http}

_UNSAID = "en"  # of a default email whose language the resource does not tell


def from_resource(document: Any, *, where: str = "") -> Message:
    """The Message of Vero's JSON, given as plain values.

    Addresses may be a list or one comma-separated string, headers an object or JSON in a string,
    contents a list or Vero's list object. Where an email has both body and processor.mjml, mjml
    wins: body is what it compiled to. Raises MessageError with the path of what is wrong.
    """
    try:
        return _Reader(lambda _: where).message(document)
    except RecursionError:
        raise MessageError("nested too deeply", where=where) from None


class _Reader:
    def __init__(self, where: Where) -> None:
        self.where = where

    def wrong(self, path: KeyPath, text: str) -> MessageError:
        return error([Problem(path, text)], self.where)

    def message(self, document: Any) -> Message:
        problems = list(unwritable(document, "JSON"))
        if problems:
            raise error(problems, self.where)
        document, listed_at = _flattened(document)
        resource = decode(ResourcePart, document, where=self.where)
        check_declaration(resource.data, self.where)
        emails: list[_Found] = []
        parts: dict[str, Any] = {}
        for index, content in enumerate(resource.contents):
            path = (*listed_at, index)
            held = self.held(content, path)
            if content.type == "email":
                emails.append(_Found(held, (*path, "email")))
            elif content.type in parts:
                raise self.wrong(path, f"there is another content of type {content.type}")
            else:
                model = _MODELS[content.type]
                at = (*path, content.type)
                parts[content.type] = decode(model, held, where=self.where, at=at)
        own = _own(emails, resource.locales)
        return Message(
            id=resource.id,
            title=resource.title,
            kind="transactional" if resource.transactional else "marketing",
            locales=_locales(own, emails, resource.locales),
            tags=resource.tags,
            metadata=resource.metadata,
            data=resource.data,
            email=self.email(own, emails) if own else None,
            **parts,
        )

    def held(self, content: ContentPart, path: KeyPath) -> dict[str, Any]:
        """What the content holds, which is what its type says."""
        held = [name for name in get_args(ContentName) if getattr(content, name) is not None]
        if held != [content.type]:
            names = " and ".join(held) or "nothing"
            raise self.wrong(path, f"type says {content.type}, but it holds {names}")
        return _cleaned(getattr(content, content.type))

    def email(self, own: _Found, emails: list[_Found]) -> Email:
        part = decode(EmailPart, own.raw, where=self.where, at=own.path)
        texts: dict[str, Any] = _texts(part)
        email = Email(**texts, **self.shared(part, own.path))
        taken, variants = {part.locale}, {}
        for found in emails:
            if found is not own:
                variant = decode(VariantPart, found.raw, where=self.where, at=found.path)
                if not variant.locale or variant.locale in taken:
                    which = f"of locale {variant.locale}" if variant.locale else "without a locale"
                    raise self.wrong(found.path, f"there is another email {which}")
                self.unchanged(variant, email, found.path)
                taken.add(variant.locale)
                variants[variant.locale] = EmailVariant(**_texts(variant))
        return msgspec.structs.replace(email, variants=variants)

    def unchanged(self, variant: VariantPart, email: Email, path: KeyPath) -> None:
        """An email of one more locale may repeat what is not text, but not change it."""
        for name, value in self.shared(variant, path).items():
            if getattr(email, name) != value:
                detail = "differs from the message's own email; a locale changes only its text"
                raise self.wrong((*path, name.strip("_")), detail)

    def shared(self, email: AnyEmailPart, path: KeyPath) -> dict[str, Any]:
        """The fields of Email that are given and do not depend on the locale."""
        given: dict[str, Any] = {
            "from_": email.from_,
            "layout": email.layout,
            "attachments": email.attachments,
            "headers": self.headers(email.headers, (*path, "headers")),
        }
        given = {name: value for name, value in given.items() if value}
        for name in ADDRESS_LISTS:
            value = getattr(email, name)
            if value is not None:
                given[name] = split_addresses(value) if isinstance(value, str) else value
        options = email.options or OptionsPart()
        for name in TRACKING:
            track = getattr(options, name)
            track = options.tracking if track is None else track
            if track is not None:
                given[name] = track
        return given

    def headers(self, given: str | Mapping[str, str], path: KeyPath) -> Mapping[str, str]:
        if isinstance(given, Mapping) or not given:
            return given or {}
        try:
            fields = parse_json(given, "")
        except ReadError as wrong:
            raise self.wrong(path, wrong.detail) from None
        problems = list(unwritable(fields, "JSON", path))
        if problems:
            raise error(problems, self.where)
        return decode(HeadersPart, {"headers": fields}, where=self.where, at=path[:-1]).headers


@dataclass(frozen=True, slots=True)
class _Found:
    """One email content before it is decoded."""

    raw: dict[str, Any]
    path: KeyPath

    @property
    def locale(self) -> str:
        return str(self.raw.get("locale", ""))


def _own(emails: list[_Found], locales: Sequence[str]) -> _Found | None:
    """The email the others are variants of: without a locale, else of the default locale."""
    wanted = ["", *locales[:1]]
    ranked = sorted(emails, key=lambda e: [e.locale != locale for locale in wanted])
    return ranked[0] if ranked else None


def _locales(
    own: _Found | None, emails: list[_Found], declared: tuple[str, ...]
) -> tuple[str, ...]:
    """The declared ones, and those that the emails have; Vero itself declares none."""
    others = [email.locale for email in emails if email is not own and email.locale]
    first = own.locale if own else ""
    if not first and not declared and others:
        first = _UNSAID
    known = declared if not first or first in declared else (first, *declared)
    return (*known, *(locale for locale in dict.fromkeys(others) if locale not in known))


def _texts(email: EmailPart | VariantPart) -> dict[str, str]:
    mjml = email.processor.mjml if email.processor else ""
    return {
        "subject": email.subject,
        "preheader": email.preheader_text,
        "mjml": mjml,
        "html": "" if mjml else email.body,
        "text": email.plain_text,
    }


def _flattened(document: Any) -> tuple[Any, KeyPath]:
    """The document without bookkeeping, contents as a plain list; and the path of that list."""
    if not isinstance(document, Mapping):
        return document, ()
    flat = _cleaned(document, keep="id")
    path: KeyPath = ("contents",)
    contents = flat.get("contents", [])
    if isinstance(contents, Mapping) and "data" in contents:
        contents, path = contents["data"], ("contents", "data")
    if isinstance(contents, list | tuple):
        contents = [_cleaned(c) if isinstance(c, Mapping) else c for c in contents]
    return {**flat, "contents": contents}, path


def _cleaned(part: Mapping[str, Any], keep: str = "") -> dict[str, Any]:
    return {
        key: value
        for key, value in part.items()
        if value is not None and (key == keep or key not in BOOKKEEPING)
    }
