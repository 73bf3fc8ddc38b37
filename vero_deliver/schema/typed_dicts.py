"""The data that messages need, as TypedDicts for the code that sends them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from vero_deliver.message import Message
from vero_deliver.schema.declared import Declared, taken_apart

MARK: Final = '"""The data that each message needs, written by `vero-deliver init --types`.'

_TYPES: Final[Mapping[str, str]] = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "decimal": "Decimal | int | str",
    "boolean": "bool",
    "date": "date | str",
    "datetime": "datetime | str",
    "list": "Sequence[Any]",
    "object": "Mapping[str, Any]",
    "any": "Any",
}
_IMPORTS: Final = (
    ("collections.abc", ("Mapping", "Sequence")),
    ("datetime", ("date", "datetime")),
    ("decimal", ("Decimal",)),
    ("typing", ("Any", "NotRequired", "TypedDict")),
)
_ID: Final = re.compile(r"[\w./ -]+")
# as members of a class they would hide what the annotations below them mean
_MEANT: Final = frozenset(
    ("str", "int", "float", "bool", *(name for _, names in _IMPORTS for name in names))
)


def typed_dicts(messages: Iterable[Message]) -> str:
    """A module of Python with a TypedDict for each message that declares data; nested ones first.

    Always the same text for the same messages.
    """
    module = _Module()
    for message in messages:
        if message.data:
            members = {name: taken_apart(value) for name, value in message.data.items()}
            module.add(_camel(message.id or message.title), message.id, members)
    return module.text()


@dataclass
class _Module:
    classes: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=lambda: set(_MEANT))

    def add(self, name: str, message: str, members: Mapping[str, Declared]) -> str:
        """Write a TypedDict, and before it those that it holds. Gives its name."""
        name = self._free(name)
        annotations = {key: self._annotation(name, key, member) for key, member in members.items()}
        if all(key.isidentifier() and not _is_taken(key) for key in annotations):
            about = [f'    """What `{message}` needs."""', ""] if _ID.fullmatch(message) else []
            lines = [f"    {key}: {annotation}" for key, annotation in annotations.items()]
            self.classes.append("\n".join([f"class {name}(TypedDict):", *about, *lines]))
        else:
            lines = [f"        {_quoted(key)}: {text}," for key, text in annotations.items()]
            opening = [f"{name} = TypedDict(", f'    "{name}",', "    {"]
            self.classes.append("\n".join([*opening, *lines, "    },", ")"]))
        return name

    def text(self) -> str:
        body = "\n\n\n".join(self.classes)
        used = set(re.findall(r"\w+", body))
        head = [
            MARK,
            "",
            "Changes are lost: change [data] in the message.toml and write it anew.",
            '"""',
            "",
            *_imports(used),
        ]
        return "\n".join(head).rstrip("\n") + (f"\n\n\n{body}\n" if body else "\n")

    def _annotation(self, owner: str, key: str, declared: Declared) -> str:
        text = self._type(f"{owner}{_camel(key)}", declared)
        return f"NotRequired[{text}]" if declared.optional else text

    def _type(self, name: str, declared: Declared) -> str:
        if declared.type:
            return _TYPES[declared.type]
        if declared.element is not None:
            return f"Sequence[{self._type(f'{name}Item', declared.element)}]"
        return self.add(name, "", declared.members) if declared.members else _TYPES["object"]

    def _free(self, name: str) -> str:
        number, free = 1, name
        while free in self.names:
            number += 1
            free = f"{name}{number}"
        self.names.add(free)
        return free


def _imports(used: set[str]) -> Iterator[str]:
    for module, names in _IMPORTS:
        needed = [name for name in names if name in used]
        if needed:
            yield f"from {module} import {', '.join(needed)}"


def _is_taken(key: str) -> bool:
    # two leading underscores are mangled inside a class
    return keyword.iskeyword(key) or key in _MEANT or key.startswith("__")


def _camel(text: str) -> str:
    words = re.findall(r"[A-Za-z0-9]+", text)
    name = "".join(word[0].upper() + word[1:] for word in words)
    return name if name[:1].isalpha() else f"Data{name}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if escaped.isprintable() else ascii(text)
