"""Which features CSS uses, under the names that `support.features` has them.

property gap   declaration display:grid   function var   unit vh   value min-content
value !important   at font-face   media orientation   pseudo hover   image webp
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

import tinycss2

_FEATURE: Final = re.compile(r"\(\s*(?:min-|max-)?([a-z-]+)")
_EXTENSION: Final = re.compile(r"\.([a-z0-9]+)(?:[?#].*)?\Z", re.IGNORECASE | re.DOTALL)
_DECORATING: Final = frozenset(("box-shadow", "text-shadow", "transition", "animation", "filter"))
_WITH_RULES: Final = frozenset(("media", "supports", "layer", "container", "document"))


@lru_cache(maxsize=4096)
def in_style(style: str) -> frozenset[str]:
    """The features of a style attribute."""
    return frozenset(_of_declarations(tinycss2.parse_blocks_contents(style)))


@lru_cache(maxsize=64)
def in_sheet(css: str) -> frozenset[str]:
    """The features of a style sheet."""
    return frozenset(_of_rules(tinycss2.parse_stylesheet(css)))


def image_key(url: str) -> str:
    """`image webp` by the address's ending, `image data:`; empty where neither tells."""
    if url.lower().startswith("data:"):
        return "image data:"
    found = _EXTENSION.search(url)
    return f"image {found[1].lower()}" if found else ""


def _of_rules(rules: Iterable[Any]) -> Iterator[str]:
    for rule in rules:
        if rule.type == "at-rule":
            yield from _of_at_rule(rule)
        elif rule.type == "qualified-rule":
            yield from _of_selectors(rule.prelude)
            yield from _of_declarations(tinycss2.parse_blocks_contents(rule.content))


def _of_at_rule(rule: Any) -> Iterator[str]:
    name = rule.lower_at_keyword
    yield f"at {name.removeprefix('-webkit-')}"
    if name == "media":
        words = tinycss2.serialize(rule.prelude).lower()
        yield from (f"media {feature}" for feature in _FEATURE.findall(words))
    if rule.content is None:
        return
    if name in _WITH_RULES:
        yield from _of_rules(tinycss2.parse_rule_list(rule.content))
    elif name == "font-face":
        return  # where it is not supported, the font is another one, whatever its format
    else:
        yield from _of_rules(tinycss2.parse_blocks_contents(rule.content))


def _of_selectors(tokens: list[Any]) -> Iterator[str]:
    for before, token in pairwise(tokens):
        if before == ":" and token.type in ("ident", "function"):
            yield f"pseudo {token.lower_value if token.type == 'ident' else token.lower_name}"


def _of_declarations(found: Iterable[Any]) -> Iterator[str]:
    for one in found:
        if one.type == "declaration":
            yield from _of_declaration(one)
        elif one.type in ("qualified-rule", "at-rule"):  # nesting
            yield from _of_rules([one])


def _of_declaration(declaration: Any) -> Iterator[str]:
    name = declaration.lower_name
    if name.startswith("--"):
        yield "function var"
        return
    yield f"property {name}"
    if name in _DECORATING:
        return  # where it is not supported, its value is not missed
    words = [token.lower_value for token in declaration.value if token.type == "ident"]
    if len(words) == 1:
        yield f"declaration {name}:{words[0]}"
    if declaration.important:
        yield "value !important"
    for key in _of_value(declaration.value):
        yield key
        if name == "background" and key.startswith("image "):
            yield "property background-image"


def _of_value(tokens: Iterable[Any]) -> Iterator[str]:
    for token in tokens:
        if token.type == "ident":
            yield f"value {token.lower_value}"
        elif token.type == "dimension":
            yield f"unit {token.lower_unit}"
        elif token.type == "percentage":
            yield "unit %"
        elif token.type == "url":
            yield image_key(token.value)
        elif token.type == "function" and token.lower_name == "url":
            yield from (image_key(part.value) for part in token.arguments if part.type == "string")
        elif token.type == "function":
            yield f"function {token.lower_name}"
            yield from _of_value(token.arguments)
