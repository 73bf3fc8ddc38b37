"""An email in dark mode: colours forced dark by the client, or by the email's own media query.

Forced: what is light behind becomes dark, and dark text light, in CIE LCH: lightness is mirrored
at 50 with a factor of 0.75 and chroma reduced by 20 %, as react-email 6.11 documents of Outlook
for iOS and Apple Mail. An approximation: no client says what it does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal

from vero_deliver.picture import css
from vero_deliver.picture.colors import COLOR, Color
from vero_deliver.picture.css import Declaration, Rule
from vero_deliver.picture.markup import Tag, rewritten

Ground = Literal["background", "foreground"]

_SCHEME: Final = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(dark|light)\s*\)", re.IGNORECASE)
_HOLDS: Final = {True: "(min-width:0px)", False: "(max-width:0px)"}
_ATTRIBUTES: Final[dict[str, Ground]] = {
    "bgcolor": "background", "bordercolor": "background", "color": "foreground",
    "text": "foreground", "link": "foreground", "vlink": "foreground", "alink": "foreground",
}  # fmt: skip
_MARK: Final = "forced-dark"
# white, black and #0000ee as they become, where the email says nothing
_CANVAS: Final = (
    f'<style data-view="{_MARK}">:where(html){{background:#212121;color:#dbdbdb}}'
    ":where(a:any-link){color:#af7aff}</style>"
)
_HEAD: Final = re.compile(r"<head\b[^>]*>|<html\b[^>]*>|<!doctype[^>]*>", re.IGNORECASE)


def forced_dark(html: str) -> str:
    """The HTML part with its colours forced dark; its text is unchanged. Idempotent."""
    if f'data-view="{_MARK}"' in html:
        return html
    dark = rewritten(html, _tag, lambda sheet: css.changed(sheet, _rule))
    place = max((found.end() for found in _HEAD.finditer(dark[:4096])), default=0)
    return f"{dark[:place]}{_CANVAS}{dark[place:]}"


def by_media_query(html: str, scheme: Literal["dark", "light"] = "dark") -> str:
    """The HTML part as if the reader preferred that scheme, for browsers that cannot be told so.

    Its `prefers-color-scheme` queries become ones that always, or never, hold. Idempotent.
    """

    def settled(query: str) -> str:
        return _SCHEME.sub(lambda found: _HOLDS[found[1].lower() == scheme], query)

    def rule(one: Rule, inner: Callable[[str], str]) -> str:
        if one.at != "media" or one.block is None:
            return one.text
        return one.with_(inner(one.block), settled)

    def tag(one: Tag) -> str:
        query = one.attributes.get("media", "")
        return one.with_({"media": settled(query)}) if settled(query) != query else one.text

    return rewritten(html, tag, lambda sheet: css.changed(sheet, rule))


def _tag(tag: Tag) -> str:
    given = {} if tag.is_end else tag.attributes
    changes: dict[str, str | None] = {}
    for name, ground in _ATTRIBUTES.items():
        if name in given:
            changes[name] = _inverted(given[name], ground)
    if "style" in given:
        changes["style"] = css.rewritten(given["style"], _declaration)
    changes = {name: value for name, value in changes.items() if value != given[name]}
    return tag.with_(changes) if changes else tag.text


def _rule(rule: Rule, inner: Callable[[str], str]) -> str:
    if rule.block is None or rule.at == "font-face":
        return rule.text
    if rule.at:
        return rule.with_(inner(rule.block))
    return rule.with_(css.rewritten(rule.block, _declaration))


def _declaration(one: Declaration) -> str:
    if one.name in ("color", "-webkit-text-fill-color"):
        return _changed(one, "foreground")
    if one.name in ("background", "background-color") or one.name.startswith(("border", "outline")):
        return _changed(one, "background")
    return one.text


def _changed(one: Declaration, ground: Ground) -> str:
    value = COLOR.sub(lambda found: _inverted(found[0], ground), one.value)
    return one.text if value == one.value else one.with_(value)


def _inverted(text: str, ground: Ground) -> str:
    """The colour as the client would show it; what is no colour, and a colour it leaves, as is."""
    color = Color.parse(text)
    if color is None or color.alpha == 0:
        return text
    lightness, chroma, hue = color.lch()
    is_light = lightness >= 50
    if is_light != (ground == "background"):
        return text
    return Color.of_lch(50 - (lightness - 50) * 0.75, chroma * 0.8, hue, color.alpha).css()
