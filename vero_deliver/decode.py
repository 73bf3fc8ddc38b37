"""A plain document into a model, with errors that say where, what, and what was meant."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
import msgspec.inspect as types

from vero_deliver.errors import MessageError
from vero_deliver.message import Message
from vero_deliver.plain import KeyPath, Problem, Where, kind_of, listed, nearest, nowhere, quoted

M = TypeVar("M", bound=msgspec.Struct)

_PLAIN: dict[type[types.Type], tuple[type | tuple[type, ...], str]] = {
    types.StrType: (str, "a string"),
    types.IntType: (int, "an integer"),
    types.FloatType: ((int, float), "a number"),
    types.BoolType: (bool, "a boolean"),
    types.NoneType: (type(None), "null"),
    types.StructType: (Mapping, "an object"),
    types.DictType: (Mapping, "an object"),
    types.VarTupleType: ((list, tuple), "a list"),
    types.BytesType: ((bytes, str), "bytes, or base64 in a string"),
}


def decode(model: type[M], document: Any, *, where: Where = nowhere, at: KeyPath = ()) -> M:
    """The document as a model. Raises MessageError naming every wrong key and its place.

    at: the document's own path in the whole that `where` knows.
    """
    problems = check(model, document, at)
    if problems:
        raise error(problems, where)
    try:
        return msgspec.convert(document, model)
    except msgspec.ValidationError as wrong:
        raise error([_problem(str(wrong), at)], where) from None


def check(model: type[msgspec.Struct], document: Any, at: KeyPath = ()) -> list[Problem]:
    """All that keeps the document from being this model, except the model's own rules."""
    return list(_problems(_type_of(model), document, at))


def error(problems: list[Problem], where: Where = nowhere) -> MessageError:
    """One MessageError for all of them."""
    detail, place = listed(problems, where)
    return MessageError(detail, where=place)


def to_plain(message: Message, *, where: Where = nowhere) -> dict[str, Any]:
    """The message as plain values, checked; bytes and dates stay, defaults are left out.

    Raises MessageError where a message made in Python holds what its fields do not allow.
    """
    try:
        plain: dict[str, Any] = _with_lists(
            msgspec.to_builtins(
                message, builtin_types=(bytes, date, datetime, time), enc_hook=_text
            )
        )
    except TypeError as wrong:
        raise MessageError(str(wrong), where=where(())) from None
    except RecursionError:
        raise MessageError("nested too deeply", where=where(())) from None
    problems = check(Message, plain)
    if problems:
        raise error(problems, where)
    return plain


def check_variants(message: Message, where: Where = nowhere) -> None:
    """Raise MessageError for a variant in none of the message's locales: nobody would get it."""
    problems = []
    for locale in message.email.variants if message.email else ():
        if locale not in message.locales:
            alike = {known.lower().replace("_", "-"): known for known in message.locales}
            near = alike.get(locale.lower().replace("_", "-"))
            hint = f"; did you mean {quoted(near)}?" if near else f"; {_how_to_declare(message)}"
            words = f"{quoted(locale)} is none of the message's locales{hint}"
            problems.append(Problem(("email", "variants", locale), words))
    if problems:
        raise error(problems, where)


def _how_to_declare(message: Message) -> str:
    known = ", ".join(message.locales)
    return f"they are {known}" if known else 'it has none: add locales = ["en", ...] to it'


def _with_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_lists(member) for key, member in value.items()}
    return [_with_lists(member) for member in value] if isinstance(value, list | tuple) else value


def _text(value: object) -> str:
    if isinstance(value, str):
        return str(value)
    raise TypeError(f"{kind_of(value)} has no place in a message")


@lru_cache(maxsize=64)
def _type_of(model: type[msgspec.Struct]) -> types.Type:
    return types.type_info(model)


