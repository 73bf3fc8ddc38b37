"""The [data] table of a message: what its senders must pass, checked before anything is sent.

A declaration is a type name (`month = "string"`), a table with a type and a default
(`top = { type = "string", default = "nothing yet" }`), a table of declarations (an object with
these members) or a list of one declaration (`items = [{ name = "string" }]`).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from vero_deliver.decode import error
from vero_deliver.errors import DataError
from vero_deliver.plain import (
    DEEPEST,
    MAX_DIGITS,
    KeyPath,
    Problem,
    Where,
    kind_of,
    listed,
    nearest,
    nowhere,
    quoted,
)
from vero_deliver.reading import ReadError, parse_json
from vero_deliver.source import where as line_of

_ABSENT: Final = object()


def check_declaration(data: Mapping[str, Any], where: Where = nowhere) -> None:
    """Raise MessageError where a [data] table is not written as this module says."""
    problems = list(_members(data, ("data",)))
    if problems:
        raise error(problems, where)


def check_data(
    declared: Mapping[str, Any], values: Mapping[str, Any], *, who: str = "", where: str = ""
) -> dict[str, Any]:
    """The values with defaults filled in and text made what its declared type says.

    Names that are not declared stay as they are. Raises DataError with everything that is
    missing or of the wrong type; values are never quoted in it, they may be secrets.
    """
    return Declaration(declared, where=where).check(values, who=who, where=where)


def unlike(declared: Mapping[str, Any], values: Mapping[str, Any]) -> list[tuple[Problem, str]]:
    """What of the values is missing or of the wrong type, and `file:line` of what declares it."""
    problems: list[Problem] = []
    _object(declared, values, (), problems)
    return [(problem, _line_of(declared, problem.path)) for problem in problems]


class Declaration:
    """A [data] table read once, for the values of many.

    Raises MessageError as check_declaration does.
    """

    def __init__(self, declared: Mapping[str, Any], *, where: str = "") -> None:
        check_declaration(declared, lambda _: where)
        self._declared = declared
        self._members = _members_of(declared)

    def check(self, values: Mapping[str, Any], *, who: str = "", where: str = "") -> dict[str, Any]:
        """As check_data."""
        if isinstance(values, (dict, Mapping)):  # the ABC alone takes longer
            try:
                return _filled(self._members, values)
            except _UnlikeError:
                pass
        problems: list[Problem] = []
        checked = _object(self._declared, values, (), problems)
        if problems:
            detail, place = listed(problems, lambda path: _line_of(self._declared, path))
            raise DataError(detail, where=place or where, who=who)
        return checked


class _UnlikeError(Exception):
    """Some value is not as it was declared; the long way says which, in words."""


class _Shape(NamedTuple):
    """One declaration, taken apart.

    passes: the very type whose values are let through as they are; None for no type.
    members: of an object, by name. element: of a list.
    """

    declared: Any
    passes: type | None = None
    members: _Members | None = None
    element: _Shape | None = None


_Members = tuple[tuple[str, type | None, _Shape], ...]  # the type is the shape's `passes`


def _members_of(declared: Mapping[str, Any]) -> _Members:
    shapes = ((name, _shape(member)) for name, member in declared.items())
    return tuple((name, shape.passes, shape) for name, shape in shapes)


def _shape(declared: Any) -> _Shape:
    if name := _type_of(declared):
        return _Shape(declared, passes=_AS_THEY_ARE.get(name))
    if isinstance(declared, Mapping):
        return _Shape(declared, members=_members_of(declared))
    return _Shape(declared, element=_shape(declared[0]))


def _filled(members: _Members, values: Mapping[str, Any]) -> dict[str, Any]:
    """What _object gives for values that are as declared; keeps no account of where it is."""
    checked = dict(values)
    for name, passes, shape in members:
        value = checked.get(name)
        if value is None:
            checked[name] = _none(shape.declared, is_there=name in checked)
        elif type(value) is not passes:
            checked[name] = _fitting(shape, value)
    return checked


def _fitting(shape: _Shape, value: Any) -> Any:
    declared, _, members, element = shape
    if type(value) is float and declared == "number" and math.isfinite(value):
        return value
    if members is not None and type(value) is dict:
        return _filled(members, value)
    if element is not None and type(value) is list:
        passes = element.passes
        return [item if type(item) is passes else _fitting(element, item) for item in value]
    problems: list[Problem] = []
    fitting = _value(declared, value, (), problems)
    if problems:
        raise _UnlikeError
    return fitting


def _none(declared: Any, *, is_there: bool) -> Any:
    if is_there and _type_of(declared) == "any":
        return None
    problems: list[Problem] = []
    default = _absent(declared, ("",), [], problems)
    if problems:
        raise _UnlikeError
    return default


def _line_of(declared: Any, path: KeyPath) -> str:
    """`file:line` of what declares a value; empty for a message made in Python."""
    for part in path:
        if isinstance(declared, Mapping) and part in declared:
            declared = declared[part]
        elif isinstance(declared, list | tuple) and declared:
            declared = declared[0]
    while isinstance(declared, Mapping | list | tuple) and declared:
        first = declared.values() if isinstance(declared, Mapping) else declared
        declared = next(iter(first))
    return line_of(declared) if isinstance(declared, str) else ""


def _members(declared: Any, path: KeyPath) -> Iterator[Problem]:
    if not isinstance(declared, Mapping):
        yield Problem(path, f"expected a table of declarations, got {kind_of(declared)}")
        return
    for name, declaration in declared.items():
        yield from _declaration(declaration, (*path, str(name)))


def _declaration(declared: Any, path: KeyPath) -> Iterator[Problem]:
    if len(path) > DEEPEST:
        yield Problem(path[:3], "nested too deeply")
    elif isinstance(declared, str):
        yield from _type_name(declared, path)
    elif is_typed(declared):
        wrong = list(_type_name(declared["type"], path))
        yield from wrong or _default(declared, path)
    elif isinstance(declared, Mapping):
        yield from _members(declared, path)
    elif isinstance(declared, list | tuple) and len(declared) == 1:
        yield from _declaration(declared[0], (*path, 0))
    elif isinstance(declared, list | tuple):
        yield Problem(path, 'a list declares one element: ["string"] or [{ name = "string" }]')
    else:
        yield Problem(path, f"expected a type name or a table, got {kind_of(declared)}")


def is_typed(declared: Any) -> bool:
    """A table with a type, and not an object that has a member named type."""
    return (
        isinstance(declared, Mapping)
        and isinstance(declared.get("type"), str)
        and declared.keys() <= {"type", "default"}
    )


def _type_of(declared: Any) -> str:
    """The declared type's name, or empty for members and lists."""
    if isinstance(declared, str):
        return declared
    return str(declared["type"]) if is_typed(declared) else ""


