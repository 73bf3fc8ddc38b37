"""The project: settings, messages and channels of one folder, seen from one environment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from vero_deliver.audience import Recipient, read_recipients
from vero_deliver.audience.query import PREFIX, Query
from vero_deliver.channel import Channel
from vero_deliver.config import CAPTURED, FILE, Config, Settings, find
from vero_deliver.construct import construct, construct_reader, domains_of, make_domain
from vero_deliver.construct_route import Shared, construct_route
from vero_deliver.construct_tracking import construct_tracking
from vero_deliver.deliver import Deliverer
from vero_deliver.errors import ConfigError
from vero_deliver.loader import load_message, message_ids
from vero_deliver.message import Message
from vero_deliver.mime import Domain, Domains
from vero_deliver.plain import nearest
from vero_deliver.reading import display
from vero_deliver.references import check_reference, resolve
from vero_deliver.render import Renderer
from vero_deliver.rendered import ContentName, RenderedPush
from vero_deliver.secret import Secret
from vero_deliver.tracking import Tracking

if TYPE_CHECKING:
    from vero_channels.transport.webhooks import Reader
    from vero_deliver.outbox.store import Outbox

_Made = dict[tuple[str, ContentName], Channel[Any]]


@dataclass(frozen=True, slots=True)
class Project:
    """One project on disk. The environment decides which channel carries each content."""

    config: Config
    env: str

    @classmethod
    def find(cls, start: str | Path = ".", *, env: str = "dev") -> Project:
        """The nearest project from `start` upward. Raises ConfigError where there is none."""
        if not Path(start).is_dir():
            raise ConfigError(f"{start} is no folder")
        config = find(start)
        if config is None:
            raise ConfigError(f"no {FILE} here or above; `vero-deliver init` makes one")
        known = config.settings.env
        if env != "dev" and env not in known:
            hint = nearest(env, known) or f"; write [env.{env}]"
            raise ConfigError(f"{display(config.file)}: there is no environment {env!r}{hint}")
        return cls(config, env)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.config.file.parent

    @property
    def settings(self) -> Settings:
        """What the project's file and VERO_DELIVER_* say."""
        return self.config.settings

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
            raise ConfigError(
                f"no message {message_id!r} in {display(self.messages)}/{self._near(name, known)}"
            )
        return load_message(self.folder(name), root=self.messages)

    def _near(self, name: str, known: Sequence[str]) -> str:
        """What somebody may have meant by the name of a message that is not there."""
        below = [other for other in known if other.startswith(f"{name}/")]
        if below:
            return f"; below it there is {', '.join(below)}"
        folder = Path(os.path.normpath(self.folder(name)))
        files = _names_in(folder) if self.messages in folder.parents else None
        if files is not None:
            shown = display(folder)
            near = get_close_matches("message.toml", files, n=1, cutoff=0.7)
            hint = f"; rename {shown}/{near[0]}" if near else ""
            return f": {shown}/ has no message.toml{hint}"
        return nearest(name, known) or f"; there are {', '.join(known) or 'none'}"

    def renderer(self) -> Renderer:
        """A renderer with the project's settings."""
        settings = self.settings
        translations = self.root / settings.translations
        links = {"unsubscribe": settings.links.unsubscribe, "permalink": settings.links.permalink}
        return Renderer(
            templates=self.messages,
            translations=translations if translations.is_dir() else None,
            language=settings.language,
            region=settings.region,
            from_={"email": settings.from_.email, "sms": settings.from_.sms},
            links={name: link for name, link in links.items() if link},
            tracking=self.tracking(),
            undefined=settings.undefined,
            inliner=settings.inliner,
        )

    def tracking(self) -> Tracking | None:
        """Whose links emails have; None where there is no [tracking]. Raises ConfigError."""
        table = self.settings.tracking
        if table is None:
            return None
        about: dict[str, Any] = {"root": self.root, "where": self.config.where}
        return construct_tracking(table, self.env, **about)

    def carrier(self, content: ContentName) -> str:
        """What carries a content here: "relay (smtp)", "bulk (failover: a, b)", or "nothing"."""
        name = self._carriers().get(content, "")
        if name in self.settings.routes:
            return f"{name} ({self.settings.routes[name]})"
        driver = self._table(name, content).get("driver", "") if name else ""
        return f"{name} ({driver})" if name else "nothing"

    def deliverer(self, contents: Sequence[ContentName] = get_args(ContentName)) -> Deliverer:
        """A deliverer over this environment's channels for those contents. Raises ConfigError."""
        carriers = self._carriers()
        outbox = self.outbox()
        shared = Shared()
        if outbox is not None:
            from vero_deliver.outbox.health import SharedCircuits
            from vero_deliver.outbox.quotas import SharedQuotas
            from vero_deliver.outbox.warm_up import SharedWarmUp

            shared = Shared(
                SharedCircuits(outbox=outbox),
                SharedQuotas(outbox=outbox),
                partial(SharedWarmUp, outbox),
            )
        made: _Made = {}
        channels: dict[Any, Any] = {
            content: self._channel(carriers[content], content, made, shared)
            for content in contents
            if content in carriers
        }
        if outbox is None or self.settings.outbox is None:
            return Deliverer(self.renderer(), **channels)
        from vero_deliver.construct_outbox import construct_policy

        policy = construct_policy(self.settings.outbox, where=self.config.where)
        return Deliverer(self.renderer(), outbox=outbox, policy=policy, **channels)

    def recipients(
        self, source: str | Path, *, declared: Mapping[str, Any] | None = None
    ) -> Iterator[Recipient]:
        """Those of a file, of "-" for standard input, or of "query:NAME" for [queries.NAME].

        declared: the message's [data]. Raises ConfigError with place.
        """
        name = str(source)
        if not name.startswith(PREFIX):
            return read_recipients(source if name == "-" else Path(source), declared=declared)
        return self._query(name.removeprefix(PREFIX)).recipients(declared or {})

    def _query(self, name: str) -> Query:
        tables = self.settings.queries
        if name not in tables:
            hint = nearest(name, tables) or f"; there are {', '.join(tables) or 'none'}"
            raise ConfigError(f"{display(self.config.file)}: there is no query {name!r}{hint}")
        table, place = tables[name], self.config.where(("queries", name))
        if (table.url is None) is not bool(table.file):
            raise ConfigError(f"{place}: queries.{name}: give file or url")
        if table.url is None:
            # read only: a query that is looked at must change nothing, nor make the file
            path = (self.root / table.file).absolute()
            return Query(name, table.sql, f"sqlite:///{path.as_uri()}?mode=ro&uri=true")
        if wrong := check_reference(table.url):
            raise ConfigError(f"{place}: queries.{name}.url: {wrong}")
        return Query(name, table.sql, resolve(table.url, self.root, f"{place}: queries.{name}.url"))

    def outbox(self) -> Outbox | None:
        """The outbox of this environment; None where the settings have no [outbox].

        A file of SQLite is made, or brought up to date, here. Raises ConfigError, OutboxError.
        """
        table = self.settings.outbox
        if table is None:
            return None
        from vero_deliver.construct_outbox import construct_outbox  # slow to import, and an extra

        return construct_outbox(table, self.env, root=self.root, where=self.config.where)

    def feedback_readers(self) -> dict[str, Reader]:
        """What reads each provider's posts, by the name of its table [feedback.NAME].

        Raises ConfigError naming table and key.
        """
        return {name: self.feedback_reader(name) for name in self.settings.feedback}

    def feedback_reader(self, name: str) -> Reader:
        """What reads the posts of [feedback.NAME]. Raises ConfigError naming table and key."""
        table, where = self.settings.feedback[name], self.config.where
        reader: Reader = construct_reader(name, table, root=self.root, where=where)
        return reader

    def channel(self, name: str, content: ContentName) -> Channel[Any]:
        """The channel or route of that name, made. Raises ConfigError naming table and key."""
        return self._channel(name, content, {})

    def first_channel(self, content: ContentName) -> Channel[Any] | None:
        """The channel that carries a content here; of a route, the first that it leads to."""
        name = self._carriers().get(content, "")
        while name in self.settings.routes:
            name = next(iter(self.settings.routes[name].members.values()))
        return self.channel(name, content) if name else None

    def _channel(
        self, name: str, content: ContentName, made: _Made, shared: Shared | None = None
    ) -> Channel[Any]:
        """One object for a name, so that what two routes share is throttled as one."""
        if (name, content) not in made:
            made[name, content] = self._make(name, content, made, shared)
        return made[name, content]

    def _make(
        self, name: str, content: ContentName, made: _Made, shared: Shared | None
    ) -> Channel[Any]:
        routes = self.settings.routes
        if name not in routes:
            objects = {"warm_up_store": shared.warm_up(name)} if shared and shared.warm_up else {}
            table = self._table(name, content)
            return construct(name, table, content, **self._about(), objects=objects)

        def member(other: str) -> Channel[Any]:
            return self._channel(other, content, made, shared)

        return construct_route(
            name, routes[name], content, where=self.config.where, member=member, shared=shared
        )

    def domain(self, name: str) -> Domain:
        """The sending domain of that name. Raises ConfigError naming table and key."""
        tables = self.settings.domains
        if name not in tables:
            hint = nearest(name, tables) or f"; there are {', '.join(tables) or 'none'}"
            raise ConfigError(f"{display(self.config.file)}: there is no domain {name!r}{hint}")
        return make_domain(name, tables[name], root=self.root, where=self.config.where)

    def return_path_secrets(self) -> list[Secret]:
        """What the sending domains sign their return paths with. Raises ConfigError."""
        domains = [self.domain(name) for name in self.settings.domains]
        return [domain.return_path_secret for domain in domains if domain.return_path]

    def email_domains(self) -> Domains:
        """Who signs emails here: the sending domains of this environment's channel for email.

        Of a route it is the first channel: the one that carries them while all is well.
        """
        name = self._carriers().get("email")
        if name is None or not self.settings.domains:
            return Domains()
        while name in self.settings.routes:
            name = next(iter(self.settings.routes[name].members.values()))
        return Domains(domains_of(name, self._table(name, "email"), "email", **self._about()))

    def push_settings(self, push: RenderedPush) -> Mapping[str, Any]:
        """The table of the channel that carries it here, secrets as references; empty for none."""
        name = self._carriers().get("push", "")
        while name in self.settings.routes:
            route = self.settings.routes[name]
            if route.platforms:
                name = route.platforms.get(push.device.platform, "") if push.device else ""
            else:
                name = next(iter(route.members.values()))
        return self._table(name, "push") if name else {}

    def _about(self) -> dict[str, Any]:
        domains = self.settings.domains
        return {"root": self.root, "where": self.config.where, "domains": domains}

    def _carriers(self) -> Mapping[ContentName, str]:
        carriers = self.settings.env.get(self.env, {})
        if self.env != "dev":
            return carriers
        return {**dict.fromkeys(get_args(ContentName), CAPTURED), **carriers}

    def _table(self, name: str, content: ContentName) -> Mapping[str, Any]:
        if name == CAPTURED and name not in self.settings.channels:
            return {"driver": "eml" if content == "email" else "json", "folder": CAPTURED}
        channels = self.settings.channels
        if name not in channels:
            known = [*channels, *self.settings.routes]
            hint = nearest(name, known) or f"; there are {', '.join(known) or 'none'}"
            raise ConfigError(f"{display(self.config.file)}: there is no channel {name!r}{hint}")
        return channels[name]


def _names_in(folder: Path) -> list[str] | None:
    """The names in a folder; None where it is none, or no name of one."""
    try:
        return [entry.name for entry in folder.iterdir()]
    except (OSError, ValueError):
        return None
