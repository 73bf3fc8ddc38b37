"""Whether samples can be rendered at all, and how fast."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from vero_deliver.check.finding import Hit, Place
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen
from vero_deliver.errors import ConfigError, DataError, MessageError, RenderError

_PLACE = re.compile(r"(?P<file>.+?):(?P<line>\d+)")
_BY_VARIABLES = re.compile(r"there is no '|has no '")  # vars/missing tells those


@rule("render/message", "error")
def message(seen: Seen) -> Iterator[Hit]:
    """A message is broken.

    It cannot be read, or its templates cannot be compiled: nobody gets anything, and no other
    rule can look at it.
    """
    if isinstance(seen.trouble, MessageError):
        yield Hit(seen.trouble.detail, at=place_of(seen.trouble.where, seen))


@rule("render/sample", "error")
def sample(seen: Seen) -> Iterator[Hit]:
    """A sample cannot be read.

    Samples are what every other rule looks at; one that is no JSON, or whose user has a field of
    the wrong type, stops them all.
    """
    if isinstance(seen.trouble, ConfigError):
        where, _, detail = str(seen.trouble).partition(": ")
        yield Hit(detail or where, at=place_of(where, seen))


@rule("render/no-samples", "warning")
def no_samples(seen: Seen) -> Iterator[Hit]:
    """A message has no samples.

    Without a sample user nothing is rendered, so a missing value, a broken link or too long a
    subject shows up when the first real user gets it.
    """
    if seen.message.contents and not seen.samples:
        hint = f"write {seen.toml.removesuffix('message.toml')}samples/ada.json"
        yield Hit("there are no samples, so nothing was rendered", hint=hint)


@rule("render/error", "error")
def error(seen: Seen) -> Iterator[Hit]:
    """A content cannot be rendered for a sample.

    Whoever has data like this sample's gets nothing: the delivery fails.
    """
    for failure in seen.failures:
        told = isinstance(failure.error, DataError) or is_undefined(failure.error)
        if not told:  # else vars/missing or vars/type tells
            place = place_of(failure.error.where, seen)
            about = "" if failure.error.detail.startswith(failure.content) else failure.content
            text = ": ".join(filter(None, (about, failure.error.detail)))
            yield Hit(text, at=place, sample=failure.sample.label)


@rule("render/per-recipient", "info")
def per_recipient(seen: Seen) -> Iterator[Hit]:
    """An email's body is compiled for every recipient.

    The other bodies are compiled once and filled in for each user, which is several times as
    fast; what is sent is the same. `render --explain` says the same of one message.
    """
    email = seen.message.email
    if email is None or not seen.emails:
        return
    for language in dict.fromkeys(mail.sample.language for mail in seen.emails):
        for reason in seen.renderer.explain(seen.message, language).reasons:
            yield Hit(reason.detail, at=place_of(reason.where, seen))


def is_undefined(error: RenderError) -> bool:
    """Whether a template asked for a value that is not there."""
    return bool(_BY_VARIABLES.match(error.detail))


def place_of(where: str, seen: Seen) -> Place:
    """The place of an error's `file:line`; message.toml where it names none."""
    found = _PLACE.fullmatch(where)
    name, line = (found["file"], int(found["line"])) if found else (where, 0)
    root = seen.project.messages.parent
    for file in (root / name, Path.cwd() / name) if name else ():
        if file.is_file() and file.is_relative_to(root):
            return Place(file.relative_to(root).as_posix(), line)
    return Place(seen.toml, 1)