def _type_name(name: str, path: KeyPath) -> Iterator[Problem]:
    if name not in _TYPES:
        hint = nearest(name, _TYPES) or f"; known are {', '.join(_TYPES)}"
        yield Problem(path, f"unknown type {quoted(name)}{hint}")


def _default(declared: Mapping[str, Any], path: KeyPath) -> Iterator[Problem]:
    value = declared.get("default")
    try:
        if value is not None:
            _TYPES[declared["type"]](value)
    except (ValueError, ArithmeticError):
        words = f"the default is no {declared['type']}, but {kind_of(value)}"
        yield Problem((*path, "default"), words)


def _object(
    members: Mapping[str, Any], values: Any, path: KeyPath, problems: list[Problem]
) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        problems.append(Problem(path, f"expected an object, got {kind_of(values)}"))
        return {}
    checked = dict(values)
    spare = [str(name) for name in values if name not in members]
    for name, declared in members.items():
        value = values.get(name, _ABSENT)
        if value is _ABSENT or (value is None and _type_of(declared) != "any"):
            checked[name] = _absent(declared, (*path, name), spare, problems)
        else:
            checked[name] = _value(declared, value, (*path, name), problems)
    return checked


def _absent(declared: Any, path: KeyPath, spare: list[str], problems: list[Problem]) -> Any:
    if is_typed(declared) and "default" in declared:
        default = copy.deepcopy(declared["default"])
        return default if default is None else _TYPES[declared["type"]](default)
    if isinstance(declared, Mapping) and declared and not is_typed(declared):
        return _object(declared, {}, path, problems)
    problems.append(Problem(path, f"is missing{nearest(str(path[-1]), spare)}"))
    return None


