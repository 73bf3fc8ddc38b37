"""Rendered contents compared field by field."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from vero_deliver.diff.markup import lines_of
from vero_deliver.errors import RenderError
from vero_deliver.rendered import (
    ContentName,
    Rendered,
    RenderedEmail,
    RenderedHttp,
    Skipped,
    document,
)

Outcome = Rendered | Skipped | RenderError

_NOT_CONTENT: Final = frozenset(("content", "at", "device"))  # who and when, not what
_ORDER: Final = ("from", "to", "subject", "title", "text", "html")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not the same. before, after: its text; empty where there is none."""

    content: ContentName
    field: str
    before: str
    after: str

    def unified(
        self, before: str = "before", after: str = "after", message: str = "", context: int = 3
    ) -> str:
        """As a unified diff; `before` and `after` name the sides, `message` what it is of."""
        name = "/".join(filter(None, (message, self.content, self.field)))
        lines = difflib.unified_diff(
            _lines(self.before), _lines(self.after), f"{name}\t{before}", f"{name}\t{after}",
            n=context,
        )  # fmt: skip
        return "".join(lines)


def compare(
    before: Mapping[ContentName, Outcome], after: Mapping[ContentName, Outcome]
) -> list[Difference]:
    """The fields that differ, content by content. Empty where all is the same.

    HTML is compared by element, JSON as values, attachments by their hash. The moment of rendering
    and the device of a push are no part of it.
    """
    found: list[Difference] = []
    for content in dict.fromkeys((*before, *after)):
        old, new = fields(before.get(content)), fields(after.get(content))
        found += [
            Difference(content, name, old.get(name, ""), new.get(name, ""))
            for name in sorted({**old, **new}, key=_place)
            if old.get(name, "") != new.get(name, "")
        ]
    return found


def fields(outcome: Outcome | None) -> dict[str, str]:
    """Each field of an outcome as text of lines; those that hold nothing are left out."""
    match outcome:
        case None:
            return {}
        case Skipped():
            return {"skipped": outcome.reason}
        case RenderError():
            return {"error": str(outcome)}
        case _:
            shown = {name.rstrip("_"): text for name, text in _texts(outcome)}
            return {name: text for name, text in shown.items() if text}


def _texts(rendered: Rendered) -> Iterator[tuple[str, str]]:
    for name, value in document(rendered).items():
        if name in _NOT_CONTENT:
            continue
        if name == "html":
            yield name, "\n".join(lines_of(value))
        elif name == "attachments" and isinstance(rendered, RenderedEmail):
            yield (
                name,
                "\n".join(
                    f"{file.filename} {file.content_type} {f'cid:{file.cid} ' if file.cid else ''}"
                    f"sha256:{hashlib.sha256(file.content).hexdigest()[:16]}"
                    for file in rendered.attachments
                ),
            )
        elif name == "body" and isinstance(rendered, RenderedHttp):
            yield name, _body(value)
        else:
            yield name, _text(value)


def _text(value: Any) -> str:
    if value is None or value in ((), [], {}):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and value.keys() == {"email", "name"}:
        return f"{value['name']} <{value['email']}>" if value["name"] else str(value["email"])
    if isinstance(value, list | tuple):
        return "\n".join(map(_text, value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True, default=str)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(value: str | Mapping[str, str]) -> str:
    """JSON with its keys in order, so that only values count; other text as it is."""
    if not isinstance(value, str):
        return _text(value)
    try:
        return _text(json.loads(value))
    except ValueError:
        return value


def _place(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else 3, name)


def _lines(text: str) -> list[str]:
    return [f"{line}\n" for line in text.split("\n")] if text else []
