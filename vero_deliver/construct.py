"""A channel from its table: keys are the constructor's keywords, secrets are references."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints

from vero_deliver import registry
from vero_deliver.channel import Channel
from vero_deliver.errors import ConfigError
from vero_deliver.plain import nearest
from vero_deliver.references import is_reference, resolve
from vero_deliver.rendered import ContentName
from vero_deliver.secret import Secret


def construct(
    name: str, table: Mapping[str, Any], content: ContentName, *, root: Path, place: str
) -> Channel[Any]:
    """The channel that the table describes. Raises ConfigError naming place and key.

    root: what relative paths and files of secrets start from.
    """
    if not isinstance(table.get("driver"), str):
        raise ConfigError(f'{place}: which driver? write driver = "smtp"')
    driver = registry.find(table["driver"])
    if not driver.carries(content):
        raise ConfigError(f"{place}: driver {driver.name!r} does not carry {content}")
    make = driver.load()
    keywords = {key: value for key, value in table.items() if key != "driver"}
    arguments = _arguments(make, keywords, root, place)
    try:
        channel: Channel[Any] = make(**arguments, name=name)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{place}: {error}") from None
    return channel


def _arguments(
    make: type[Any], keywords: Mapping[str, Any], root: Path, place: str
) -> dict[str, Any]:
    known = set(inspect.signature(make).parameters) - {"name"}
    for key in keywords:
        if key not in known:
            hint = nearest(key, known) or f"; known: {', '.join(sorted(known))}"
            raise ConfigError(f"{place}: unknown key {key!r}{hint}")
    hints = get_type_hints(make.__init__)
    return {
        key: _argument(value, get_args(hints.get(key)), root, f"{place} {key}")
        for key, value in keywords.items()
    }


def _argument(value: Any, accepts: tuple[Any, ...], root: Path, place: str) -> Any:
    """References resolved, paths made relative to the project, secrets in plain text refused."""
    if is_reference(value):
        secret = resolve(value, root, place)
        return secret if Secret in accepts else secret.reveal()
    if Secret in accepts and isinstance(value, str) and value:
        raise ConfigError(
            f'{place}: secrets do not belong in this file; write {{ env = "NAME" }}, '
            '{ file = "path" } or { cmd = "command" }'
        )
    if Path in accepts and isinstance(value, str):
        return root / value
    return value
