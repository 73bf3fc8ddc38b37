"""One message in the making for one user: its templates, its variables, and how to ask for text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, TypedDict

from vero_deliver.errors import RenderError
from vero_deliver.message import Message
from vero_deliver.mime.chunks import Printed
from vero_deliver.render.clean import one_line
from vero_deliver.render.environment import Escape
from vero_deliver.render.json_values import plain
from vero_deliver.render.run import current
from vero_deliver.render.templates import Templates
from vero_deliver.rendered import Kind
from vero_deliver.source import is_plain, where

_SHORT = 500  # characters of a line that is kept for the next user


_fixed_line = lru_cache(maxsize=1024)(one_line)


class Common(TypedDict):
    """The fields that every rendered content has."""

    at: datetime
    kind: Kind
    tags: tuple[str, ...]
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Draft:
    """What every content's composer works with.

    variables: all names that templates see. at: the clock.
    """

    message: Message
    templates: Templates
    variables: Mapping[str, Any]
    at: datetime

    def common(self) -> Common:
        """The fields that every content has."""
        message = self.message
        return Common(
            at=self.at,
            kind=message.kind,
            tags=tuple([self.line(tag, "tags") for tag in message.tags]),
            metadata=self.lines(message.metadata, "metadata"),
        )

    @property
    def timezone(self) -> str:
        """The user's, an IANA name; empty where the user has none, or only an offset."""
        known = self.variables["user"]["timezone"]
        return getattr(current().timezone, "key", "") if known else ""

    def text(self, template: str, field: str, *, escape: Escape = "text", layout: str = "") -> str:
        """The template rendered; `field` is its path in the message, "email.subject"."""
        return self.templates.render(
            template, self.variables, escape=escape, field=self.name(field), layout=layout
        )

    def printed(self, template: str, field: str) -> str | Printed:
        """The text in pieces whose constants are encoded once."""
        return self.templates.printed(
            template, self.variables, escape="text", field=self.name(field)
        )

    def line(self, template: str, field: str) -> str:
        """As text, on one line: for headers, titles and addresses."""
        if len(template) <= _SHORT and is_plain(template):
            return _fixed_line(str(template))
        return one_line(self.text(template, field))

    def lines(self, templates: Mapping[str, str], field: str) -> dict[str, str]:
        """Every value of a mapping as one line."""
        if not templates:
            return {}
        return {name: self.line(text, f"{field}.{name}") for name, text in templates.items()}

    def value(self, template: str, field: str) -> Any:
        """The value of a template that is one expression, else its text."""
        return self.templates.value(template, self.variables, field=self.name(field))

    def tree(self, value: Any, field: str) -> Any:
        """A JSON value with every string in it replaced by its value."""
        if isinstance(value, str):
            return self._json(self.value(value, field), value, field)
        if isinstance(value, Mapping):
            return {key: self.tree(item, f"{field}.{key}") for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.tree(item, f"{field}[{index}]") for index, item in enumerate(value)]
        return self._json(value, "", field)

    def _json(self, value: Any, template: str, field: str) -> Any:
        try:
            return plain(value)
        except ValueError as error:
            raise self.wrong(template, field, str(error)) from None

    def wrong(self, template: str, field: str, detail: str) -> RenderError:
        """An error at that field, with file and line where there is a file."""
        own = self.message.id or self.message.title
        return RenderError(f"{field}: {detail}", where=where(template) or own)

    def name(self, field: str) -> str:
        """What to call a field that was written in Python."""
        return f"{self.message.id or self.message.title} {field}"
