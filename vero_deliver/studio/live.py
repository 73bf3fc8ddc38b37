"""Tells open pages that a file has changed, as server-sent events."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchfiles import Change, DefaultFilter, awatch

_DEBOUNCE: Final = 60  # milliseconds in which changes count as one
_OF_DATABASES: Final = (".db", "-wal", "-shm", "-journal")
_HEARTBEAT: Final = 15.0  # seconds after which a silent page hears that we are there


@dataclass(frozen=True, slots=True)
class Places:
    """Folders to watch: `deep` with all that is below, of `flat` only the files in them."""

    deep: frozenset[Path]
    flat: frozenset[Path]


class Live:
    """One watcher for all pages. version: differs whenever something was saved since."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(4)  # a page of an earlier run is old
        self._count = 0
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()
        self._again = asyncio.Event()

    @property
    def version(self) -> str:
        """Of the files: what a page was made of, and what it would be made of now."""
        return f"{self._run}-{self._count}"

    def stop(self) -> None:
        """End watching and every stream of events. Idempotent; for the loop's own thread."""
        self._stop.set()
        self._again.set()
        self._wake()

    async def watch(self, places: Callable[[], Places]) -> None:
        """Until stopped. places: asked again after each change, as folders come and go."""
        first = True
        while not self._stop.is_set():
            found = places()
            self._again = asyncio.Event()
            try:
                async with asyncio.TaskGroup() as group:
                    for folders, deep in ((found.deep, True), (found.flat, False)):
                        if folders:
                            group.create_task(self._watch(folders, places, found, deep=deep))
                    if not first:  # what was saved in a new folder before it was watched
                        await asyncio.sleep(_DEBOUNCE / 1000)
                        self._changed_now()
                    first = False
            except* OSError:  # a folder went while it was being watched
                await asyncio.sleep(_DEBOUNCE / 1000)

    async def _watch(
        self, folders: frozenset[Path], places: Callable[[], Places], found: Places, *, deep: bool
    ) -> None:
        async for _ in awatch(
            *folders,
            watch_filter=_Ours(),
            debounce=_DEBOUNCE,
            step=20,
            stop_event=self._again,
            recursive=deep,
        ):
            self._changed_now()
            if places() != found:
                self._again.set()

    async def events(self) -> AsyncIterator[str]:
        """The stream of one page: the version when it opens, and whenever it changes."""
        yield "retry: 400\n\n"
        told = ""
        while not self._stop.is_set():
            changed = self._changed
            if told != self.version:
                told = self.version
                yield f"event: version\ndata: {told}\n\n"
                continue
            try:
                await asyncio.wait_for(changed.wait(), _HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"

    def _changed_now(self) -> None:
        self._count += 1
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class _Ours(DefaultFilter):
    """Files that people write: not those of a database or an editor."""

    def __call__(self, change: Change, path: str) -> bool:
        name = Path(path).name
        if name.startswith(("outbox.db", ".#")) or name.endswith(
            (".db-wal", ".db-shm", "-journal")
        ):
            return False
        return super().__call__(change, path)
