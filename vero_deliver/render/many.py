"""One message for many users: a stream of results in the users' order, on as many cores as asked.

Rendering is pure, so whatever a worker process cannot do, the parent does itself: a worker that is
killed, or data that does not pickle, costs time and no result.
"""

from __future__ import annotations

import multiprocessing
import pickle
import queue
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from vero_deliver.errors import DataError, MessageError, RenderError
from vero_deliver.keys import delivery_key, derive_key
from vero_deliver.message import Message
from vero_deliver.mime.signer import Signer
from vero_deliver.rendered import ContentName, Rendered, RenderedEmail, Skipped
from vero_deliver.user import User

if TYPE_CHECKING:
    from vero_deliver.render.renderer import About, Renderer

    Job = User | tuple[User, About]

_CHUNK = 64  # users that a process takes at once
_AHEAD = 2  # chunks that wait at a worker, so that it never waits
_FAREWELL = 5.0  # seconds that a worker gets to end by itself

Outcome = Rendered | Skipped | RenderError


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one user: the content, or why there is none. key: of the delivery."""

    user: User
    key: str
    rendered: Outcome


@dataclass(frozen=True, slots=True)
class Task:
    """What is made for every user. signers: None leaves the MIME bytes to be built later."""

    renderer: Renderer
    message: Message
    content: ContentName
    about: About
    signers: Sequence[Signer] | None

    def made(self, job: Job) -> Made:
        """One user's result. Raises MessageError where the message is broken for everybody."""
        user, own = (job, {}) if isinstance(job, User) else job
        about: About = {**self.about, **own}
        key, wrong = self._key(user, about)
        if wrong:
            return Made(user, key, wrong)
        about["key"] = key
        try:
            rendered = self.renderer.render(self.message, user, self.content, **about)
        except RenderError as error:
            return Made(user, key, error)
        if self.signers is not None and isinstance(rendered, RenderedEmail):
            try:
                rendered.signed(key, self.signers)
            except MessageError as error:  # this user's values make no valid MIME
                return Made(user, key, RenderError(error.detail, where=error.where))
        return Made(user, key, rendered)

    def _key(self, user: User, about: About) -> tuple[str, DataError | None]:
        base, wrong = about.get("key", ""), None
        if not base:
            try:
                base = derive_key(
                    self.message,
                    user,
                    data=about.get("data"),
                    event=about.get("event"),
                    campaign=about.get("campaign"),
                )
            except DataError as error:
                base, wrong = derive_key(self.message, user), error
        return delivery_key(base, self.content), wrong


def render_many(task: Task, jobs: Iterable[Job], processes: int) -> Iterator[Made]:
    """The results, in order, as they are asked for; processes: of which this is one."""
    if processes == 1:
        yield from map(task.made, jobs)
        return
    team = _Team(task, jobs, processes - 1)
    try:
        yield from team.results()
    finally:
        team.dismiss()


@dataclass(slots=True)
class _Worker:
    process: Any
    pipe: Connection
    waiting: int = 0  # chunks that it has not answered
    alive: bool = True


@dataclass(slots=True)
class _Slot:
    """A chunk on its way. made: its results, once they are there."""

    jobs: list[Job]
    worker: _Worker | None = None
    made: list[Made] | None = None


