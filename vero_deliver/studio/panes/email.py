"""The email in its frame, its text part, and the sheet of all recipients."""

from __future__ import annotations

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, Final

from vero_deliver.studio.look import Look
from vero_deliver.studio.made import Made

CLIP: Final = 102_400  # bytes of HTML after which Gmail clips, about: Google does not say
_NEAR_CLIP: Final = 90_000
_SNIPPET: Final = 300  # characters, more than any inbox shows
_UNSEEN: Final = dict.fromkeys(map(ord, "\u034f\u00ad\u2007\u200b\u200c\u200d\u200e\u200f\ufeff"))
_TEXT: Final = 200_000  # characters of a text part that are shown
_ON_SHEET: Final = 60  # frames on one page


def email(look: Look, made: Made) -> Mapping[str, Any]:
    """The strip of the inbox and the meter beside the frame."""
    del look
    if made.email is None:
        return {}
    return {"snippet": snippet(made.email.html, made.email.text)}


def text(look: Look, made: Made) -> Mapping[str, Any]:
    """The text part; whether the author wrote it."""
    if made.email is None:
        return {}
    content = look.message.email
    variant = content.variants.get(made.language) if content else None
    own = bool((variant and variant.text) or (content and content.text))
    lines = made.email.text.splitlines()
    longest = max(map(len, lines), default=0)
    return {
        "own": own,
        "lines": len(lines),
        "longest": longest,
        "shown": made.email.text[:_TEXT],
        "left": len(made.email.text[_TEXT:]),
    }


def sheet(look: Look, made: Made) -> Mapping[str, Any]:
    """Whom the sheet shows."""
    del made
    return {"shown": look.everybody[:_ON_SHEET], "left": len(look.everybody[_ON_SHEET:])}


def meter(html: str) -> Mapping[str, Any]:
    """The size of the HTML part against what Gmail shows of one."""
    size = len(html.encode("utf-8", "replace"))
    return {"size": size, "clip": CLIP, "near": _NEAR_CLIP, "over": size > CLIP}


def snippet(html: str, text: str) -> str:
    """What inboxes show after the subject: the first text of the body, hidden or not."""
    if not html:
        return " ".join(text[: _SNIPPET * 4].split())[:_SNIPPET]
    reader = _FirstText()
    reader.feed(html[:200_000])
    return " ".join("".join(reader.found).translate(_UNSEEN).split())[:_SNIPPET]


class _FirstText(HTMLParser):
    """Collects text, in order, but for that of elements that are none."""

    _SILENT: Final = frozenset(("head", "style", "script", "title", "noscript", "template"))

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._length = 0
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._silent += tag in self._SILENT

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self._SILENT and self._silent > 0

    def handle_data(self, data: str) -> None:
        if not self._silent and self._length < _SNIPPET * 20:
            self.found += [data, " "]
            self._length += len(data)
