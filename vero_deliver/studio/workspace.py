"""The project as it is on disk now: read again when one of its files has changed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar, cast

from vero_deliver.audience.query import PREFIX
from vero_deliver.check import Report, check
from vero_deliver.config import CAPTURED, FILE
from vero_deliver.deliver import Deliverer
from vero_deliver.errors import ConfigError, VeroDeliverError
from vero_deliver.message import Message
from vero_deliver.mime import Domains
from vero_deliver.project import Project
from vero_deliver.studio.live import Places
from vero_deliver.studio.made import Made, make
from vero_deliver.studio.people import Person, people

_KEPT: Final = 64  # renderings, lists of people and the like

T = TypeVar("T")
Signature = tuple[tuple[str, int, int], ...]


class Reading:
    """One state of the files. What is asked for twice is made once; threads may share it."""

    def __init__(self, project: Project, signature: Signature, sources: Sequence[Path]) -> None:
        self.project = project
        self.signature = signature
        self.sources: dict[str, str | Path] = {source.name: source for source in sources}
        self.sources |= {PREFIX + name: PREFIX + name for name in project.settings.queries}
        self.deliverer = Deliverer(project.renderer())
        self.domains, self.unsigned = self._signers()
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def folders(self) -> tuple[Path, ...]:
        """What may be quoted of: the project, and its messages where they are elsewhere."""
        return (self.project.root, self.project.messages)

    def message(self, name: str) -> Message:
        """One message. Raises ConfigError, MessageError."""
        return self.once(("message", name), lambda: self.project.message(name))

    def people(self, message: Message, source: str) -> list[Person]:
        """The recipients of a source. Raises ConfigError."""
        path = self.sources.get(source)
        return self.once(
            ("people", message.id, source), lambda: people(self.project, message, path)
        )

    def made(self, message: Message, person: Person, at: datetime, source: str = "") -> Made:
        """What a person gets. Raises MessageError."""
        return self.once(
            ("made", message.id, source, person.id, at),
            lambda: make(self.deliverer, message, person, at, self.domains),
        )

    def report(self, message: str) -> Report:
        """What the lints find in a message. Raises ConfigError."""
        return self.once(("report", message), lambda: check(self.project, [message]))

    def once(self, name: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, from the first time on; names are tuples that begin with a kind."""
        with self._lock:
            kept = self._kept.setdefault(name, _Kept())
            self._kept.move_to_end(name)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        with kept.lock:  # who asks for the same waits, who asks for something else does not
            if not kept.values:
                kept.values.append(make())
            return cast(T, kept.values[0])

    def _signers(self) -> tuple[Domains, str]:
        """Who signs; nobody, and why, where this machine has not got the keys."""
        try:
            return self.project.email_domains(), ""
        except ConfigError as error:
            return Domains(), str(error)


class _Kept:
    """A value that is there, or is being made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.values: list[object] = []


def captured(project: Project) -> Path:
    """The folder that the environment dev "sends" to; of a project that names another, that one."""
    table = project.settings.channels.get(CAPTURED, {})
    return project.root / str(table.get("folder", CAPTURED))


class Workspace:
    """The project that stands at, or above, a folder, seen from one environment.

    sources: files of recipients that are offered beside the samples.
    """

    def __init__(self, start: Path, *, env: str = "dev", sources: Sequence[Path] = ()) -> None:
        self.start, self.env, self.sources = start, env, tuple(sources)
        self._lock = threading.Lock()
        self._reading: Reading | None = None

    def read(self) -> Reading:
        """The project as its files are. Raises ConfigError where it cannot be read."""
        with self._lock:
            if self._reading is None or self._reading.signature != self._signature():
                project = Project.find(self.start, env=self.env)
                self._reading = Reading(project, _signature(project, self.sources), self.sources)
            return self._reading

    @property
    def title(self) -> str:
        """The name of the project's folder."""
        return self.root.name

    @property
    def root(self) -> Path:
        """The project's folder, also where its settings are broken."""
        if self._reading is not None:
            return self._reading.project.root
        first = self.start.absolute()
        for folder in (first, *first.parents):
            if (folder / FILE).is_file():
                return folder
        return first

    def places(self) -> Places:
        """The folders that pages depend on, as far as they are there."""
        try:
            project = self.read().project
        except VeroDeliverError:
            deep = {self.root / "messages"}
        else:
            translations = project.root / project.settings.translations
            deep = {project.messages, translations, captured(project)}
        flat = {self.root, *(source.absolute().parent for source in self.sources)}
        return Places(
            frozenset(folder for folder in deep if folder.is_dir()),
            frozenset(folder for folder in flat if folder.is_dir()),
        )

    def _signature(self) -> Signature:
        assert self._reading is not None  # noqa: S101  # read() has looked
        return _signature(self._reading.project, self.sources)


def _signature(project: Project, sources: Sequence[Path]) -> Signature:
    """Name, time and size of every file that a rendering depends on."""
    translations = project.root / project.settings.translations
    found: list[tuple[str, int, int]] = []
    for file in (project.config.file, *sources, *_below(project.messages), *_below(translations)):
        try:
            status = file.stat()
        except OSError:
            continue
        found.append((str(file), status.st_mtime_ns, status.st_size))
    return tuple(found)


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if not path.is_dir())