def _value(declared: Any, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
    name = _type_of(declared)
    if name:
        return _typed(name, value, path, problems)
    try:
        value = _from_text(value, "[{")
    except ValueError:
        problems.append(Problem(path, "expected JSON, got a string that is none"))
        return value
    if isinstance(declared, Mapping):
        return _object(declared, value, path, problems)
    if not isinstance(value, list | tuple):
        problems.append(Problem(path, f"expected a list, got {kind_of(value)}"))
        return value
    return [_value(declared[0], item, (*path, i), problems) for i, item in enumerate(value)]


def _typed(name: str, value: Any, path: KeyPath, problems: list[Problem]) -> Any:
    try:
        return _TYPES[name](value)
    except (ValueError, ArithmeticError):
        got = "a string that is none" if isinstance(value, str) else kind_of(value)
        example = (
            f" such as {_EXAMPLES[name]}" if isinstance(value, str) and name in _EXAMPLES else ""
        )
        problems.append(Problem(path, f"expected {_article(name)}{example}, got {got}"))
        return value


def _article(name: str) -> str:
    return f"an {name}" if name[0] in "aio" else f"a {name}"


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError
    return int(value)


def _number(value: Any) -> int | float | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError
    number = _parsed_number(value) if isinstance(value, str) else value
    if not isinstance(number, int) and not math.isfinite(number):
        raise ValueError
    return number


def _parsed_number(text: str) -> int | float:
    return int(text) if text.strip().lstrip("+-").isdecimal() else float(text)


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError
    try:
        exact = Decimal(str(value))
    except InvalidOperation:
        raise ValueError from None
    if not exact.is_finite() or abs(exact.adjusted()) > MAX_DIGITS:
        raise ValueError
    return exact


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in ("true", "yes", "1", "false", "no", "0"):
        raise ValueError
    return word in ("true", "yes", "1")


def _date(value: Any) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value.strip())
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError
    return value


def _datetime(value: Any) -> datetime:
    if isinstance(value, str):
        return datetime.fromisoformat(value.strip())
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    raise ValueError


def _list(value: Any) -> list[Any]:
    parsed = _from_text(value, "[")
    if not isinstance(parsed, list | tuple):
        raise ValueError
    return list(parsed)


def _mapping(value: Any) -> dict[str, Any]:
    parsed = _from_text(value, "{")
    if not isinstance(parsed, Mapping):
        raise ValueError
    return dict(parsed)


def _from_text(value: Any, opening: str) -> Any:
    """JSON in a string, as a CSV cell holds a list or an object; anything else as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(tuple(opening)):
        return value
    try:
        return parse_json(value, "")
    except ReadError:
        raise ValueError from None


_TYPES: Final[dict[str, Callable[[Any], Any]]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "decimal": _decimal,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "list": _list,
    "object": _mapping,
    "any": lambda value: value,
}
_EXAMPLES: Final = {
    "number": "12.50",
    "decimal": "12.50",
    "date": "2026-05-01",
    "datetime": "2026-05-01T10:00:00Z",
}
# The very type of a value that its declared type lets through as it is, whatever the value.
_AS_THEY_ARE: Final[dict[str, type]] = {
    "string": str,
    "integer": int,
    "number": int,
    "boolean": bool,
    "date": date,
    "datetime": datetime,
}
TYPE_NAMES: Final = tuple(_TYPES)
