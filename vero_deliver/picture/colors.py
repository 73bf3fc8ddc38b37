"""Colours of CSS, as numbers and in CIE LCH (D65, 2 degrees)."""

from __future__ import annotations

import colorsys
import math
import re
from dataclasses import dataclass
from typing import Final

from vero_deliver.picture.named_colors import NAMED

_FUNCTION: Final = re.compile(
    r"(?P<kind>rgb|hsl)a?\(\s*(?P<a>[-+.\d]+)(?:deg)?(?P<ap>%?)[\s,]+(?P<b>[-+.\d]+)(?P<bp>%?)"
    r"[\s,]+(?P<c>[-+.\d]+)(?P<cp>%?)(?:\s*[,/]\s*(?P<alpha>[.\d]+)(?P<alphap>%?))?\s*\)",
    re.IGNORECASE,
)
# quoted texts and url(...) come first, so that nothing in them is taken for a colour
COLOR: Final = re.compile(
    r"\"[^\"]*\"|'[^']*'|url\([^)]*\)|#[0-9a-f]{3,8}\b|\b(?:rgb|hsl)a?\([^)]*\)"
    rf"|(?<![-\w#.])(?:{'|'.join(sorted(NAMED, key=len, reverse=True))})(?![-\w(])",
    re.IGNORECASE,
)
_WHITE: Final = (0.95047, 1.0, 1.08883)
_EPSILON, _KAPPA = 216 / 24389, 24389 / 27


@dataclass(frozen=True, slots=True)
class Color:
    """red, green, blue: of sRGB, 0 to 255. alpha: 0 to 1."""

    red: int
    green: int
    blue: int
    alpha: float = 1.0

    @classmethod
    def parse(cls, text: str) -> Color | None:
        """The colour that a text names; None where it names none."""
        text = NAMED.get(text.strip().lower(), text.strip())
        if text.startswith("#"):
            return cls._of_hex(text[1:])
        found = _FUNCTION.fullmatch(text)
        try:
            return cls._of_function(found) if found else None
        except ValueError:  # 1.2.3
            return None

    @classmethod
    def _of_hex(cls, digits: str) -> Color | None:
        if len(digits) in (3, 4):
            digits = "".join(digit * 2 for digit in digits)
        if len(digits) not in (6, 8) or not re.fullmatch(r"[0-9a-fA-F]+", digits):
            return None
        red, green, blue, *alpha = bytes.fromhex(digits)
        return cls(red, green, blue, alpha[0] / 255 if alpha else 1.0)

    @classmethod
    def _of_function(cls, found: re.Match[str]) -> Color:
        a, b, c = (float(found[name]) for name in "abc")
        if found["kind"].lower() == "hsl":
            parts = colorsys.hls_to_rgb(a % 360 / 360, _unit(c / 100), _unit(b / 100))
        else:
            parts = (
                _unit(a / (100 if found["ap"] else 255)),
                _unit(b / (100 if found["bp"] else 255)),
                _unit(c / (100 if found["cp"] else 255)),
            )
        alpha = float(found["alpha"] or 1) / (100 if found["alphap"] else 1)
        red, green, blue = (round(part * 255) for part in parts)
        return cls(red, green, blue, _unit(alpha))

    def css(self) -> str:
        """As CSS writes it, so that all clients read it."""
        if self.alpha < 1:
            return f"rgba({self.red},{self.green},{self.blue},{round(self.alpha, 3):g})"
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    def lch(self) -> tuple[float, float, float]:
        """Lightness 0 to 100, chroma, hue in radians."""
        red, green, blue = (_linear(part / 255) for part in (self.red, self.green, self.blue))
        x, y, z = (
            _curve(value / white)
            for value, white in zip(
                (
                    0.4124564 * red + 0.3575761 * green + 0.1804375 * blue,
                    0.2126729 * red + 0.7151522 * green + 0.0721750 * blue,
                    0.0193339 * red + 0.1191920 * green + 0.9503041 * blue,
                ),
                _WHITE,
                strict=True,
            )
        )
        a, b = 500 * (x - y), 200 * (y - z)
        return 116 * y - 16, math.hypot(a, b), math.atan2(b, a)

    @classmethod
    def of_lch(cls, lightness: float, chroma: float, hue: float, alpha: float = 1.0) -> Color:
        """The colour nearest to it that a screen can show."""
        y = (lightness + 16) / 116
        x, z = y + chroma * math.cos(hue) / 500, y - chroma * math.sin(hue) / 200
        x, y, z = (_uncurve(value) * white for value, white in zip((x, y, z), _WHITE, strict=True))
        linear = (
            3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
            -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
            0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
        )
        red, green, blue = (round(255 * _unlinear(_unit(part))) for part in linear)
        return cls(red, green, blue, alpha)


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else math.pow((part + 0.055) / 1.055, 2.4)


def _unlinear(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else 1.055 * math.pow(part, 1 / 2.4) - 0.055


def _curve(value: float) -> float:
    return math.cbrt(value) if value > _EPSILON else (_KAPPA * value + 16) / 116


def _uncurve(value: float) -> float:
    cube = value**3
    return cube if cube > _EPSILON else (116 * value - 16) / _KAPPA
