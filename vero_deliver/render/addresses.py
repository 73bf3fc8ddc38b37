"""Addresses in templates: the name and the mailbox are split before data comes in.

So a user whose name is `Eve <eve@evil.example>,` gets a strange display name, and nobody a
second recipient.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from vero_deliver.mime import check_address
from vero_deliver.render.clean import clean, one_line
from vero_deliver.rendered import Address
from vero_deliver.source import is_plain

_CONSTRUCT = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_ENTRY = re.compile(r"\s*(?P<name>.*?)\s*<(?P<mailbox>[^<>]*)>\s*", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)

_LONGEST_NAME = 2_000  # characters, as a subject

Evaluate = Callable[[str], Any]  # a template's text -> its value, or its rendered text


def split(entry: str) -> tuple[str, str]:
    """`Name <mailbox>` as its two templates; the name is empty where there is none."""
    return _split(str(entry)) or ("", entry)


@lru_cache(maxsize=1024)
def _split(entry: str) -> tuple[str, str] | None:
    constructs: list[str] = []

    def hide(match: re.Match[str]) -> str:
        constructs.append(match[0])
        return f"\ue000{len(constructs) - 1}\ue001"

    def show(text: str) -> str:
        return re.sub("\ue000(\\d+)\ue001", lambda match: constructs[int(match[1])], text)

    match = _ENTRY.fullmatch(_CONSTRUCT.sub(hide, entry))
    if match is None:
        return None
    quoted = _QUOTED.fullmatch(match["name"])
    name = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else match["name"]
    return show(name), show(match["mailbox"])


def addresses(entry: str, evaluate: Evaluate) -> list[Address]:
    """The mailboxes of one entry: one, none where it comes out empty, or those of a list.

    Only an expression whose value is a list gives several; text is never split at commas.
    Raises ValueError that says what is wrong with which address.
    """
    if is_plain(entry):
        return list(_fixed(str(entry)))
    return _evaluated(entry, evaluate)


@lru_cache(maxsize=1024)
def _fixed(entry: str) -> tuple[Address, ...]:
    return tuple(_evaluated(entry, clean))


def _evaluated(entry: str, evaluate: Evaluate) -> list[Address]:
    name, mailbox = split(entry)
    value = evaluate(mailbox)
    if type(value) is str and not name:
        text = value.strip(" ")
        return [Address(check_address(text))] if text else []
    mailboxes = list(value) if isinstance(value, (list, tuple)) else [value]
    shown = one_line(_text(evaluate(name))) if name else ""
    if len(shown) > _LONGEST_NAME:
        raise ValueError(f"the name before the address is {len(shown):,} characters long")
    texts = (_text(item).strip(" ") for item in mailboxes)
    return [Address(check_address(text), shown) for text in texts if text]


def _text(value: Any) -> str:
    """What a template would print for it."""
    try:
        return "" if value is None else str(value)
    except RecursionError:
        raise ValueError("the value is nested too deeply") from None