def _problems(kind: types.Type, value: Any, path: KeyPath) -> Iterator[Problem]:
    match kind:
        case types.Metadata():
            yield from _problems(kind.type, value, path)
        case types.AnyType():
            return
        case types.UnionType():
            yield from _union(kind, value, path)
        case types.LiteralType():
            yield from _literal(kind, value, path)
        case _ if not _fits(kind, value):
            yield Problem(path, f"expected {_words(kind)}, got {kind_of(value)}")
        case types.StructType():
            yield from _struct(kind, value, path)
        case types.DictType():
            for key, member in value.items():
                yield from _problems(kind.key_type, key, (*path, str(key)))
                yield from _problems(kind.value_type, member, (*path, str(key)))
        case types.VarTupleType():
            for index, member in enumerate(value):
                yield from _problems(kind.item_type, member, (*path, index))
        case _:
            yield from _constraint(kind, value, path)


def _fits(kind: types.Type, value: Any) -> bool:
    if isinstance(value, bool):
        return isinstance(kind, types.BoolType)
    return isinstance(value, _PLAIN[type(kind)][0])


def _words(kind: types.Type) -> str:
    if isinstance(kind, types.Metadata):
        return _words(kind.type)
    return _PLAIN[type(kind)][1]


def _struct(kind: types.StructType, value: Mapping[Any, Any], path: KeyPath) -> Iterator[Problem]:
    fields = {field.encode_name: field for field in kind.fields}
    for key, member in value.items():
        if key in fields:
            yield from _problems(fields[key].type, member, (*path, key))
        else:
            hint = nearest(str(key), [name for name in fields if name not in value] or fields)
            hint = hint or f"; known are {', '.join(fields)}"
            yield Problem((*path, str(key)), f"unknown key {quoted(str(key))}{hint}")
    for name, field in fields.items():
        if field.required and name not in value:
            yield Problem(path, f"missing key {quoted(name)}")


def _union(kind: types.UnionType, value: Any, path: KeyPath) -> Iterator[Problem]:
    choices = [choice for choice in kind.types if not isinstance(choice, types.NoneType)]
    if value is None and len(choices) < len(kind.types):
        return
    found = [list(_problems(choice, value, path)) for choice in choices]
    if not all(found):
        return
    fitting = [wrong for wrong, choice in zip(found, choices, strict=True) if _fits(choice, value)]
    if fitting or len(found) == 1:
        yield from (fitting or found)[0]
    else:
        words = " or ".join(map(_words, choices))
        yield Problem(path, f"expected {words}, got {kind_of(value)}")


def _literal(kind: types.LiteralType, value: Any, path: KeyPath) -> Iterator[Problem]:
    if value not in kind.values:
        known = [str(choice) for choice in kind.values]
        got = quoted(value) if isinstance(value, str) else kind_of(value)
        hint = nearest(value, known) if isinstance(value, str) else ""
        yield Problem(path, f"expected {' or '.join(map(quoted, known))}, got {got}{hint}")


def _constraint(kind: types.Type, value: Any, path: KeyPath) -> Iterator[Problem]:
    if isinstance(kind, types.StrType) and kind.pattern:
        if not re.fullmatch(kind.pattern, value):
            yield Problem(path, f"{quoted(value)} is no locale; write cs or en-GB")
    elif isinstance(kind, types.IntType) and kind.ge is not None:
        if value < kind.ge:
            yield Problem(path, f"expected at least {kind.ge}, got {value}")
    elif isinstance(kind, types.BytesType) and isinstance(value, str) and not _is_base64(value):
        yield Problem(path, "is not base64")


def _is_base64(text: str) -> bool:
    try:
        binascii.a2b_base64(text.encode(), strict_mode=True)
    except ValueError:
        return False
    return True


def _problem(text: str, at: KeyPath) -> Problem:
    """msgspec's `... - at `$.email`` as a Problem; its `[...]` hides a key, so the path ends."""
    detail, _, place = text.partition(" - at `$")
    known = place.removesuffix("`").partition("[...]")[0]
    parts = re.findall(r"\.([^.\[]+)|\[(\d+)\]", known)
    return Problem((*at, *(int(index) if index else name for name, index in parts)), detail)
