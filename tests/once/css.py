"""CSS as far as two documents are compared by it: rules under their conditions, declarations.

Source: CSS Syntax Module Level 3, https://www.w3.org/TR/css-syntax-3/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

SPACE = re.compile(r"[ \t\r\n\f]+")  # not \s: a no-break space shows
_TOKEN = re.compile(
    r"""/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|\\.|[(){};]|[^"'\\(){};/]+|.""",
    re.DOTALL,
)
_HEX = re.compile(r"#([0-9a-f])([0-9a-f])([0-9a-f])(?![0-9a-f\w])", re.IGNORECASE)
_HEX_LONG = re.compile(r"#[0-9a-f]{6}(?!\w)", re.IGNORECASE)
_NESTS = ("@media", "@supports")

Declarations = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule or a statement such as @import; conditions: media attribute and at-rules round it."""

    conditions: tuple[str, ...]
    prelude: str
    declarations: Declarations = ()


def rules(css: str, conditions: tuple[str, ...] = ()) -> Iterator[Rule]:
    """The rules of a style sheet in order; an at-rule that holds none is not there at all."""
    prelude: list[str] = []
    tokens = _tokens(css)
    for token in tokens:
        if token == "{":
            name, body = _selector("".join(prelude)), _block(tokens)
            if name.lower().startswith(_NESTS):
                yield from rules(body, (*conditions, name))
            else:
                yield Rule(conditions, name, declarations(body))
            prelude = []
        elif token in ";}":
            yield from _statement(conditions, prelude)
            prelude = []
        else:
            prelude.append(token)
    yield from _statement(conditions, prelude)


def declarations(css: str) -> Declarations:
    """Name and value in order; only the order of unrelated properties is made the same.

    What is no declaration stays, under the name "".
    """
    found: list[str] = []
    part: list[str] = []
    depth = 0
    for token in (*_tokens(css), ";"):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == ";" and depth <= 0:
            found.append("".join(part))
            part, depth = [], 0
        else:
            part.append(token)
    found.append("".join(part))
    pairs = [_declaration(text) for text in found if text.strip()]
    return tuple(sorted(pairs, key=lambda pair: _family(pair[0])))


def colours(text: str) -> str:
    """`#1AF` as `#11aaff`."""
    text = _HEX.sub(r"#\1\1\2\2\3\3", text)
    return _HEX_LONG.sub(lambda found: found[0].lower(), text)


def _tokens(css: str) -> Iterator[str]:
    return (found[0] for found in _TOKEN.finditer(css) if not found[0].startswith("/*"))


def _block(tokens: Iterator[str]) -> str:
    depth, inside = 1, []
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token, 0)
        if not depth:
            break
        inside.append(token)
    return "".join(inside)


def _statement(conditions: tuple[str, ...], prelude: list[str]) -> Iterator[Rule]:
    text = _selector("".join(prelude))
    if text:
        yield Rule(conditions, text)


def _selector(text: str) -> str:
    return re.sub(r"\s*([>,~])\s*", r"\1", SPACE.sub(" ", text)).strip()


def _declaration(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        return "", SPACE.sub(" ", text).strip()
    value = re.sub(r"\s*,\s*", ",", SPACE.sub(" ", colours(value)))
    return name.strip().lower(), re.sub(r"\s*!\s*important", " !important", value).strip()


def _family(name: str) -> str:
    """Shorthand and longhand share one, so that their order counts."""
    if name == "line-height":  # `font` sets it too
        return "font"
    plain = re.sub(r"^-(?:webkit|moz|ms)-", "", name)
    return plain if plain.startswith("mso-") else plain.partition("-")[0]
