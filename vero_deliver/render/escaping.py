"""Text as HTML and JSON hold it, and as a plain str: what templates call for their pieces."""

from __future__ import annotations

from collections.abc import Callable
from json import JSONEncoder
from typing import Any

import markupsafe
from markupsafe import Markup, escape


def _escape(text: str, /) -> str:
    return str(escape(text))


# of a text: & < > and quotes as references. markupsafe's own makes no Markup object, which takes
# ten times as long; it is not public
escaped: Callable[[str], str] = getattr(markupsafe, "_escape_inner", _escape)
_json = JSONEncoder(ensure_ascii=False).encode


def in_json(text: str) -> str:
    """The text as it stands between the quotes of a JSON string."""
    return _json(text)[1:-1]


def unmarked(text: Any) -> Any:
    """Markup as plain str: what is done with pieces must not escape again."""
    return str(text) if type(text) is Markup else text
