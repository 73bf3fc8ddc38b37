"""How text looks in a client that reads style attributes: color, background, size and weight.

Style sheets have been inlined by then. What is not known is None, and nobody judges by it: a
picture behind the text, or what a sheet says that was not inlined, as `mj-style` is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tinycss2 import color3

from vero_deliver.check.coloring import Coloring, coloring
from vero_deliver.check.dom import Element, Page

RGB = tuple[float, float, float]  # each from 0 to 1

_BLACK: Final[RGB] = (0.0, 0.0, 0.0)
_WHITE: Final[RGB] = (1.0, 1.0, 1.0)
_LINK: Final[RGB] = (0.0, 0.0, 238 / 255)  # the HTML standard's color of links
_COLOR: Final = re.compile(r"#[0-9a-f]{3,8}\b|(?:rgb|hsl)a?\([^)]*\)|\b[a-z]+\b", re.IGNORECASE)
_LENGTH: Final = re.compile(r"(\d*\.?\d+)\s*(px|pt|em|rem|%)?")
_PER_UNIT: Final[Mapping[str, float]] = {"px": 1.0, "": 1.0, "pt": 4 / 3, "rem": 16.0}
_SIZES: Final[Mapping[str, float]] = {
    "xx-small": 9, "x-small": 10, "small": 13, "medium": 16, "large": 18, "x-large": 24,
    "xx-large": 32,
}  # fmt: skip
_ELEMENTS: Final[Mapping[str, float]] = {  # times the size around them
    "h1": 2, "h2": 1.5, "h3": 1.17, "h5": 0.83, "h6": 0.67, "small": 0.83, "sub": 0.83,
    "sup": 0.83,
}  # fmt: skip
_UNREADABLE: Final = 1.0  # px: hidden; what is inside of it may say another size, as MJML does
_BOLD: Final = frozenset(("b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"))
_UNSEEN: Final = frozenset(("head", "style", "script", "title"))


@dataclass(frozen=True, slots=True)
class Look:
    """How the text in an element looks. size: px."""

    color: RGB | None = _BLACK
    background: RGB | None = _WHITE
    size: float = 16.0
    bold: bool = False
    shown: bool = True


def texts(page: Page) -> Iterator[tuple[Element, str, Look]]:
    """The text that readers see, by the element that holds it, in document order."""
    sheets = [coloring("".join(c for c in s.children if isinstance(c, str))) for s in page.styles]
    rules = [rule for sheet in sheets for rule in sheet]
    waiting = [(page.body, Look())]
    while waiting:
        element, around = waiting.pop()
        look = _look(element, around, rules)
        if element.name in _UNSEEN or not look.shown:
            continue
        text = " ".join("".join(c for c in element.children if isinstance(c, str)).split())
        if look.size > _UNREADABLE and any(letter.isalnum() for letter in text):
            yield element, text, look
        waiting += [(c, look) for c in reversed(element.children) if isinstance(c, Element)]


def contrast(one: RGB, other: RGB) -> float:
    """From 1, the same, to 21, black on white (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def hex_of(color: RGB) -> str:
    """#rrggbb."""
    return "#" + "".join(f"{round(part * 255):02x}" for part in color)


def _look(element: Element, around: Look, rules: Sequence[Coloring]) -> Look:
    style = {name: value.lower().removesuffix("!important").strip()
             for name, value in element.style.items()}  # fmt: skip
    sheet = {kind for rule in rules if rule.holds(element) for kind in rule.sets}
    background = _background(element, style, around.background)
    if "background" in sheet and not {"background", "background-color"} & style.keys():
        background = None
    color = _LINK if element.name == "a" and "href" in element.attributes else around.color
    color = None if "color" in sheet else color
    written = style.get("color") or (element.get("color") if element.name == "font" else "")
    if written and written != "inherit":
        color = _blended(written, background, around.color)
    elif written:
        color = around.color
    size = _size(element, style.get("font-size", ""), around.size)
    return replace(
        around,
        color=None if "opacity" in style and style["opacity"] not in ("1", "100%") else color,
        background=background,
        size=size,
        bold=_is_bold(element, style.get("font-weight", ""), around.bold),
        shown=not (element.is_hidden or style.get("max-height") in ("0", "0px")),
    )


def _background(element: Element, style: Mapping[str, str], around: RGB | None) -> RGB | None:
    names = ("background-color", "background", "background-image")
    written = " ".join(style[name] for name in names if name in style) or element.get("bgcolor")
    if "url(" in written or "gradient(" in written or element.get("background"):
        return None
    for one in _COLOR.findall(written):
        color = color3.parse_color(one)
        if isinstance(color, color3.RGBA):
            return _over(color, around)
    return around


def _blended(written: str, background: RGB | None, around: RGB | None) -> RGB | None:
    color = color3.parse_color(written)
    if color == "currentColor":
        return around
    return _over(color, background) if isinstance(color, color3.RGBA) else None


def _over(color: color3.RGBA, below: RGB | None) -> RGB | None:
    red, green, blue, alpha = color
    if alpha >= 1:
        return (red, green, blue)
    if below is None:
        return None
    mixed = [alpha * own + (1 - alpha) * other for own, other in zip(color[:3], below, strict=True)]
    return (mixed[0], mixed[1], mixed[2])


def _size(element: Element, written: str, around: float) -> float:
    if written in _SIZES:
        return _SIZES[written]
    found = _LENGTH.fullmatch(written)
    if found is None:
        return around * _ELEMENTS.get(element.name, 1.0)
    number, unit = float(found[1]), found[2] or ""
    if unit == "em":
        return number * around
    return number * around / 100 if unit == "%" else number * _PER_UNIT[unit]


def _is_bold(element: Element, written: str, around: bool) -> bool:
    if written.isdecimal():
        return int(written) >= 700
    if written in ("bold", "bolder", "normal", "lighter"):
        return written.startswith("bold")
    return around or element.name in _BOLD


def _luminance(color: RGB) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
