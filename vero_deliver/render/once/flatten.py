"""Layouts and includes written out in one template, where that is exact."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from jinja2 import TemplateNotFound, nodes

from vero_deliver.render.once.parts import Declined, Part, cut, end_of, node
from vero_deliver.render.templates import Templates
from vero_deliver.source import Source

_DEEPEST = 20  # files that include each other
_WRITES = frozenset(("set", "import", "from", "macro", "extends"))
_SEES_BLOCKS = re.compile(r"\b(?:super|self)\b")


class Flattener:
    """Writes out one body. files: takes the names of the templates that it reads."""

    def __init__(self, templates: Templates, files: list[str]) -> None:
        self._templates = templates
        self._environment = templates.environment("html")
        self.files = files

    def body(self, source: str, label: str, layout: str) -> list[Part]:
        """The body's parts, in its layout where it has one."""
        parent = source.file.partition("/")[2] if isinstance(source, Source) else ""
        parts = cut(self._environment, source, label)
        if layout:
            for part in parts:
                if part.name in ("block", "extends"):
                    raise Declined(f"{part.shown()} in a body that has a layout", part.place)
            blocks = {"content": self._included(parts, parent, 0)}
            return self._layout(f"_layouts/{layout}", blocks, 0)
        return self._document(parts, parent, {}, 0)

    def _layout(self, name: str, blocks: Mapping[str, Sequence[Part]], depth: int) -> list[Part]:
        return self._document(self.file(name), name, blocks, depth)

    def _document(
        self, parts: Sequence[Part], name: str, blocks: Mapping[str, Sequence[Part]], depth: int
    ) -> list[Part]:
        """A template that may extend another one; blocks: what fills its own."""
        if depth > _DEEPEST:
            raise Declined("layouts that extend each other without end")
        at = next((i for i, part in enumerate(parts) if part.kind != "data"), None)
        if at is None or parts[at].name != "extends":
            return list(_filled(self._included(parts, name, depth), blocks))
        parent = self._name(parts[at], name)
        own = dict(self._blocks(parts[at + 1 :], name, depth))
        return self._layout(parent, {**own, **blocks}, depth + 1)

    def _blocks(
        self, parts: Sequence[Part], name: str, depth: int
    ) -> Iterator[tuple[str, Sequence[Part]]]:
        at = 0
        while at < len(parts):
            part = parts[at]
            if part.name == "block":
                end = end_of(parts, at)
                yield _block_name(part), self._included(parts[at + 1 : end], name, depth)
                at = end
            elif part.kind == "tag":
                raise Declined(f"{part.shown()} beside the blocks of a layout", part.place)
            at += 1

    def _included(self, parts: Sequence[Part], name: str, depth: int) -> list[Part]:
        """The parts, with what static includes name in their place."""
        if depth > _DEEPEST:
            raise Declined("templates that include each other without end")
        found: list[Part] = []
        for part in parts:
            if part.name != "include":
                found.append(part)
                continue
            file = self._name(part, name)
            inner = self._included(self.file(file), file, depth + 1)
            _check_include(inner, part)
            if any(one.name in _WRITES for one in inner):  # what it sets stays in there
                inner = [
                    Part("tag", " with ", part.place, "with"),
                    *inner,
                    Part("tag", " endwith ", part.place, "endwith"),
                ]
            found += inner
        return found

    def file(self, name: str) -> list[Part]:
        """The parts of a template file."""
        self.files.append(name)
        try:
            text = self._templates.text(name)
        except TemplateNotFound as error:
            raise Declined(error.message or str(error)) from None
        return cut(self._environment, text, name)

    def _name(self, part: Part, parent: str) -> str:
        tree = node(self._environment, part)
        template = tree.template
        if not isinstance(template, nodes.Const) or not isinstance(template.value, str):
            raise Declined(f"{part.shown()} takes its name from data", part.place)
        if isinstance(tree, nodes.Include) and (tree.ignore_missing or not tree.with_context):
            raise Declined(f"{part.shown()} is more than a plain include", part.place)
        return self._environment.join_path(template.value, parent)


def _block_name(part: Part) -> str:
    words = part.code.split()
    if len(words) != 2:
        raise Declined(f"{part.shown()} is more than a plain block", part.place)
    return words[1]


def _filled(parts: Sequence[Part], blocks: Mapping[str, Sequence[Part]]) -> Iterator[Part]:
    """The parts without block tags, every block filled.

    Exact where nothing but `if` is round a block and it writes no name: a block has a scope of
    its own.
    """
    around: list[Part] = []
    at = 0
    while at < len(parts):
        part = parts[at]
        if part.name == "block":
            end = end_of(parts, at)
            content = blocks.get(_block_name(part), parts[at + 1 : end])
            _check_block(part, around, content)
            yield from _filled(content, {**blocks, _block_name(part): ()})
            at = end + 1
            continue
        if part.opens:
            around.append(part)
        elif part.ends and around:
            around.pop()
        yield part
        at += 1


def _check_block(block: Part, around: Sequence[Part], content: Sequence[Part]) -> None:
    if any(part.name != "if" for part in around):
        raise Declined(f"{block.shown()} inside {around[-1].shown()}", block.place)
    for part in content:
        if part.name in _WRITES:
            raise Declined(f"{part.shown()} in a block, which has a scope of its own", part.place)
        if part.kind != "data" and _SEES_BLOCKS.search(part.code):
            raise Declined(f"{part.shown()} asks for another block", part.place)


def _check_include(inner: Sequence[Part], include: Part) -> None:
    for part in inner:
        if part.name in ("block", "extends"):
            raise Declined(f"{include.shown()} has blocks of its own", include.place)
        if part.kind != "data" and re.search(r"\bloop\b", part.code):
            raise Declined(f"{part.shown()} in an included template", part.place)
