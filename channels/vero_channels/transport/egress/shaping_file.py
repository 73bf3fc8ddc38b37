"""Reading a shaping table: every mistake is told with file, line and key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from vero_channels.transport.egress.amounts import Rate, rate, seconds
from vero_channels.transport.egress.rules import Action, ActionName, Rule
from vero_channels.transport.egress.shaping import (
    OPTIONS,
    SHIPPED,
    Match,
    Shaping,
    Table,
    Tls,
)
from vero_deliver.errors import ConfigError
from vero_deliver.plain import KeyPath, Problem, kind_of, listed, nearest, quoted
from vero_deliver.reading import ReadError, display, parse_toml, read_text
from vero_deliver.toml_lines import toml_lines

_PROVIDER: Final = "provider"
_MATCHES: Final = ("MXSuffix", "HostName", "DomainSuffix")
_PLAIN_ACTIONS: Final = tuple(name for name in get_args(ActionName) if name != "SetConfig")
_ACTIONS: Final = f"write {', '.join(map(quoted, _PLAIN_ACTIONS))} or {{ SetConfig = ... }}"


def load(files: Iterable[Path] = ()) -> Shaping:
    """The table that comes with the package, and these files merged over it. Raises ConfigError."""
    shaping = Shaping()
    for file in (SHIPPED, *files):
        shaping.add(*_tables_of(file))
    return shaping


def _tables_of(file: Path) -> tuple[dict[str, Table], dict[str, Table]]:
    shown = display(file)
    try:
        text = read_text(file, shown)
        document = parse_toml(text, shown)
    except ReadError as error:
        raise ConfigError(str(error)) from None
    reader = _Reader()
    tables = reader.document(document)
    if reader.problems:
        lines = toml_lines(text)
        detail, where = listed(reader.problems, lambda path: _place(shown, lines, path))
        raise ConfigError(f"{where}: {detail}")
    return tables


def _place(file: str, lines: Mapping[KeyPath, int], path: KeyPath) -> str:
    line = next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 1)
    return f"{file}:{line}"


def _positive(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"expected a number of 1 or more, got {_shown(value)}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected a string, got {_shown(value)}")
    return value


def _rate(value: Any) -> Rate:
    return rate(_text(value))


def _seconds(value: Any) -> float:
    return seconds(_text(value))


def _tls(value: Any) -> str:
    if value not in get_args(Tls):
        raise ValueError(f"{_shown(value)} is none of {', '.join(get_args(Tls))}")
    return str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, got {_shown(value)}")
    return value


def _shown(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else kind_of(value)


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "connection_limit": _positive,
    "provider_connection_limit": _positive,
    "max_connection_rate": _rate,
    "max_deliveries_per_connection": _positive,
    "max_message_rate": _rate,
    "idle_timeout": _seconds,
    "enable_tls": _tls,
    "remember_broken_tls": _seconds,
}


class _Reader:
    """Turns plain values into tables; `problems` are what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def document(self, document: Mapping[str, Any]) -> tuple[dict[str, Table], dict[str, Table]]:
        """The tables by domain, and those by provider."""
        providers = self._tables(document.get(_PROVIDER, {}), (_PROVIDER,))
        domains = {name: table for name, table in document.items() if name != _PROVIDER}
        return (
            {name.lower().rstrip("."): table for name, table in self._tables(domains, ()).items()},
            providers,
        )

    def _tables(self, tables: Any, at: KeyPath) -> dict[str, Table]:
        return {
            name: self._table(table, (*at, name))
            for name, table in self._mapping(tables, at).items()
        }

    def _table(self, raw: Any, at: KeyPath) -> Table:
        table = Table()
        own = {"match", *_OWN} if at[0] == _PROVIDER else _OWN
        for key, value in self._mapping(raw, at).items():
            here = (*at, key)
            if key not in own:
                self._option(table.options, key, value, here, known=(*OPTIONS, *own))
            elif key == "replace_base":
                table.replace_base = bool(self._read(_flag, value, here))
            elif key == "sources":
                for name, options in self._mapping(value, here).items():
                    table.sources[name] = self._options(options, (*here, name))
            elif key == "automation":
                table.rules = [
                    rule
                    for number, each in enumerate(self._list(value, here))
                    if (rule := self._rule(each, (*here, number)))
                ]
            else:
                table.match = self._match(value, here)
        return table

    def _options(self, raw: Any, at: KeyPath) -> dict[str, Any]:
        options: dict[str, Any] = {}
        for key, value in self._mapping(raw, at).items():
            self._option(options, key, value, (*at, key), known=OPTIONS)
        return options

    def _option(
        self, into: dict[str, Any], key: str, value: Any, at: KeyPath, known: Iterable[str]
    ) -> None:
        if key not in _READERS:
            self._wrong(at, f"unknown option{nearest(key, known) or f'; known: {_join(OPTIONS)}'}")
        else:
            into[key] = self._read(_READERS[key], value, at)

    def _match(self, raw: Any, at: KeyPath) -> Match:
        found: dict[str, list[str]] = {kind: [] for kind in _MATCHES}
        for number, each in enumerate(self._list(raw, at)):
            here = (*at, number)
            kind = next(iter(each), "") if isinstance(each, dict) and len(each) == 1 else ""
            if kind not in found:
                self._wrong(here, 'write { MXSuffix = ".example.com" }, HostName or DomainSuffix')
            elif text := self._read(_text, each[kind], (*here, kind)):
                found[kind].append(text.lower().rstrip("."))
        suffixes, names, domains = found.values()
        return Match(tuple(suffixes), frozenset(names), tuple(domains))

    def _rule(self, raw: Any, at: KeyPath) -> Rule | None:
        given = dict(self._mapping(raw, at))
        before = len(self.problems)
        patterns = [
            self._read(re.compile, self._read(_text, text, (*at, "regex")), (*at, "regex"))
            for text in _one_or_many(given.pop("regex", None))
        ]
        actions = [
            self._action(action, (*at, "action"))
            for action in _one_or_many(given.pop("action", None))
        ]
        duration = self._read(_seconds, given.pop("duration", None), (*at, "duration"))
        threshold = self._trigger(given.pop("trigger", "Immediate"), (*at, "trigger"))
        for key in given:
            hint = nearest(key, _RULE) or f"; known: {_join(_RULE)}"
            self._wrong((*at, key), f"unknown key{hint}")
        if len(self.problems) > before:
            return None
        return Rule(tuple(patterns), tuple(filter(None, actions)), duration, threshold)

    def _action(self, raw: Any, at: KeyPath) -> Action | None:
        if raw in _PLAIN_ACTIONS:
            return Action(raw)
        config = raw.get("SetConfig") if isinstance(raw, dict) and len(raw) == 1 else None
        if not isinstance(config, dict) or set(config) != {"name", "value"}:
            self._wrong(at, f'{_ACTIONS}, with name = "connection_limit", value = 1')
            return None
        name, value = config["name"], config["value"]
        options: dict[str, Any] = {}
        self._option(options, str(name), value, (*at, "SetConfig", "value"), known=OPTIONS)
        return Action("SetConfig", str(name), options.get(str(name)))

    def _trigger(self, raw: Any, at: KeyPath) -> Rate | None:
        if raw == "Immediate":
            return None
        if isinstance(raw, dict) and set(raw) == {"Threshold"}:
            threshold: Rate | None = self._read(_rate, raw["Threshold"], at)
            return threshold
        self._wrong(at, 'write "Immediate" or { Threshold = "2/hr" }')
        return None

    def _read(self, reader: Callable[[Any], Any], value: Any, at: KeyPath) -> Any:
        """The value as the reader gives it; None and a problem where it cannot."""
        try:
            return reader(value)
        except (ValueError, re.error) as error:
            self._wrong(at, str(error))
            return None

    def _mapping(self, value: Any, at: KeyPath) -> Mapping[str, Any]:
        if isinstance(value, dict):
            return value
        self._wrong(at, f"expected a table, got {kind_of(value)}")
        return {}

    def _list(self, value: Any, at: KeyPath) -> list[Any]:
        if isinstance(value, list):
            return value
        self._wrong(at, f"expected a list, got {kind_of(value)}")
        return []

    def _wrong(self, at: KeyPath, text: str) -> None:
        self.problems.append(Problem(at, text))


_OWN: Final = frozenset({"automation", "sources", "replace_base"})
_RULE: Final = ("regex", "action", "trigger", "duration")


def _one_or_many(value: Any) -> list[Any]:
    return value if isinstance(value, list) and value else [value]


def _join(names: Iterable[str]) -> str:
    return ", ".join(names)
