"""Values from data as JSON can hold them, whatever they were."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

from vero_deliver.plain import DEEPEST, MAX_DIGITS, kind_of
from vero_deliver.render.clean import clean


def plain(value: Any, depth: int = 0) -> Any:
    """The value in dicts, lists, clean text, finite numbers; other kinds as the text they print.

    Raises ValueError where JSON has no such value: NaN, a number of thousands of digits, an
    object whose names are no strings, nesting of more than 100 levels.
    """
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    if isinstance(value, Mapping):
        return {_name(key): plain(member, depth + 1) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(member, depth + 1) for member in value]
    return _scalar(value)


def parse(text: str) -> Any:
    """A JSON document. Raises ValueError for anything else, NaN and bottomless nesting included."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _name(key: Any) -> str:
    if not isinstance(key, str):
        raise ValueError(f"a name in an object is {kind_of(key)}, not a string")
    return clean(key)


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float, Decimal)):
        return _number(value)
    try:
        return clean(str(value))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _number(value: float | Decimal) -> int | float:
    if isinstance(value, int):
        if value.bit_length() > 4 * MAX_DIGITS:
            raise ValueError(f"a number has more than {MAX_DIGITS} digits")
        return value
    if not math.isfinite(value):
        raise ValueError(f"JSON has no {value}")
    if isinstance(value, float):
        return value
    # int() of Decimal("1e999999999") would fill the memory
    whole = abs(value.adjusted()) <= MAX_DIGITS and value == value.to_integral_value()
    return int(value) if whole else float(value)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")
