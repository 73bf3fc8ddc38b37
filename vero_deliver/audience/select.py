"""Choose recipients by name, as `--to` does."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from vero_deliver.audience.recipient import Recipient
from vero_deliver.errors import ConfigError
from vero_deliver.plain import ascii_safe, quoted

_NEAR: Final = 1000  # names that a misspelt one is compared with


def select(recipients: Iterable[Recipient], *who: str) -> list[Recipient]:
    """The recipients that each `who` names: a label, "#3" (the third), an email or field=value.

    A field is a user's, or dotted: user.plan, event.total, month. Each recipient comes once, in
    the order asked for. Raises ConfigError for a `who` that is nobody.
    """
    everybody = list(recipients)
    chosen = {id(found): found for name in who for found in _named(everybody, name)}
    return list(chosen.values())


def _named(everybody: list[Recipient], who: str) -> list[Recipient]:
    name, equals, value = who.partition("=")
    chosen = (
        [r for r in everybody if r.label == who]
        or _numbered(everybody, who)
        or [r for r in everybody if r.user.email and r.user.email.lower() == who.lower()]
        or [r for r in everybody if equals and _has(r, name.strip(), value.strip())]
    )
    if chosen:
        return chosen
    names = {n for r in everybody[:_NEAR] for n in (r.label, r.user.email) if n}
    near = difflib.get_close_matches(who[:60], sorted(names), 3) or sorted(names)[:3]
    hint = f"; near: {', '.join(map(ascii_safe, near))}" if near else ""
    raise ConfigError(f"no recipient is {quoted(who)} among {len(everybody)}{hint}")


def _numbered(everybody: list[Recipient], who: str) -> list[Recipient]:
    number = who.removeprefix("#")
    if who == number or not number.isdecimal() or len(number) > 9:
        return []
    return everybody[int(number) - 1 : int(number)] if int(number) else []


def _has(recipient: Recipient, name: str, value: str) -> bool:
    user = recipient.user.to_dict()
    names: Any = {**user, **recipient.data, "user": user, "event": recipient.event}
    for part in name.split("."):
        names = names.get(part) if isinstance(names, Mapping) else None
    return names is not None and str(names) == value
