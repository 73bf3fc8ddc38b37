"""What Jinja's parser says, in words that say what to do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from jinja2 import Environment, TemplateSyntaxError
from jinja2.ext import InternationalizationExtension
from jinja2.parser import Parser

from vero_deliver.plain import nearest, quoted

_UNKNOWN = re.compile(r"No (filter|test) named '([^']*)'")
_OPEN = re.compile(r"The innermost block that needs to be closed is '(\w+)'")
_TAG = re.compile(r"Encountered unknown tag '(\w+)'")
_WANTED = re.compile(r"'(\w+)'")
_IN_TRANS = (
    "a value inside trans is a name: {% trans name=user.first_name %}... {{ name }}{% endtrans %}"
)
_TWICE = "block 'content' defined twice"
# set has no end where it assigns
_TAGS = (
    "block", "call", "extends", "filter", "for", "from", "if", "import", "include", "macro", "set",
    "trans", "with",
)  # fmt: skip


class Translations(InternationalizationExtension):
    """Jinja's trans, with a better word for a value that is no plain name."""

    def _parse_block(self, parser: Parser, allow_pluralize: bool) -> tuple[list[str], str]:
        try:
            return super()._parse_block(parser, allow_pluralize)
        except TemplateSyntaxError as error:
            if not (error.message or "").startswith("expected token"):
                raise
            raise TemplateSyntaxError(_IN_TRANS, error.lineno, error.name, error.filename) from None


def explained(error: TemplateSyntaxError, env: Environment) -> tuple[str, int]:
    """The error in words, and the line of the template that is to be mended."""
    words, line = error.message or "", error.lineno or 1
    opened = _OPEN.search(words)
    if opened:
        return _unclosed(words, opened[1], line, error.source or "", env)
    tag = _TAG.search(words)
    if tag and not tag[1].startswith("end"):
        return f"there is no tag {quoted(tag[1])}{nearest(tag[1], _TAGS)}", line
    if words == _TWICE:
        return "the layout adds {% block content %} itself; remove it here", line
    return with_near(words, env), line


def with_near(words: str, env: Environment) -> str:
    """`No filter named 'uper'; did you mean 'upper'?`, and other words as they are."""
    found = _UNKNOWN.search(words)
    if not found:
        return words
    known: Collection[str] = env.filters if found[1] == "filter" else env.tests
    return words.rstrip(".") + nearest(found[2], known)


def _unclosed(words: str, name: str, line: int, source: str, env: Environment) -> tuple[str, int]:
    tag = _TAG.search(words)
    wanted = [word for word in _WANTED.findall(words.partition("'. ")[2]) if word != name]
    wanted = [*wanted, f"end{name}"]
    if tag and not tag[1].startswith(("end", "el")):
        return f"there is no tag {quoted(tag[1])}{nearest(tag[1], [*_TAGS, *wanted])}", line
    if tag and tag[1] not in {f"end{known}" for known in _TAGS}:
        return f"there is no tag {quoted(tag[1])}{nearest(tag[1], wanted)}", line
    start = _start(name, source, line, env)
    before = f" before {{% {tag[1]} %}}" if tag and tag[1] != "endblock" else ""
    return f"the {{% {name} %}} of line {start} is never closed{before}", start


def _start(name: str, source: str, before: int, env: Environment) -> int:
    """The line of the innermost tag of that name that is still open."""
    opened: list[int] = []
    for line, tag in _tags(source, env):
        if line > before:
            break
        if tag == name:
            opened.append(line)
        elif tag == f"end{name}" and opened:
            opened.pop()
    return opened[-1] if opened else before


def _tags(source: str, env: Environment) -> Iterator[tuple[int, str]]:
    """Line and name of every tag; of set only the kind that takes an end."""
    tokens = [token for token in env.lex(source) if token[1] != "whitespace"]
    for at, (_, kind, _) in enumerate(tokens[:-1]):
        if kind == "block_begin":
            line, _, name = tokens[at + 1]
            inside = [token[2] for token in tokens[at : at + 4]]
            if name != "set" or "=" not in inside:
                yield line, name


__all__ = ["Translations", "explained", "with_near"]
