"""Android's API as type stubs list it, and what our Java stubs pretend to be of it.

Ours are written one declaration a line, so that they can be read without a Java parser.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

STUBS: Final = Path(__file__).parent / "android/stubs"
ROOTS: Final = ("android", "androidx", "org")
OURS: Final = {"android.app.Screen"}  # a help for the tests, not of Android

_TYPE = re.compile(r"^( *)(?:public |protected )(?:[a-z]+ )*(?:class|interface) (\w+)")
_MEMBER = re.compile(
    r"^ *(?:public|protected) (?:static |final |abstract |<\w+> )*"
    r"(?:[\w.<>?\[\]]+(?:\[\])? )?(\w+)(?:\((.*?)\)(?: throws \w+)? \{.*|(?: = .*)?;)$"
)
# a Java type, and what stands for it in the type stubs
_PLAIN = {"String": "str", "int": "int", "long": "int", "boolean": "bool", "Class": "Type"}


@dataclass(frozen=True, slots=True)
class Member:
    """A field, method or constructor. parameters: their Java types; None for a field."""

    owner: str
    name: str
    parameters: tuple[str, ...] | None

    def __str__(self) -> str:
        shown = "" if self.parameters is None else f"({', '.join(self.parameters)})"
        return f"{self.owner}.{self.name}{shown}"


def installed() -> bool:
    """Whether the type stubs are there."""
    return (_site() / "android-stubs").is_dir() and (_site() / "androidx-stubs").is_dir()


def declared() -> Iterator[Member]:
    """What our stubs of Android declare for others to use."""
    for root in ROOTS:
        for path in sorted((STUBS / root).rglob("*.java")):
            yield from _members(path)


def _members(path: Path) -> Iterator[Member]:
    package = ".".join(path.relative_to(STUBS).parts[:-1])
    open_types: list[tuple[int, str]] = []
    for line in path.read_text("utf-8").splitlines():
        if found := _TYPE.match(line):
            depth = len(found[1])
            open_types = [(at, name) for at, name in open_types if at < depth]
            open_types.append((depth, found[2]))
            continue
        owner = ".".join([package, *(name for _, name in open_types)])
        if (found := _MEMBER.match(line)) and open_types and owner not in OURS:
            name, given = found[1], found[2]
            parameters = None if given is None else tuple(_types(given))
            yield Member(owner, "__init__" if name == open_types[-1][1] else name, parameters)


def _types(parameters: str) -> Iterator[str]:
    for each in filter(None, re.split(r", ?", parameters)):
        yield re.sub(r"<.*>", "", each.rpartition(" ")[0])


def exists(member: Member) -> bool:
    """Whether Android has it, with parameters of those types."""
    return any(_fits(node, member) for node in _nodes(member.owner, member.name))


def _fits(node: ast.stmt, member: Member) -> bool:
    if member.parameters is None or not isinstance(node, ast.FunctionDef):
        return member.parameters is None and isinstance(node, ast.AnnAssign)
    given = [each for each in (*node.args.posonlyargs, *node.args.args) if each.arg != "self"]
    told = [ast.unparse(each.annotation) if each.annotation else "" for each in given]
    return len(told) == len(member.parameters) and all(
        re.search(rf"\b{_told(kind)}\b", one)
        for kind, one in zip(member.parameters, told, strict=True)
    )


def _told(kind: str) -> str:
    return r"JavaArray\w*" if kind.endswith("[]") else _PLAIN.get(kind, kind)


def _nodes(owner: str, name: str) -> Iterator[ast.stmt]:
    """The declarations of a name in a class and those that it extends."""
    found = _class(owner)
    if found is None:
        return
    for node in found.body:
        target = node.target if isinstance(node, ast.AnnAssign) else node
        own = getattr(target, "name", None) or getattr(target, "id", None)
        if own == name:
            yield node
    for base in found.bases:
        yield from _nodes(ast.unparse(base).partition("[")[0], name)


def _class(owner: str) -> ast.ClassDef | None:
    parts = owner.split(".")
    for at in range(len(parts) - 1, 0, -1):
        path = _site() / f"{parts[0]}-stubs" / "/".join(parts[1:at]) / "__init__.pyi"
        if path.is_file():
            return _inner(_parsed(path), parts[at:])
    return None


def _inner(module: ast.Module, names: list[str]) -> ast.ClassDef | None:
    body, found = module.body, None
    for name in names:
        classes = (node for node in body if isinstance(node, ast.ClassDef) and node.name == name)
        found = next(classes, None)
        if found is None:
            return None
        body = found.body
    return found


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def _site() -> Path:
    """Where packages are installed."""
    spec = find_spec("pytest")
    assert spec
    assert spec.origin
    return Path(spec.origin).parents[1]
