"""What the first row of a table says: which value each column holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from vero_deliver.errors import ConfigError
from vero_deliver.plain import KeyPath, dotted, quoted

_USER_COLUMNS: Final = {
    "phone_number": "phone",
    **{name: name for name in ("id", "email", "phone", "locale", "timezone")},
}
# Headers of other programs' exports, letters only, for the fields that a message is sent to.
_SPELLINGS: Final = {
    "email": {"email", "emailaddress", "emailaddr", "emails", "useremail", "mail"},
    "phone": {"phone", "phonenumber", "userphone"},
}
_OTHER_WORDS: Final = {"mobile", "mobilenumber", "mobilephone", "cell", "tel", "telephone"}
_PERSON: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|\+[1-9]\d{6,14}")


def delimiter_of(header: str) -> str:
    """What separates the cells of a header line: a comma, a semicolon or a tab.

    Spreadsheets of countries with a decimal comma write semicolons.
    """
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t", key=bare.count)


def columns_of(header: list[str], declared: Mapping[str, Any], where: str) -> list[KeyPath]:
    """Where each column's cells go; () for a column without a name. Raises ConfigError."""
    names = [name.strip() for name in header]
    for name in names:
        if _PERSON.fullmatch(name):
            raise ConfigError(
                f"{where}: the first row names the columns, and {quoted(name)} is no name; "
                f"put a row above it, as `{'email' if '@' in name else 'phone'}`"
            )
    columns: list[KeyPath] = []
    for name in names:
        path = _target(name, declared) if name else ()
        if any(not part for part in path):
            raise ConfigError(f"{where}: column {quoted(name)} has an empty part")
        clash = [other for other in columns if path and other and _overlap(path, other)]
        if clash:
            raise ConfigError(f"{where}: columns {dotted(clash[0])} and {dotted(path)} clash")
        columns.append(path)
    _refuse_near(names, columns, where)
    return columns


def _target(name: str, declared: Mapping[str, Any]) -> tuple[str, ...]:
    head, *rest = name.split(".")
    if head in ("user", "event") and rest:
        return head, *rest
    if name in _USER_COLUMNS:
        return "user", _USER_COLUMNS[name]
    return "data" if head in declared else "user", head, *rest


def _overlap(path: KeyPath, other: KeyPath) -> bool:
    size = min(len(path), len(other))
    return path[:size] == other[:size]


def _refuse_near(names: list[str], columns: list[KeyPath], where: str) -> None:
    """`E-mail` would be one more attribute, and the table would reach nobody."""
    has_email, has_phone = ("user", "email") in columns, ("user", "phone") in columns
    near: dict[str, set[str]] = {}
    if not has_email:
        near["email"] = _SPELLINGS["email"]
    if not has_phone:
        near["phone"] = _SPELLINGS["phone"] | (set() if has_email else _OTHER_WORDS)
    for name, path in zip(names, columns, strict=True):
        if path != ("user", name):
            continue  # `user.Mail` says that an attribute is meant
        letters = re.sub(r"[\W\d_]", "", name).lower()
        for field, spellings in near.items():
            if letters in spellings:
                raise ConfigError(
                    f"{where}: there is no column {field!r}; did you mean it by {quoted(name)}? "
                    f"Rename it, or write {quoted(f'user.{name}')} for an attribute"
                )
