"""A channel from its table: keys are the constructor's keywords, secrets are references."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, get_type_hints

from vero_deliver import registry
from vero_deliver.channel import Channel
from vero_deliver.errors import ConfigError
from vero_deliver.keywords import accepts, mismatch
from vero_deliver.plain import Where, dotted, nearest
from vero_deliver.references import WRITE, check_reference, is_reference, resolve
from vero_deliver.rendered import ContentName
from vero_deliver.secret import Secret

_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def construct(
    name: str, table: Mapping[str, Any], content: ContentName, *, root: Path, where: Where
) -> Channel[Any]:
    """The channel that the table describes. Raises ConfigError naming place and key.

    root: what relative paths and files of secrets start from.
    where: the place of a key in the project's file.
    """
    return _Table(name, table, root, where).channel(content)


@dataclass(frozen=True, slots=True)
class _Table:
    """The table of one channel."""

    name: str
    keys: Mapping[str, Any]
    root: Path
    where: Where

    def channel(self, content: ContentName) -> Channel[Any]:
        driver = self._driver()
        if not driver.carries(content):
            self._fail(f"driver {driver.name!r} does not carry {content}", "driver")
        make = driver.load()
        arguments = self._arguments(make)
        try:
            channel: Channel[Any] = make(**arguments, name=self.name)
        except ConfigError as error:
            detail = str(error).removeprefix(f"channel {self.name!r}: ")
            self._fail(detail, self._key_in(detail))
        except (TypeError, ValueError) as error:
            self._fail(str(error), self._key_in(str(error)))
        return channel

    def _driver(self) -> registry.Driver:
        name = self.keys.get("driver")
        if not isinstance(name, str):
            self._fail('which driver? write driver = "smtp"')
        try:
            return registry.find(name)
        except ConfigError as error:
            self._fail(str(error), "driver")

    def _arguments(self, make: type[Any]) -> dict[str, Any]:
        known = inspect.signature(make).parameters
        keywords = {key: value for key, value in self.keys.items() if key != "driver"}
        for key in keywords:
            if key not in known or key == "name":
                names = sorted(set(known) - {"name"})
                hint = nearest(key, names) or f"; known: {', '.join(names)}"
                self._fail(f"unknown key {key!r}{hint}", key)
        for key, parameter in known.items():
            required = parameter.default is parameter.empty
            if required and parameter.kind not in _VARIADIC and key not in (*keywords, "name"):
                self._fail(f"missing key {key!r}")
        hints = get_type_hints(make.__init__)
        return {key: self._argument(key, hints.get(key, Any)) for key in keywords}

    def _argument(self, key: str, hint: Any) -> Any:
        """References resolved, paths made relative to the project, plain secrets refused."""
        value = self.keys[key]
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
        path = ("channels", self.name, key) if key else ("channels", self.name)
        return f"{self.where(path)}: {dotted(path)}"

    def _fail(self, detail: str, key: str = "") -> NoReturn:
        raise ConfigError(f"{self._place(key)}: {detail}") from None
