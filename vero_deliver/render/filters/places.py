"""Values made fit for the place of an HTML document that they stand in.

Autoescaping covers text and quoted attributes. What it cannot know is that an attribute is a link,
a style, or a comment: these filters are put round expressions that stand there (see `places`).
Source: OWASP, "Cross Site Scripting Prevention Cheat Sheet", output encoding by context.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from jinja2 import Undefined
from markupsafe import Markup, escape

from vero_deliver.plain import quoted
from vero_deliver.render.run import current

_WEB = ("https://", "http://", "mailto:")
# browsers drop these before they look for a scheme
_IGNORED = re.compile(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202f\ufeff]+")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_REFUSED = frozenset(("javascript", "vbscript", "livescript", "data", "file", "jar", "blob"))
_PICTURE = re.compile(r"data:image/(?:png|gif|jpe?g|webp|avif);", re.IGNORECASE)
_QUOTED_IN_URL = re.compile(r"[\s\"'()\\<>]")
# one value of one declaration: no end of it, no block, no escape
_CSS_VALUE = re.compile(
    r"(?:[^\"'\\;{}<>@\x00-\x1f]|\"[^\"\\<>\x00-\x1f]*\"|'[^'\\<>\x00-\x1f]*')*"
)
_CSS_DECLARATIONS = re.compile(
    r"(?:[^\"'\\{}<>@\x00-\x08\x0e-\x1f]|\"[^\"\\<>\x00-\x1f]*\"|'[^'\\<>\x00-\x1f]*')*"
)
_CSS_ACTIVE = re.compile(
    r"expression\s*\(|javascript\s*:|-moz-binding|behaviou?r\s*:", re.IGNORECASE
)
_CSS_PLAIN = re.compile(r"[#A-Za-z0-9.% ,-]*")
# Rust writes them as \u{200f} and \n where it means to quote a text
_GARBLED = re.compile(r"[\\\x00-\x1f\x7f]|(?![^\W_])[^\x00-\x7f]")
_BARE = re.compile(r"[\s\"'=<>`]")


def url(value: Any) -> Any:
    """The address that an attribute begins with. ValueError for one that runs as code."""
    if type(value) is str and value.startswith(_WEB):
        return value
    if isinstance(value, (Markup, Undefined)) or value is None:
        return value
    text = str(value)
    found = _SCHEME.match(_IGNORED.sub("", text[:200]))
    if found and found[1].lower() == "cid":
        current().shows_file = True
    if found and found[1].lower() in _REFUSED and not _PICTURE.match(text):
        raise ValueError(
            f"{quoted(text)} is no address for an email; use https:, http:, mailto: or tel:"
        )
    return text


def css_value(value: Any) -> Any:
    """The value of a declaration. ValueError for one that would end it or run as code."""
    if type(value) is str and _CSS_PLAIN.fullmatch(value):
        return value
    return _css(value, _CSS_VALUE, "a CSS value")


def css_declarations(value: Any) -> Any:
    """Whole declarations, `color: red; margin: 0`, as a style attribute holds them."""
    return _css(value, _CSS_DECLARATIONS, "CSS declarations")


def css_url(value: Any) -> Any:
    """An address inside `url(...)`: what would end it is %-encoded."""
    text = url(value)
    if isinstance(text, (Markup, Undefined)) or text is None:
        return text
    return _QUOTED_IN_URL.sub(lambda found: f"%{ord(found[0]):02X}", text)


def bare(value: Any) -> Any:
    """An attribute value without quotes round it: what would end it is a reference."""
    if isinstance(value, (Markup, Undefined)):
        return value
    text = "" if value is None else str(value)
    return Markup(_BARE.sub(lambda found: f"&#{ord(found[0])};", text.replace("&", "&amp;")))  # noqa: S704


def reference(value: Any) -> Any:
    """In MJML attributes and titles, where the engine writes backslashes and marks its own way."""
    if isinstance(value, Undefined):
        return value
    text = str(escape("" if value is None else value))
    if text.isascii() and text.isprintable() and "\\" not in text:
        return value
    return Markup(_GARBLED.sub(lambda found: f"&#{ord(found[0])};", text))  # noqa: S704


def comment(value: Any) -> Any:
    """Inside a comment, a conditional one too: two hyphens would end it."""
    if isinstance(value, Undefined):
        return value
    text = escape("" if value is None else value)
    if "--" in text or text.startswith((">", "-")) or text.endswith("-"):
        return Markup(str(text).replace("-", "&#45;"))  # noqa: S704
    return text


def style(value: Any) -> Any:
    """Inside a style element, where references are no references. Comes after a css filter."""
    if isinstance(value, (Markup, Undefined)):
        return value
    text = "" if value is None else str(value)
    return Markup(text.replace("<", "").replace(">", ""))  # noqa: S704  # css refused them already


def _css(value: Any, allowed: re.Pattern[str], what: str) -> Any:
    if isinstance(value, (Markup, Undefined)) or value is None:
        return value
    text = str(value)
    if not allowed.fullmatch(text) or _CSS_ACTIVE.search(text):
        raise ValueError(f"{quoted(text)} cannot stand here as {what}")
    return text


PLACES: dict[str, Callable[[Any], Any]] = {
    "_url": url,
    "_css_value": css_value,
    "_css_declarations": css_declarations,
    "_css_url": css_url,
    "_bare": bare,
    "_comment": comment,
    "_reference": reference,
    "_style": style,
}
