"""The project: the only reader of vero-deliver.toml, of the environment and of secret files.

Flag > VERO_DELIVER_* > file > default. Channel tables map one to one onto constructor keywords.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from vero_deliver import registry
from vero_deliver.channel import Channel
from vero_deliver.decode import decode
from vero_deliver.deliver import Deliverer
from vero_deliver.errors import ConfigError, MessageError
from vero_deliver.loader import load_message, message_ids
from vero_deliver.message import Message
from vero_deliver.plain import KeyPath, nearest
from vero_deliver.reading import ReadError, display, parse_toml, read_text
from vero_deliver.references import is_reference, resolve
from vero_deliver.render import Renderer
from vero_deliver.render.markup import Inliner
from vero_deliver.render.undefined import Policy
from vero_deliver.rendered import ContentName
from vero_deliver.secret import Secret
from vero_deliver.toml_lines import toml_lines

FILE = "vero-deliver.toml"
OUTBOX = "outbox"  # where the environment dev "sends" to
_OVERRIDABLE = ("messages", "translations", "language", "undefined", "inliner")


class From(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Default senders."""

    email: str = ""
    sms: str = ""


class Links(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Templates of `url.unsubscribe_link` and `url.permalink_link`."""

    unsubscribe: str = ""
    permalink: str = ""


class Settings(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"from_": "from"},
):
    """What vero-deliver.toml may hold.

    env: per environment, the channel that carries each content.
    """

    messages: str = "messages"
    translations: str = "locales"
    language: str = "en"
    undefined: Policy = "strict"
    inliner: Inliner = "css-inline"
    from_: From = From()
    links: Links = Links()
    channels: Mapping[str, Mapping[str, Any]] = {}
    env: Mapping[str, Mapping[ContentName, str]] = {}


@dataclass(frozen=True)
class Project:
    """One project on disk, seen from one environment."""

    root: Path
    file: Path
    settings: Settings
    env: str
    origins: Mapping[str, str]  # of each scalar setting: "default", "VERO_DELIVER_X", file:line

    @classmethod
    def find(cls, start: str | Path = ".", *, env: str = "dev") -> Project:
        """The nearest project from `start` upward. Raises ConfigError where there is none."""
        first = Path(start).absolute()
        if not first.is_dir():
            raise ConfigError(f"{start} is no folder")
        for folder in (first, *first.parents):
            for name, table in ((FILE, ()), ("pyproject.toml", ("tool", "vero-deliver"))):
                found = _read(folder / name, table)
                if found is not None:
                    return cls._from(folder / name, *found, env)
        raise ConfigError(f"no {FILE} here or above; `vero-deliver init` makes one")

    @classmethod
    def _from(
        cls, file: Path, document: dict[str, Any], lines: Mapping[KeyPath, int], env: str
    ) -> Project:
        shown = display(file)

        def where(path: KeyPath) -> str:
            line = next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 0)
            return f"{shown}:{line}" if line else shown

        origins = {name: where((name,)) if name in document else "default" for name in _OVERRIDABLE}
        for name in _OVERRIDABLE:
            variable = f"VERO_DELIVER_{name.upper()}"
            if variable in os.environ:
                document[name], origins[name] = os.environ[variable], variable
        try:
            settings = decode(Settings, document, where=where)
        except MessageError as error:
            raise ConfigError(str(error)) from None
        project = cls(file.parent, file, settings, env, origins)
        project._check_env(where)
        return project

    def _check_env(self, where: Any) -> None:
        if self.env != "dev" and self.env not in self.settings.env:
            hint = nearest(self.env, self.settings.env) or f"; write [env.{self.env}]"
            raise ConfigError(f"{display(self.file)}: there is no environment {self.env!r}{hint}")
        for env, carriers in self.settings.env.items():
            for content, channel in carriers.items():
                if channel != OUTBOX and channel not in self.settings.channels:
                    hint = nearest(channel, self.settings.channels)
                    place = where(("env", env, content))
                    raise ConfigError(f"{place}: there is no channel {channel!r}{hint}")

    @property
    def messages(self) -> Path:
        """The folder of messages."""
        return self.root / self.settings.messages

    def message_ids(self) -> list[str]:
        """Every message's id, sorted."""
        return message_ids(self.messages)

    def folder(self, message_id: str) -> Path:
        """The folder of one message."""
        return self.messages / message_id

    def message(self, message_id: str) -> Message:
        """One message, by id or by the path of its folder. Raises ConfigError, MessageError."""
        known = self.message_ids()
        name = message_id.strip("/")
        path = Path(message_id).absolute()
        if name not in known and path.is_relative_to(self.messages):
            name = path.relative_to(self.messages).as_posix()
        if name not in known:
            hint = nearest(name, known) or f"; there are {', '.join(known) or 'none'}"
            raise ConfigError(f"no message {message_id!r} in {display(self.messages)}/{hint}")
        return load_message(self.folder(name), root=self.messages)

    def renderer(self) -> Renderer:
        """A renderer with the project's settings."""
        settings = self.settings
        translations = self.root / settings.translations
        links = {"unsubscribe": settings.links.unsubscribe, "permalink": settings.links.permalink}
        return Renderer(
            templates=self.messages,
            translations=translations if translations.is_dir() else None,
            language=settings.language,
            from_={"email": settings.from_.email, "sms": settings.from_.sms},
            links={name: link for name, link in links.items() if link},
            undefined=settings.undefined,
            inliner=settings.inliner,
        )

    def carrier(self, content: ContentName) -> str:
        """The channel that carries a content here: "relay (smtp)", or "nothing"."""
        name = self._carriers().get(content, "")
        driver = self._table(name, content).get("driver", "") if name else ""
        return f"{name} ({driver})" if name else "nothing"

    def deliverer(self, contents: Sequence[ContentName] = get_args(ContentName)) -> Deliverer:
        """A deliverer over this environment's channels for those contents. Raises ConfigError."""
        carriers = self._carriers()
        channels = {
            content: self.channel(carriers[content], content)
            for content in contents
            if content in carriers
        }
        return Deliverer(self.renderer(), **channels)

    def channel(self, name: str, content: ContentName) -> Channel[Any]:
        """The channel of that name, constructed. Raises ConfigError naming table and key."""
        table = dict(self._table(name, content))
        place = f"{display(self.file)} [channels.{name}]"
        if "driver" not in table:
            raise ConfigError(f'{place}: which driver? write driver = "smtp"')
        driver = registry.find(str(table.pop("driver")))
        if not driver.carries(content):
            raise ConfigError(f"{place}: driver {driver.name!r} does not carry {content}")
        make = driver.load()
        arguments = self._arguments(make, table, place)
        try:
            channel: Channel[Any] = make(**arguments, name=name)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{place}: {error}") from None
        return channel

    def _carriers(self) -> Mapping[ContentName, str]:
        carriers = self.settings.env.get(self.env, {})
        if self.env != "dev":
            return carriers
        return {**dict.fromkeys(get_args(ContentName), OUTBOX), **carriers}

    def _table(self, name: str, content: ContentName) -> Mapping[str, Any]:
        if name == OUTBOX and name not in self.settings.channels:
            return {"driver": "eml" if content == "email" else "json", "folder": OUTBOX}
        return self.settings.channels[name]

    def _arguments(self, make: type[Any], table: Mapping[str, Any], place: str) -> dict[str, Any]:
        known = set(inspect.signature(make).parameters) - {"name"}
        hints = get_type_hints(make.__init__)
        for key in table:
            if key not in known:
                hint = nearest(key, known) or f"; known: {', '.join(sorted(known))}"
                raise ConfigError(f"{place}: unknown key {key!r}{hint}")
        return {
            key: self._argument(value, hints.get(key), f"{place} {key}")
            for key, value in table.items()
        }

    def _argument(self, value: Any, hint: Any, place: str) -> Any:
        """References resolved; paths made relative to the project."""
        accepts = get_args(hint)
        if is_reference(value):
            secret = resolve(value, self.root, place)
            return secret if Secret in accepts else secret.reveal()
        if Secret in accepts and isinstance(value, str) and value:
            raise ConfigError(
                f'{place}: secrets do not belong in this file; write {{ env = "NAME" }}, '
                '{ file = "path" } or { cmd = "command" }'
            )
        if Path in accepts and isinstance(value, str):
            return self.root / value
        return value


def _read(path: Path, table: Sequence[str]) -> tuple[dict[str, Any], Mapping[KeyPath, int]] | None:
    """The project's table in that file and the lines of its keys; None where there is none."""
    if not path.is_file():
        return None
    try:
        text = read_text(path, display(path))
        document = parse_toml(text, display(path))
    except ReadError as error:
        raise ConfigError(str(error)) from None
    for name in table:
        if name not in document:
            return None
        document = document[name]
    depth = len(table)
    prefix: KeyPath = tuple(table)
    lines = toml_lines(text)
    return document, {key[depth:]: line for key, line in lines.items() if key[:depth] == prefix}
