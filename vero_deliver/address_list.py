"""Several addresses in one string, which may be a template."""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = re.compile(r'\{\{|\{%|\{#|["<,]')
_CLOSING: Final = {
    "{{": re.compile(r"\}\}"),
    "{%": re.compile(r"%\}"),
    "{#": re.compile(r"#\}"),
    '"': re.compile(r'(?<!\\)(?:\\\\)*"'),
    "<": re.compile(">"),
}
# Each ends at its own {% end... %}.
_BLOCKS: Final = (
    "if",
    "for",
    "with",
    "filter",
    "call",
    "macro",
    "autoescape",
    "raw",
    "block",
    "trans",
)


def split_addresses(text: str) -> tuple[str, ...]:
    """The addresses of `Ada <a@x.example>, b@x.example`, in one pass.

    A comma in quotes, in angle brackets or anywhere within a Jinja construct, `{% if %}` to
    `{% endif %}` included, belongs to its address.
    """
    parts, unclosed = [], set()
    start = at = depth = 0
    while mark := _MARK.search(text, at):
        at = mark.end()
        if mark[0] == ",":
            if depth == 0:
                parts.append(text[start : mark.start()])
                start = at
        elif mark[0] not in unclosed:
            closing = _CLOSING[mark[0]].search(text, at)
            if not closing:
                unclosed.add(mark[0])
                continue
            if mark[0] == "{%":
                depth = max(0, depth + _nesting(text[at : closing.start()]))
            at = closing.end()
    parts.append(text[start:])
    return tuple(part for part in map(str.strip, parts) if part)


def join_addresses(addresses: tuple[str, ...] | list[str]) -> str | list[str]:
    """One string where splitting it gives the same addresses back, else a list."""
    text = ", ".join(addresses)
    return text if text and split_addresses(text) == tuple(addresses) else list(addresses)


def _nesting(statement: str) -> int:
    """1 where a Jinja statement opens a block, -1 where it ends one."""
    word, _, rest = statement.strip("-+ \t\r\n").partition(" ")
    if word.startswith("end"):
        return -1
    return int(word in _BLOCKS or (word == "set" and "=" not in rest))
