"""Values that templates ask for, beside those that senders and samples have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from vero_deliver.check.dom import Element
from vero_deliver.check.finding import Hit, Place
from vero_deliver.check.render import is_undefined, place_of
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen
from vero_deliver.check.shown import Sample
from vero_deliver.check.uses import EACH, Path, Use, unescaped, values
from vero_deliver.data import check_data, unlike
from vero_deliver.errors import DataError
from vero_deliver.json_lines import json_lines
from vero_deliver.plain import dotted, kind_of, nearest
from vero_deliver.render.renderer import RESERVED
from vero_deliver.source import Source

_MARKUP: Final = re.compile(
    r"</?(?:a|b|br|div|em|h[1-6]|i|img|li|p|span|strong|u|ul)(?:\s[^<>]*)?/?>"
    r"|&(?:amp|apos|gt|lt|nbsp|quot|#\d{2,5});"
)
_GREETING: Final = re.compile(r"\b(?:Dear|Hello|Hey|Hi)\s+[,!]")


@rule("vars/missing", "error")
def missing(seen: Seen) -> Iterator[Hit]:
    """A value is missing for a sample.

    A template or [data] asks for something that this sample has not got: for users like them the
    delivery fails, or reads "Hi ," where missing values print nothing. Give it a default with
    `| fallback("...")`, or declare it in [data] so that senders are told.
    """
    told: set[tuple[str, Place]] = set()
    for sample in seen.samples:
        for problem, where in unlike(seen.message.data, sample.recipient.data):
            if problem.text.startswith("is missing"):
                words = f"{dotted(problem.path)} {problem.text}"
                yield Hit(words, sample=sample.label, at=place_of(where, seen))
        for use in _required(seen, sample):
            told.add((sample.label, _place(use)))
            hint = f'{{{{ {use} | fallback("...") }}}} prints something in its place'
            yield Hit(f"{use} is missing", sample=sample.label, at=_place(use), hint=hint)
    for failure in seen.failures:
        place, who = place_of(failure.error.where, seen), failure.sample.label
        if is_undefined(failure.error) and (who, Place(place.file, place.line)) not in told:
            yield Hit(failure.error.detail, sample=who, at=place)


@rule("vars/type", "error")
def wrong_type(seen: Seen) -> Iterator[Hit]:
    """A value has another type than is asked for.

    [data] says what senders pass; a text where it says number is refused when sending. A list or
    an object that is printed as it is reads like a program: "['a', 'b']".
    """
    for sample in seen.samples:
        for problem, where in unlike(seen.message.data, sample.recipient.data):
            if not problem.text.startswith("is missing"):
                words = f"{dotted(problem.path)}: {problem.text}"
                yield Hit(words, sample=sample.label, at=place_of(where, seen))
        for use in seen.uses:
            for there, value in values(use.path, _given(seen, sample)) if use.printed else ():
                if there and isinstance(value, (Mapping, list, tuple)):
                    text = f"{use} is printed, and is {kind_of(value)}"
                    yield Hit(text, sample=sample.label, at=_place(use))


@rule("vars/possibly-empty", "warning")
def possibly_empty(seen: Seen) -> Iterator[Hit]:
    """A value that is printed is empty for a sample.

    "Hi ," greets nobody. `| fallback("friend")` stands in for a value that is missing, null or
    empty.
    """
    for sample in seen.samples:
        given = _given(seen, sample)
        for use in seen.uses:
            if not use.printed or use.guarded:
                continue
            if any(there and value in ("", None) for there, value in values(use.path, given)):
                hint = f'write {{{{ {use} | fallback("...") }}}}'
                yield Hit(f"{use} is empty", sample=sample.label, at=_place(use), hint=hint)
    for mail in seen.emails:
        for where, text in (("subject", mail.rendered.subject), ("text", mail.rendered.text)):
            found = _GREETING.search(text)
            if found:
                yield Hit(f"it greets nobody: {found[0]!r}", on=mail, at=where)


@rule("vars/undeclared", "warning")
def undeclared(seen: Seen) -> Iterator[Hit]:
    """A template uses a value that [data] does not declare.

    What is declared is checked when a sender calls, with names and types; what is not shows up
    when somebody's email fails.
    """
    told: set[Path] = set()
    for use in seen.uses:
        given = use.path[0] in RESERVED
        unknown = () if given else _undeclared(use.path, seen.message.data)
        if unknown and unknown not in told:
            told.add(unknown)
            near = nearest(unknown[-1], _members(seen.message.data, unknown[:-1]))
            yield Hit(f"{_dots(unknown)} is not declared in [data]{near}", at=_place(use))


@rule("vars/unused-sample-key", "warning")
def unused_sample_key(seen: Seen) -> Iterator[Hit]:
    """A sample has a value that nothing uses or declares.

    Often it is a name that was misspelt, or one that a template used before it was changed.
    """
    used = {use.path[0] for use in seen.uses} | set(seen.message.data)
    if seen.message.email:
        used |= {str(file.content_from) for file in seen.message.email.attachments}
    for sample in seen.samples:
        for name in sample.recipient.data:
            if name not in used:
                text = f"{name!r} is neither used nor declared{nearest(name, used - {*RESERVED})}"
                yield Hit(text, sample=sample.label, at=_sample_place(seen, sample, name))


@rule("vars/html-in-text", "warning")
def html_in_text(seen: Seen) -> Iterator[Hit]:
    """Readers see markup where they should see text.

    Subjects, notifications and text messages are no HTML: a value that holds `<b>` or `&amp;`
    shows just that. In the HTML part it happens to values that were escaped before they came.
    """
    for mail in seen.emails:
        yield from _shown(mail.rendered.subject, mail, "subject")
        found = _MARKUP.search(mail.page.body.text)
        if found:
            words = f"the reader sees {found[0]!r}"
            yield Hit(words, on=mail, at=_innermost(mail.page.body, found[0]))
        elif mail.email.text:
            yield from _shown(mail.rendered.text, mail, "text")
    for push in seen.pushes:
        yield from _shown(push.rendered.title, push, "title")
        yield from _shown(push.rendered.body, push, "body")
    for text in seen.texts:
        yield from _shown(text.rendered.body, text, "body")


@rule("vars/unescaped-safe", "warning")
def unescaped_safe(seen: Seen) -> Iterator[Hit]:
    """A value is put into HTML as it is.

    `| safe` and `autoescape false` let whoever wrote the value write the email: a user named
    `<a href=...>` sends your customers where they like. Keep it for values of your own making.
    """
    for source in seen.sources:
        for found in unescaped(seen.templates.environment("html"), source):
            if source.file.endswith((".mjml", ".html")):
                yield Hit("a value is not escaped", at=Place(found.source.file, found.line))


def _shown(text: str, on: Any, at: str) -> Iterator[Hit]:
    found = _MARKUP.search(text)
    if found:
        yield Hit(f"the reader sees {found[0]!r}", on=on, at=at)


def _innermost(element: Element, words: str) -> Element:
    inner = (e for e in element.elements if words in e.text)
    return list(inner)[-1] if words in element.text else element


def _place(use: Use) -> Place:
    return Place(use.source.file, use.line)


def _given(seen: Seen, sample: Sample) -> dict[str, Any]:
    """What templates see for a sample, but for what the renderer itself adds."""
    who = sample.recipient
    try:
        data = check_data(seen.message.data, who.data)
    except DataError:
        data = dict(who.data)
    return {**data, "user": who.user.to_dict(), "event": dict(who.event)}


def _required(seen: Seen, sample: Sample) -> Iterator[Use]:
    """What a sample lacks in templates that it needs; in strict projects, only where one failed."""
    failed = any(f.sample is sample and is_undefined(f.error) for f in seen.failures)
    if not failed and seen.project.settings.undefined == "strict":
        return
    given = {**_given(seen, sample), **_ADDED}
    for use in seen.uses:
        needed = use.required and not use.guarded and _is_own(use.source, seen)
        if needed and any(not there for there, _ in values(use.path, given)):
            yield use


_ADDED: Final[Mapping[str, Any]] = dict.fromkeys(("campaign", "message", "url", "now"), object())


def _is_own(source: Source, seen: Seen) -> bool:
    """Whether every sample's rendering runs it: no file that is included, no locale's variant."""
    folder = f"{seen.toml.removesuffix('message.toml')}"
    bodies = ("email.mjml", "email.html", "email.txt", "message.toml", "http.json", "http.txt")
    in_variant = any(
        source is text
        for variant in (seen.message.email.variants.values() if seen.message.email else ())
        for text in (variant.subject, variant.preheader)
    )
    return source.file in {folder + name for name in bodies} and not in_variant


def _undeclared(path: Path, declared: Any) -> Path:
    """The part of a path that is not declared; empty where all of it is, or nobody can say."""
    for at, name in enumerate(path):
        if isinstance(declared, (list, tuple)):
            if name != EACH:
                return ()
            declared = declared[0]
        elif not isinstance(declared, Mapping) or isinstance(declared.get("type"), str):
            return ()
        elif name not in declared:
            return path[: at + 1]
        else:
            declared = declared[name]
    return ()


def _members(declared: Any, path: Path) -> list[str]:
    for name in path:
        declared = declared[0] if name == EACH else declared[name]
    return list(declared) if isinstance(declared, Mapping) else []


def _dots(path: Path) -> str:
    return ".".join(path).replace(f".{EACH}", EACH)


def _sample_place(seen: Seen, sample: Sample, name: str) -> Place:
    folder = seen.toml.removesuffix("message.toml")
    files = {file.stem: file for file in (seen.folder / "samples").glob("*.json")}
    file = files.get(sample.label)  # of a CSV, a label is what its rows say
    if file is None:
        return Place(f"{folder}samples.csv", 1)
    lines = json_lines(file.read_text(encoding="utf-8-sig"))
    return Place(f"{folder}samples/{file.name}", lines.get((name,), 1))
