"""Channels, domains and readers from their tables: keys are the constructor's keywords."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from vero_deliver import registry
from vero_deliver.channel import Channel
from vero_deliver.errors import ConfigError
from vero_deliver.keywords import accepts, elements, mismatch
from vero_deliver.mime import Domain
from vero_deliver.plain import Where, dotted, nearest
from vero_deliver.references import WRITE, check_reference, is_reference, resolve
from vero_deliver.rendered import ContentName
from vero_deliver.secret import Secret

Tables = Mapping[str, Mapping[str, Any]]

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_KINDS = {"channels": "driver", "feedback": "reader"}  # the key that names the class
_T = TypeVar("_T")
_DOMAINS = "domains"  # the section, and the key of a channel that names some of them


def construct(
    name: str,
    table: Mapping[str, Any],
    content: ContentName,
    *,
    root: Path,
    where: Where,
    domains: Tables | None = None,
    objects: Mapping[str, Any] | None = None,
) -> Channel[Any]:
    """The channel that the table describes. Raises ConfigError naming place and key.

    root: what relative paths and files of secrets start from.
    where: the place of a key in the project's file.
    domains: the tables of the sending domains, for channels that sign.
    objects: arguments that no table can hold, for the constructors that take them.
    """
    found = _Table("channels", name, table, root, where, domains or {})
    return found.channel(content, objects or {})


def domains_of(
    name: str,
    table: Mapping[str, Any],
    content: ContentName,
    *,
    root: Path,
    where: Where,
    domains: Tables,
) -> tuple[Domain, ...]:
    """The sending domains of a channel: none where it does not sign. Errors as `construct`."""
    return _Table("channels", name, table, root, where, domains).domains(content)


def make_domain(name: str, table: Mapping[str, Any], *, root: Path, where: Where) -> Domain:
    """The sending domain that the table describes. Arguments and errors as of `construct`."""
    return _Table(_DOMAINS, name, table, root, where).domain()


def construct_reader(name: str, table: Mapping[str, Any], *, root: Path, where: Where) -> Any:
    """The reader of feedback that the table describes. Arguments and errors as of `construct`."""
    return _Table("feedback", name, table, root, where).reader()


@dataclass(frozen=True, slots=True)
class _Table:
    """The table of one channel, domain or reader; or one within it, named by `inside`."""

    section: str
    name: str
    keys: Mapping[str, Any]
    root: Path
    where: Where
    known_domains: Tables = field(default_factory=dict)
    inside: tuple[str, ...] = ()

    def channel(self, content: ContentName, objects: Mapping[str, Any]) -> Channel[Any]:
        make = self._class(content)
        taken = inspect.signature(make).parameters
        given = {name: value for name, value in objects.items() if name in taken}
        arguments = {**self._arguments(make), **self._domains(make), **given}
        channel: Channel[Any] = self._made(make, arguments)
        return channel

    def domain(self) -> Domain:
        domain: Domain = self._made(Domain, self._arguments(Domain))
        return domain

    def reader(self) -> Any:
        make = self._found("reader", "sendgrid", registry.find_reader)
        return self._made(make, self._arguments(make))

    def domains(self, content: ContentName) -> tuple[Domain, ...]:
        chosen: tuple[Domain, ...] = self._domains(self._class(content)).get(_DOMAINS, ())
        return chosen

    def _made(self, make: type[Any], arguments: dict[str, Any]) -> Any:
        try:
            return make(**arguments, name=self.name)
        except ConfigError as error:
            detail = str(error).removeprefix(f"channel {self.name!r}: ")
            self._fail(detail, self._key_in(detail))
        except (TypeError, ValueError) as error:
            self._fail(str(error), self._key_in(str(error)))

    def _class(self, content: ContentName) -> type[Any]:
        driver = self._driver()
        if not driver.carries(content):
            self._fail(f"driver {driver.name!r} does not carry {content}", "driver")
        return driver.load()

    def _domains(self, make: type[Any]) -> dict[str, Any]:
        """The argument of a constructor that takes sending domains: all, unless some are named."""
        if not _takes_domains(make):
            return {}
        names = self.keys.get(_DOMAINS, list(self.known_domains))
        if not isinstance(names, list):
            self._fail('expected a list of names, ["news.example.com"], or [] for none', _DOMAINS)
        for name in names:
            if not isinstance(name, str) or name not in self.known_domains:
                hint = nearest(str(name), self.known_domains)
                self._fail(f"there is no [domains.{dotted((str(name),))}]{hint}", _DOMAINS)
        return {_DOMAINS: tuple(self._domain(name) for name in names)}

    def _domain(self, name: str) -> Domain:
        try:
            return make_domain(name, self.known_domains[name], root=self.root, where=self.where)
        except ConfigError as error:
            hint = f"channel {self.name!r} signs with it; with domains = [] it would not"
            raise ConfigError(f"{error} ({hint})") from None

    def _driver(self) -> registry.Driver:
        return self._found("driver", "smtp", registry.find)

    def _found(self, key: str, example: str, find: Callable[[str], _T]) -> _T:
        name = self.keys.get(key)
        if not isinstance(name, str):
            self._fail(f'which {key}? write {key} = "{example}"')
        try:
            return find(name)
        except ConfigError as error:
            self._fail(str(error), key)

    def _arguments(self, make: type[Any]) -> dict[str, Any]:
        known = inspect.signature(make).parameters
        named = "" if self.inside else "name"  # the table's own name
        apart = {_KINDS[self.section]} if self.section in _KINDS and not self.inside else set()
        if _takes_domains(make):
            apart.add(_DOMAINS)
        keywords = {key: value for key, value in self.keys.items() if key not in apart}
        for key in keywords:
            if key not in known or key == named:
                names = sorted(set(known) - {named})
                hint = nearest(key, names) or f"; known: {', '.join(names)}"
                self._fail(f"unknown key {key!r}{hint}", key)
        for key, parameter in known.items():
            required = parameter.default is parameter.empty
            if required and parameter.kind not in _VARIADIC and key not in (*keywords, named):
                self._fail(f"missing key {key!r}")
        hints = _hints(make)
        return {key: self._argument(key, hints.get(key, Any)) for key in keywords}

    def _argument(self, key: str, hint: Any) -> Any:
        """References resolved, paths made relative to the project, plain secrets refused."""
        value, inner = self.keys[key], elements(hint)
        if isinstance(value, dict) and isinstance(hint, type) and is_dataclass(hint):
            return replace(self, keys=value, inside=(*self.inside, key)).within(hint)
        if isinstance(value, str) and inner is not None and not accepts(hint, str):
            self._fail("expected a list", key)
        if isinstance(value, list) and inner is not None:
            if accepts(inner, Secret):
                return [self._value(key, each, inner) for each in value]
            if get_origin(inner) is tuple:
                return [self._several(key, each, get_args(inner)) for each in value]
        return self._value(key, value, hint)

    def within(self, make: type[Any]) -> Any:
        arguments = self._arguments(make)
        try:
            return make(**arguments)
        except ConfigError as error:
            self._fail(str(error))

    def _several(self, key: str, values: Any, hints: Sequence[Any]) -> tuple[Any, ...]:
        """One row of a list of lists."""
        if not isinstance(values, list) or len(values) != len(hints):
            self._fail(f"expected lists of {len(hints)}", key)
        return tuple(self._value(key, *one) for one in zip(values, hints, strict=True))

    def _value(self, key: str, value: Any, hint: Any) -> Any:
        may_be_table = hint is Any or accepts(hint, Mapping)
        reference = isinstance(value, dict) and (is_reference(value) or not may_be_table)
        if reference:
            wrong = check_reference(value)
            if wrong:
                self._fail(wrong, key)
            secret = resolve(value, self.root, self._place(key))
            if accepts(hint, Secret):
                return secret
            value = secret.reveal()
        elif accepts(hint, Secret) and isinstance(value, str) and value:
            self._fail(f"secrets do not belong in this file; {WRITE}", key)
        wrong = mismatch(value, hint, shown=not reference)
        if wrong:
            self._fail(wrong, key)
        return self.root / value if accepts(hint, Path) and isinstance(value, str) else value

    def _key_in(self, detail: str) -> str:
        """The key that a constructor's error begins with, if any."""
        found = re.match(r"\w+", detail)
        return found[0] if found and found[0] in self.keys else ""

    def _place(self, key: str = "") -> str:
        path = (self.section, self.name, *self.inside, *([key] if key else []))
        return f"{self.where(path)}: {dotted(path)}"

    def _fail(self, detail: str, key: str = "") -> NoReturn:
        raise ConfigError(f"{self._place(key)}: {detail}") from None


def _takes_domains(make: type[Any]) -> bool:
    return get_args(_hints(make).get(_DOMAINS)) == (Domain,)


def _hints(make: type[Any]) -> dict[str, Any]:
    """The annotations of its arguments; those of a dataclass may be a base's, of another module."""
    return get_type_hints(make if is_dataclass(make) else make.__init__)
