"""Settings: the only reader of vero-deliver.toml and of VERO_DELIVER_*.

Flag > VERO_DELIVER_* > file > default. Secrets are references (references.py).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec

from vero_deliver.decode import decode
from vero_deliver.errors import ConfigError, MessageError
from vero_deliver.plain import KeyPath, Where, nearest
from vero_deliver.reading import ReadError, display, parse_toml, read_text
from vero_deliver.render.markup import Inliner
from vero_deliver.render.undefined import Policy
from vero_deliver.rendered import ContentName
from vero_deliver.routes.table import RouteTable, check_routes
from vero_deliver.states import Repeat
from vero_deliver.toml_lines import toml_lines

FILE = "vero-deliver.toml"
CAPTURED = "captured"  # the channel, and the folder, that the environment dev "sends" to
PLACES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (FILE, ()),
    ("pyproject.toml", ("tool", "vero-deliver")),
)
_Length = Annotated[str, msgspec.Meta(pattern=r"^\d+[smhd]$")]
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
OVERRIDABLE = ("messages", "translations", "language", "region", "undefined", "inliner")


class From(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Default senders."""

    email: str = ""
    sms: str = ""


class Links(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Templates of `url.unsubscribe_link` and `url.permalink_link`."""

    unsubscribe: str = ""
    permalink: str = ""


class TrackingTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where `vero-deliver serve` is reached, and what emails tell of.

    secrets: references to secrets; the first signs, all are believed. utm: added to links.
    title: of the pages that people see. topics: what they may leave by itself, name to words.
    """

    url: str
    secrets: tuple[dict[str, str], ...]
    opens: bool = False
    clicks: bool = False
    utm: Mapping[str, str] = {}
    title: str = ""
    topics: Mapping[str, str] = {}


class CheckTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `vero-deliver check` looks for: rules, families or parts of rules.

    select: only these. clients: the mail clients that what is written is compared with.
    spamd, rspamd: where a spam filter listens, host:port, for --spam. allow: hosts and networks
    of one's own that --online may ask too, as of the driver http.
    """

    ignore: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    spamd: str = "127.0.0.1:783"
    rspamd: str = "127.0.0.1:11333"
    allow: tuple[str, ...] = ()


class QueryTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Recipients out of a database, as `--data query:NAME`.

    sql: a SELECT whose columns are named as in CSV. file: of SQLite, relative to the project.
    url: in its place a reference to a secret, the URL of any database that SQLAlchemy knows.
    """

    sql: str
    file: str = ""
    url: dict[str, str] | None = None


class OutboxTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where deliveries are recorded, and when they are tried again.

    url: a reference to a secret: the URL of a PostgreSQL database, in place of the file.
    expires: days, hours, minutes or seconds, "5d"; first_retry and longest_retry: likewise.
    """

    file: str = "outbox.db"
    url: dict[str, str] | None = None
    transactional: Repeat = "at_most_once"
    marketing: Repeat = "at_most_once"
    expires: _Length = "5d"
    first_retry: _Length = "30s"
    longest_retry: _Length = "1h"


class Settings(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"from_": "from"},
):
    """What vero-deliver.toml may hold.

    env: per environment, the channel or route that carries each content.
    """

    messages: str = "messages"
    translations: str = "locales"
    language: str = "en"
    region: str = ""
    undefined: Policy = "strict"
    inliner: Inliner = "css-inline"
    from_: From = From()
    links: Links = Links()
    channels: Mapping[str, Mapping[str, Any]] = {}
    domains: Mapping[str, Mapping[str, Any]] = {}
    routes: Mapping[str, RouteTable] = {}
    queries: Mapping[str, QueryTable] = {}
    outbox: OutboxTable | None = None
    tracking: TrackingTable | None = None
    feedback: Mapping[str, Mapping[str, Any]] = {}
    check: CheckTable = CheckTable()
    env: Mapping[str, Mapping[ContentName, str]] = {}


def length(text: str) -> timedelta:
    """A length of time as the settings have it: "90s", "15m", "1h", "5d"."""
    return timedelta(**{_UNITS[text[-1]]: int(text[:-1])})


@dataclass(frozen=True, slots=True)
class Config:
    """Settings, and where each came from.

    origins: per top-level name "default", "VERO_DELIVER_X" or file:line.
    where: the place of a key in the file.
    """

    file: Path
    settings: Settings
    origins: Mapping[str, str]
    where: Where


def find(start: str | Path) -> Config | None:
    """The settings of the nearest project from `start` upward; None where there is none.

    Raises ConfigError where there is one and it is wrong.
    """
    first = Path(start).absolute()
    for folder in (first, *first.parents):
        for name, table in PLACES:
            found = _read(folder / name, table)
            if found is not None:
                return _config(folder / name, *found)
    return None


def _config(file: Path, document: dict[str, Any], lines: Mapping[KeyPath, int]) -> Config:
    shown = display(file)

    overridden: dict[str, str] = {}

    def where(path: KeyPath) -> str:
        if path and path[0] in overridden:
            return overridden[str(path[0])]
        line = next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 0)
        return f"{shown}:{line}" if line else shown

    names = [field.encode_name for field in msgspec.structs.fields(Settings)]
    origins = {name: where((name,)) if name in document else "default" for name in names}
    for name in OVERRIDABLE:
        variable = f"VERO_DELIVER_{name.upper()}"
        if variable in os.environ:
            document[name], overridden[name] = os.environ[variable], variable
    origins |= overridden
    try:
        settings = decode(Settings, document, where=where)
    except MessageError as error:
        raise ConfigError(str(error)) from None
    check_routes(settings.routes, {CAPTURED, *settings.channels}, where)
    _check_carriers(settings, where)
    return Config(file, settings, origins, where)


def _check_carriers(settings: Settings, where: Where) -> None:
    known = {CAPTURED, *settings.channels, *settings.routes}
    for env, carriers in settings.env.items():
        for content, channel in carriers.items():
            if channel not in known:
                hint = nearest(channel, known)
                place = where(("env", env, content))
                raise ConfigError(f"{place}: there is no channel {channel!r}{hint}")


def _read(path: Path, table: Sequence[str]) -> tuple[dict[str, Any], Mapping[KeyPath, int]] | None:
    """The project's table in that file and the lines of its keys; None where there is none."""
    if not path.is_file():
        return None
    try:
        text = read_text(path, display(path))
        document: Any = parse_toml(text, display(path))
    except ReadError as error:
        raise ConfigError(str(error)) from None
    for name in table:
        if not isinstance(document, dict) or name not in document:
            return None
        document = document[name]
    if not isinstance(document, dict):
        raise ConfigError(f"{display(path)}: {'.'.join(table)} is no table")
    prefix: KeyPath = tuple(table)
    lines = toml_lines(text).items()
    depth = len(prefix)
    return document, {key[depth:]: line for key, line in lines if key[:depth] == prefix}
