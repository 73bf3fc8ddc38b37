"""One message for many users, in order: here, or in several processes."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from vero_deliver.errors import ConfigError, DataError, MessageError, RenderError
from vero_deliver.keys import delivery_key, derive_key
from vero_deliver.message import Message
from vero_deliver.mime.signer import Signer
from vero_deliver.plain import kind_of
from vero_deliver.render.crew import Chunk, Crew
from vero_deliver.render.given import check_about, check_call
from vero_deliver.render.plan import Given, Plan
from vero_deliver.rendered import ContentName, Rendered, RenderedEmail, Skipped
from vero_deliver.user import User

if TYPE_CHECKING:
    from vero_deliver.render.renderer import About, Renderer

Result = Rendered | Skipped | RenderError
CHUNK = 18  # users that a process is given at a time: three frames of results
BETWEEN = 6  # users rendered here between two looks at what the other processes have done
WINDOW = 72  # users that are taken ahead for each process


@dataclass(frozen=True, slots=True)
class Made:
    """What render_many made for one user.

    key: of the delivery, as Deliverer gives it. rendered: or why there is nothing to send.
    """

    user: User
    key: str
    rendered: Result


class Batch:
    """One content of one message, for whoever comes: what all of its users share. Pickles.

    signers: None leaves the bytes of emails to be built later.
    about: the common part of what the renderings are about; a user's own goes over it.
    """

    def __init__(
        self,
        renderer: Renderer,
        plan: Plan,
        content: ContentName,
        signers: Sequence[Signer] | None,
        about: About,
    ) -> None:
        self.renderer, self.plan = renderer, plan
        self.content: ContentName = content
        self.signers = None if signers is None else tuple(signers)
        self.about = about
        self._given = self._known()

    def one(self, user: User, own: About, now: datetime) -> tuple[str, Result]:
        """The delivery's key, and the rendered or why there is none. Raises MessageError."""
        about: About = {"now": now, **self.about, **own}
        try:
            key = delivery_key(about.get("key") or self._derived(user, about), self.content)
        except DataError as error:
            return delivery_key(self._derived(user, {}), self.content), error
        about["key"] = key
        shares = own.keys().isdisjoint(("data", "event", "campaign"))
        given = self._given if shares else None
        try:
            rendered = self.renderer.compose(self.plan, user, self.content, about, given)
        except RenderError as error:
            return key, error
        if self.signers is None:
            return key, rendered
        return key, fit_to_send(rendered, key, self.signers)

    def _known(self) -> Given | None:
        try:
            return self.plan.given(self.about)
        except DataError:
            return None  # each user's rendering says so

    def _derived(self, user: User, about: About) -> str:
        if not isinstance(user.id or user.email or user.phone, str):
            user = User()  # rendering says so
        return derive_key(
            self.plan.message,
            user,
            data=about.get("data"),
            event=about.get("event"),
            campaign=about.get("campaign"),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        message = self.plan.message
        return _batch, (self.renderer, message, self.content, self.signers, self.about)


def _batch(
    renderer: Renderer, message: Message, content: ContentName, signers: Any, about: About
) -> Batch:
    return Batch(renderer, renderer.plan(message, content), content, signers, about)


def fit_to_send(
    rendered: Rendered | Skipped, key: str, signers: Sequence[Signer] = ()
) -> Rendered | Skipped | RenderError:
    """The rendered, unless this user's values make no valid MIME; an email has its bytes then."""
    if isinstance(rendered, RenderedEmail):
        try:
            rendered.signature(key, signers)
        except MessageError as error:
            return RenderError(error.detail, where=error.where)
    return rendered


def check_batch(
    message: Any, content: str, signers: Any, processes: Any, window: Any, about: Mapping[str, Any]
) -> None:
    """Raise TypeError or ConfigError where the call itself is wrong, whoever the users are."""
    check_call(message, User(), about)
    if about.get("key"):
        words = "key: names one user's delivery; give it with the user: (user, {'key': ...})"
        raise TypeError(words)
    if any(not isinstance(signer, Signer) for signer in signers or ()):
        raise TypeError("signers: expected a list of vero_deliver.mime.Signer")
    if signers and content != "email":
        raise TypeError(f"signers: only an email is signed, and this is {content}")
    for name, number in (("processes", processes), ("window", window)):
        if number is not None and (type(number) is not int or number < 1):
            raise ConfigError(f"{name}: expected a whole number, 1 or more")


def pairs(users: Iterable[Any]) -> Iterator[tuple[User, About]]:
    """Each user with what the rendering is about. Raises TypeError for what is neither."""
    for number, each in enumerate(users, 1):
        if isinstance(each, User):
            yield each, {}
            continue
        user, about = each if isinstance(each, tuple) and len(each) == 2 else (each, {})
        if not isinstance(user, User) or not isinstance(about, dict):
            raise TypeError(
                f"users: number {number} is {kind_of(each)}; expected a User, or a pair of a User "
                "and a dict such as {'data': ..., 'key': ...}"
            )
        check_about(about)
        yield user, cast("About", about)


def one_by_one(batch: Batch, users: Iterable[Any]) -> Generator[Made, None, None]:
    """Each user's result as it is asked for."""
    for user, own in pairs(users):
        yield Made(user, *batch.one(user, own, datetime.now(UTC)))


class Ahead:
    """The users taken from the caller and not given back yet, at most `window` of them."""

    def __init__(self, users: Iterable[Any], window: int, chunk: int) -> None:
        self._users = pairs(users)
        self._most, self._chunk = max(1, window // chunk), chunk
        self._error: Exception | None = None
        self._is_open = True
        self.chunks: deque[Chunk] = deque()
        self.waiting: deque[Chunk] = deque()  # those of them that no process has

    def fill(self) -> bool:
        """Take users until there are as many as may be; whether there are any."""
        while self._is_open and len(self.chunks) < self._most:
            taken: list[tuple[User, Any]] = []
            try:
                for pair in islice(self._users, self._chunk):
                    taken.append(pair)  # noqa: PERF402  # those before an error count
            except Exception as error:  # noqa: BLE001  # the caller's own, raised in its place
                self._error = error
            self._is_open = len(taken) == self._chunk
            if taken:
                self.chunks.append(Chunk(taken, datetime.now(UTC)))
                self.waiting.append(self.chunks[-1])
        return bool(self.chunks)

    def take_back(self, lost: Sequence[Chunk]) -> None:
        """Chunks that a worker did not finish wait again, each in its place."""
        if not lost:
            return
        again = {id(chunk) for chunk in (*lost, *self.waiting)}
        self.waiting = deque(chunk for chunk in self.chunks if id(chunk) in again)

    @property
    def has_results(self) -> bool:
        """Whether results() gives any, or raises."""
        head = self.chunks[0]
        return head.given < len(head.results) or head.is_done

    def results(self) -> Iterator[Made]:
        """What is next for the caller, as far as it is known."""
        head = self.chunks[0]
        while head.given < len(head.results):
            user, _ = head.users[head.given]
            yield Made(user, *head.results[head.given])
            head.given += 1
        if head.error is not None:
            raise head.error
        if head.is_done:
            self.chunks.popleft()

    def end(self) -> None:
        """Raise what the caller's iterable raised, if it did."""
        if self._error is not None:
            raise self._error


def in_processes(
    batch: Batch, users: Iterable[Any], processes: int, window: int
) -> Generator[Made, None, None]:
    """As one_by_one, in several processes, this one being one of them."""
    setup = _pickled(batch)
    ahead = Ahead(users, window, min(CHUNK, max(1, window // (2 * processes))))
    mine: Chunk | None = None
    with Crew(setup, processes - 1) as crew:
        while ahead.fill():
            if mine is None or mine.is_done or len(mine.results) % BETWEEN == 0:
                ahead.take_back(crew.exchange(ahead.waiting))
            if ahead.has_results:
                yield from ahead.results()
            if mine is None or mine.is_done:
                mine = ahead.waiting.popleft() if ahead.waiting else None
            if mine is not None:
                _render_next(batch, mine)
            elif ahead.chunks and not ahead.chunks[0].is_done:
                ahead.take_back(crew.exchange(ahead.waiting, wait=True))
    ahead.end()


def _render_next(batch: Batch, chunk: Chunk) -> None:
    user, own = chunk.users[len(chunk.results)]
    try:
        chunk.results.append(batch.one(user, own, chunk.now))
    except Exception as error:  # noqa: BLE001  # raised once the results before it are given
        chunk.error = error


def _pickled(batch: Batch) -> bytes:
    """What workers begin with. Raises ConfigError that names what they cannot be given."""
    with suppress(Exception):
        return pickle.dumps(batch, 5)
    parts = {"renderer": batch.renderer, "message": batch.plan.message, "signers": batch.signers}
    for name, part in (*parts.items(), *batch.about.items()):
        try:
            pickle.dumps(part, 5)
        except Exception as error:  # noqa: BLE001  # whatever the caller's own objects raise
            words = f"processes: {name} cannot be pickled, as other processes need: {error}"
            raise ConfigError(f"{words}; use processes=1") from None
    raise ConfigError("processes: what the renderings share cannot be pickled; use processes=1")