@dataclass(slots=True)
class _Team:
    """This process and its workers. The oldest slot is handed on first, so order is kept."""

    task: Task
    jobs: Iterable[Job]
    count: int
    workers: list[_Worker] = field(default_factory=list)
    slots: deque[_Slot] = field(default_factory=deque)
    error: BaseException | None = None  # of the caller's iterable, raised in its turn
    _source: Iterator[Job] = field(init=False)

    def results(self) -> Iterator[Made]:
        self._source = iter(self.jobs)
        first = self._chunk()
        if len(first) == _CHUNK:  # fewer are done before a worker has started
            self.workers = [_hire(self.task) for _ in range(self.count)]
        while first or self.slots:
            if first:
                self.slots.append(_Slot(first))
            self._hand_out()
            slot = self.slots[0]
            if slot.worker is None and slot.made is None:
                self.slots.popleft()
                yield from map(self.task.made, slot.jobs)
            elif slot.made is not None or self._is_ready(slot) or not self._work_ahead():
                self.slots.popleft()
                yield from self._answer(slot)
            first = [] if self.slots else self._chunk()
        if self.error:
            raise self.error

    def dismiss(self) -> None:
        """End the workers, whatever they are at."""
        for worker in self.workers:
            worker.pipe.close()
        for worker in self.workers:
            worker.process.join(_FAREWELL if worker.waiting == 0 else 0.1)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()

    def _chunk(self) -> list[Job]:
        """The next users; fewer than _CHUNK only at the end."""
        found: list[Job] = []
        if self.error is None:
            try:
                found.extend(islice(self._source, _CHUNK))
            except BaseException as error:  # noqa: BLE001  # raised after the results before it
                self.error = error
        return found

    def _hand_out(self) -> None:
        for worker in self.workers:
            while worker.alive and worker.waiting < _AHEAD:
                jobs = self._chunk()
                if not jobs:
                    return
                self.slots.append(self._given(jobs, worker))

    def _given(self, jobs: list[Job], worker: _Worker) -> _Slot:
        try:
            worker.pipe.send_bytes(pickle.dumps(jobs, 5))
        except OSError:
            worker.alive = False
        except (pickle.PicklingError, TypeError, AttributeError, RecursionError, ValueError):
            pass  # data that only this process can hold
        else:
            worker.waiting += 1
            return _Slot(jobs, worker)
        return _Slot(jobs)

    def _is_ready(self, slot: _Slot) -> bool:
        try:
            return slot.worker is None or slot.worker.pipe.poll()
        except OSError:
            return True  # and reading it fails

    def _work_ahead(self) -> bool:
        """Do the first chunk that nobody does, or take another one; False where all are done."""
        for slot in self.slots:
            if slot.worker is None and slot.made is None:
                slot.made = [self.task.made(job) for job in slot.jobs]
                return True
        if len(self.slots) >= _AHEAD * (len(self.workers) + 2):
            return False
        jobs = self._chunk()
        if jobs:
            self.slots.append(_Slot(jobs, made=[self.task.made(job) for job in jobs]))
        return bool(jobs)

    def _answer(self, slot: _Slot) -> Iterator[Made]:
        """A slot's results; what a worker did not do is done here."""
        if slot.made is not None:
            yield from slot.made
            return
        answer: list[tuple[str, Outcome]] | None = None
        if slot.worker:
            slot.worker.waiting -= 1
            try:
                answer = pickle.loads(slot.worker.pipe.recv_bytes())  # noqa: S301  # our own
            except (OSError, EOFError):
                slot.worker.alive = False
        if answer is None:
            yield from map(self.task.made, slot.jobs)
            return
        self._hand_out()  # before this chunk's results are used up
        for job, (key, outcome) in zip(slot.jobs, answer, strict=True):
            yield Made(job if isinstance(job, User) else job[0], key, outcome)


def _hire(task: Task) -> _Worker:
    context = multiprocessing.get_context("spawn")  # safe beside threads, the same everywhere
    ours, its = context.Pipe()
    process = context.Process(target=_work, args=(its, task), daemon=True)
    process.start()
    its.close()
    return _Worker(process, ours)


def _work(pipe: Connection, task: Task) -> None:
    """A worker: chunks in, answers out, until the pipe is closed; None for what it cannot do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its workers
    chunks: queue.Queue[bytes | None] = queue.Queue()
    # read at once: parent and worker must never both wait for the other to read
    threading.Thread(target=_read, args=(pipe, chunks), daemon=True).start()
    while (chunk := chunks.get()) is not None:
        answer = None
        with suppress(Exception):  # the parent meets it again, in its place
            made = [task.made(job) for job in pickle.loads(chunk)]  # noqa: S301  # our own
            answer = pickle.dumps([(one.key, one.rendered) for one in made], 5)
        try:
            pipe.send_bytes(answer or pickle.dumps(None))
        except OSError:
            return


def _read(pipe: Connection, chunks: queue.Queue[bytes | None]) -> None:
    with suppress(OSError, EOFError):
        while True:
            chunks.put(pipe.recv_bytes())
    chunks.put(None)
