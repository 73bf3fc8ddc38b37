"""The file names of a message folder, and which field of the message each one holds."""

from __future__ import annotations

import difflib
import re
from typing import Final

from vero_deliver.plain import KeyPath, quoted

TOML: Final = "message.toml"
ASSETS: Final = "assets"
PLATFORMS: Final = ("ios", "android", "web")
BODIES: Final = {"mjml": "mjml", "html": "html", "text": "txt"}  # field to file extension

_LOCALE: Final = r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*"
_BODY: Final = re.compile(rf"email(?:\.({_LOCALE}))?\.(mjml|html|txt)")
_FIXED: Final[dict[str, KeyPath]] = {
    "push.ios.json": ("push", "ios"),
    "push.android.json": ("push", "android"),
    "push.web.json": ("push", "web"),
    "http.json": ("http", "json"),
    "http.txt": ("http", "body"),
}
_HEADS: Final = ("email", "push", "http", "message", "samples", "sms")
# Endings that a misspelt file may have; `email.psd` or `email.md` beside a message are fine.
_ENDINGS: Final = ("mjml", "html", "txt", "json", "toml", "csv", "yaml", "jinja", "j2")


def path_of(name: str) -> KeyPath | None:
    """The key path that a file's text is the value of; None for other files."""
    if body := _BODY.fullmatch(name):
        locale, ending = body.groups()
        field = "text" if ending == "txt" else ending
        return ("email", "variants", locale, field) if locale else ("email", field)
    return _FIXED.get(name)


def body_name(field: str, locale: str = "") -> str:
    """The file of an email body: `email.cs.mjml`."""
    return ".".join(filter(None, ("email", locale, BODIES[field])))


def misspelt(name: str) -> str:
    """What is wrong with a file name that looks like one of ours; empty for any other name."""
    if name == TOML or name == "samples.csv" or path_of(name) or not _looks_ours(name):
        return ""
    parts = name.split(".")
    if parts[0].lower() == "sms":
        return f"unknown file {quoted(name)}; the text message is [sms] body in {TOML}"
    locale = parts[1] if len(parts) == 3 and re.fullmatch(_LOCALE, parts[1]) else ""
    known = [TOML, "samples.csv", *_FIXED, *(body_name(field, locale) for field in BODIES)]
    near = difflib.get_close_matches(name.lower(), {k.lower(): k for k in known}, 1, 0.4)
    right = next((k for k in known if near and k.lower() == near[0]), TOML)
    hint = "" if locale or len(parts) < 3 else " (a locale is written cs or en-GB)"
    return f"unknown file {quoted(name)}; did you mean {quoted(right)}?{hint}"


def _looks_ours(name: str) -> bool:
    head, *_, ending = name.lower().split(".") if "." in name else ("", "")
    near_ending = difflib.get_close_matches(ending, _ENDINGS, 1, 0.7)
    near_head = difflib.get_close_matches(head, _HEADS, 1, 0.75)
    return bool(head and near_ending and near_head)
