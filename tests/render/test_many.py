"""render_many: what render() gives, for many users, in order, from however many processes."""

from __future__ import annotations

import base64
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from types import ModuleType
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from making import NOW

from vero_deliver import Deliverer, Email, Http, Made, Message, Push, Renderer, Sms, User
from vero_deliver.errors import ConfigError, DataError, MessageError, RenderError
from vero_deliver.mime import Signer
from vero_deliver.rendered import ContentName, RenderedEmail, Skipped

PROCESSES = pytest.mark.parametrize("processes", [1, 2])
LINUX = pytest.mark.skipif(not Path("/proc").exists(), reason="children are looked up in /proc")
untyped: Any = Renderer()  # for calls that a type checker would refuse
KEY = generate_private_key(65537, 2048)
SIGNER = Signer("example.com", "v1", KEY)

NEWS = Message(
    title="News",
    email=Email(from_="shop@example.com", subject="Hi {{ user.id }}", text="{{ x }} {{ place }}"),
    push=Push(title="Hi {{ user.id }}"),
    sms=Sms(body="Hi {{ user.id }}"),
    http=Http(url="https://hook.example/", json={"id": "{{ user.id }}"}),
    data={"place": {"type": "any", "default": ""}},
)


class Place:
    """A value that prints the process it is printed in."""

    def __str__(self) -> str:
        return str(os.getpid())


class Unsent(int):
    """A value that no other process can be given."""

    def __reduce__(self) -> Any:
        raise TypeError("stays here")


def user(number: int) -> User:
    return User(id=str(number), email=f"u{number}@example.com", phone=f"+42060{number:07}")


def endless() -> Iterator[tuple[User, Any]]:
    """Users without end, each with data and a key of its own."""
    for number in count():
        yield user(number), {"data": {"x": number, "place": Place()}, "key": f"k{number}"}


def is_from_here(made: Any) -> bool:
    assert isinstance(made.rendered, RenderedEmail), made
    return made.rendered.text.split()[1] == str(os.getpid())


def shared(results: Iterator[Made], least: int = 50) -> list[Any]:
    """The first results, until `least` of them were made by another process."""
    taken: list[Any] = []
    others = 0
    while others < least:
        taken.append(next(results))
        others += not is_from_here(taken[-1])
    return taken


def plain(rendered: Any) -> Any:
    """What can be compared: errors by what they say."""
    if isinstance(rendered, RenderError):
        return type(rendered), str(rendered), rendered.where, rendered.who
    return rendered


def children() -> set[int]:
    """The processes that this one started and that still are there."""
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


def many(
    users: Iterable[Any], content: ContentName = "email", *, processes: int, **options: Any
) -> Any:
    return Renderer().render_many(NEWS, users, content, processes=processes, now=NOW, **options)


@PROCESSES
@pytest.mark.parametrize("content", ["email", "push", "sms", "http"])
def test_results_are_those_of_render(content: ContentName, processes: int) -> None:
    """Each result is what render() gives for its key, in the users' order."""
    users = [(user(number), {"data": {"x": number}}) for number in range(150)]
    made = list(many(users, content, processes=processes))
    assert [one.user for one in made] == [user for user, _ in users]
    for one, (_, about) in zip(made, users, strict=True):
        alone = untyped.render(NEWS, one.user, content, **about, key=one.key, now=NOW)
        assert one.rendered == alone


def test_keys_are_the_deliverers() -> None:
    """A key is derived from user and data, or the user's own, as where one message is sent."""
    users: list[Any] = [(user(1), {"data": {"x": 1}}), (user(2), {"key": "mine", "data": {"x": 1}})]
    made = Renderer().render_many(NEWS, users)
    for one, (who, about) in zip(made, users, strict=True):
        [(_, key, _)] = Deliverer().render(NEWS, who, contents=["email"], **about)
        assert one.key == key


def test_other_processes_render_the_same() -> None:
    """What comes from another process is equal, its bytes too, and stands in its place."""
    with_two = many(endless(), processes=2)
    taken = shared(with_two)
    with_two.close()
    alone = many(endless(), processes=1)
    for one in taken:
        expected: Any = next(alone)
        assert (one.user, one.key) == (expected.user, expected.key)
        (there, here) = (made.rendered.text.split()[1].encode() for made in (one, expected))
        assert replace(one.rendered, text=expected.rendered.text) == expected.rendered
        built = one.rendered.mime(one.key).replace(b"\n" + there, b"\n" + here)
        assert built == expected.rendered.mime(one.key)


@PROCESSES
def test_an_error_is_its_users_result(processes: int) -> None:
    """A user whom the message cannot be made for stops nobody else's; errors read as render()'s."""
    users: list[Any] = [
        (user(0), {"data": {"x": 0}}),
        user(1),
        (user(2), {"data": {"x": 2, "user": "taken"}}),
        (user(3), {"data": {"x": object()}}),
        (User(id=7, email="a@b.example"), {"data": {"x": 4}}),  # type: ignore[arg-type]
        (User(id="5", email="no address"), {"data": {"x": 5}}),
        (User(id="6"), {"data": {"x": 6}}),
        (user(7), {"data": {"x": 7}}),
    ]
    made = list(many(users * 10, processes=processes))
    assert [plain(one.rendered) for one in made] == [plain(one.rendered) for one in made[:8]] * 10
    kinds = [RenderedEmail, RenderError, DataError, DataError, RenderError, RenderError, Skipped]
    assert [type(one.rendered) for one in made[:8]] == [*kinds, RenderedEmail]
    with pytest.raises(RenderError) as alone:
        Renderer().render(NEWS, user(1), "email", now=NOW)
    assert plain(made[1].rendered) == plain(alone.value)


def test_what_makes_no_mime_is_an_error() -> None:
    """As at the desk, an email that could not be sent is none."""
    message = Message(
        title="T",
        email=Email(
            from_="a@b.example", subject="S", text="T", headers={"References": "{{ user.ref }}"}
        ),
    )
    long = User(email="a@b.example", attributes={"ref": "x" * 2000})
    [made] = Renderer().render_many(message, [long], signers=[])
    assert isinstance(made.rendered, RenderError)


def test_one_process_takes_no_user_ahead() -> None:
    """A user is asked for when its result is."""
    users = endless()
    results = many(users, processes=1)
    for _ in range(3):
        next(results)
    assert next(users)[0] == user(3)


@pytest.mark.parametrize("window", [1, 10, 300])
def test_no_more_users_are_taken_than_the_window_holds(window: int) -> None:
    """Users taken and not given back are at most `window`, however many processes render."""
    taken = 0

    def counted() -> Iterator[Any]:
        nonlocal taken
        for pair in endless():
            taken += 1
            yield pair

    results = many(counted(), processes=2, window=window)
    for given in range(1, 1000):
        next(results)
        assert taken <= given - 1 + window
    results.close()


@LINUX
@pytest.mark.parametrize("end", ["close", "throw", "delete"])
def test_the_end_leaves_no_process(end: str) -> None:
    """Closing the generator, Ctrl-C in it and forgetting it end the processes."""
    before = children()
    results = many(endless(), processes=3)
    shared(results)
    assert len(children() - before) == 2
    if end == "throw":
        with pytest.raises(KeyboardInterrupt):
            results.throw(KeyboardInterrupt)
    elif end == "close":
        results.close()
    else:
        del results
    assert children() <= before


@LINUX
def test_few_users_start_no_process() -> None:
    """What one process has done before another one has begun is done by the one."""
    before = children()
    results = many(islice(endless(), 10), processes=2)
    next(results)
    assert children() <= before
    assert len(list(results)) == 9


@LINUX
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_process_loses_nothing(kill: signal.Signals) -> None:
    """Its users are rendered here, in their places; a warning tells."""
    before = children()
    results = many(islice(endless(), 20_000), processes=2)
    numbers = [int(made.user.id) for made in shared(results, 200)]
    [worker] = children() - before
    os.kill(worker, kill)
    with pytest.warns(RuntimeWarning, match=f"signal {kill.value}"):
        numbers += [int(made.user.id) for made in results]
    assert numbers == list(range(20_000))


def published(name: bytes, timeout: int = 5) -> bytes:
    """What DNS would say."""
    public = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)


@PROCESSES
def test_emails_come_signed(processes: int) -> None:
    """With signers every email has its signed bytes, and they verify."""
    results = many(endless(), processes=processes, signers=[SIGNER])
    one: Any = next(results) if processes == 1 else shared(results, 1)[-1]
    results.close()
    assert is_from_here(one) is (processes == 1)
    built = one.rendered.signed(one.key, [SIGNER])
    assert dkim.DKIM(built).verify(dnsfunc=published)
    assert built.endswith(one.rendered.mime(one.key))


def failing(at: int, error: BaseException) -> Iterator[Any]:
    yield from islice(endless(), at)
    raise error


@PROCESSES
@pytest.mark.parametrize("at", [0, 1, 100, 2000])
def test_the_callers_error_comes_after_the_results_before_it(at: int, processes: int) -> None:
    """What `users` raises comes out once everybody before it has a result."""
    results = many(failing(at, LookupError("mine")), processes=processes)
    assert len(list(islice(results, at))) == at
    with pytest.raises(LookupError, match="mine"):
        next(results)


@PROCESSES
def test_a_broken_message_is_raised_in_its_place(tmp_path: Path, processes: int) -> None:
    """What is broken for everybody is no user's result."""
    message = Message(
        title="T", email=Email(from_="a@b.example", subject="S", text="{% include x %}")
    )
    (tmp_path / "there.txt").write_text("Hi")
    names = ["there.txt"] * 3_000 + ["gone.txt"]
    users: list[Any] = [(user(number), {"data": {"x": x}}) for number, x in enumerate(names)]
    results = Renderer(templates=tmp_path).render_many(message, users, processes=processes)
    assert len(list(islice(results, 3_000))) == 3_000
    with pytest.raises(MessageError, match=r"gone\.txt"):
        next(results)


def test_what_cannot_be_pickled_is_rendered_here() -> None:
    """A user's data may be anything that render() takes, in whatever process."""
    users = [(user(n), {"data": {"x": Unsent(n)}, "key": str(n)}) for n in range(3_000)]
    message = Message(title="T", email=Email(from_="a@b.example", subject="S", text="{{ x }}"))
    results = untyped.render_many(message, users, processes=2)
    assert [int(made.rendered.text) for made in results] == list(range(3_000))


@pytest.mark.parametrize("name", ["data", "event", "campaign"])
def test_what_all_share_must_pickle(name: str) -> None:
    """What other processes cannot be given is named."""
    shared: Any = {name: {"x": Unsent(1)}}
    with pytest.raises(ConfigError, match=f"{name} cannot be pickled.*processes=1"):
        list(many(endless(), processes=2, **shared))


def test_a_process_that_cannot_begin_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """A renderer of a class that other processes cannot import is an error, not a slow run."""
    module: Any = ModuleType("only_here")
    module.Mine = type("Mine", (Renderer,), {"__module__": "only_here"})
    monkeypatch.setitem(sys.modules, "only_here", module)
    with pytest.raises(ConfigError, match=r"cannot begin: ModuleNotFoundError.*only_here"):
        list(module.Mine().render_many(NEWS, islice(endless(), 100_000), processes=2))


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: many([], processes=0), ConfigError, "processes: expected a whole number"),
    (lambda: many([], processes="2"), ConfigError, "processes"),  # type: ignore[arg-type]
    (lambda: many([], processes=2, window=0), ConfigError, "window"),
    (lambda: many([], processes=1, key="k"), TypeError, "key: names one user's delivery"),
    (lambda: many([], processes=1, dta={}), TypeError, "did you mean 'data'"),
    (lambda: many([], processes=1, signers=["x"]), TypeError, "signers"),
    (lambda: many([], "sms", processes=1, signers=[SIGNER]), TypeError, "only an email is signed"),
    (lambda: untyped.render_many("x", []), TypeError, "message: expected a Message"),
    (lambda: untyped.render_many(Message(title="T"), []), MessageError, "no email content"),
]


@pytest.mark.parametrize(("call", "error", "words"), WRONG)
def test_a_wrong_call_is_an_error_at_once(
    call: Callable[[], Any], error: type[Exception], words: str
) -> None:
    """Mistakes of the call are raised before a user is asked for."""
    with pytest.raises(error, match=words):
        call()


@PROCESSES
@pytest.mark.parametrize(
    "wrong", ["ada", None, (user(1),), (user(1), "x"), (user(1), {"dta": 1}), ({}, {})]
)
def test_who_is_no_user_is_an_error(wrong: Any, processes: int) -> None:
    """An element that is neither a user nor a pair is the caller's mistake."""
    results = many([(user(0), {"data": {"x": 1}}), wrong], processes=processes)
    assert next(results).user == user(0)
    with pytest.raises(TypeError):
        next(results)


def test_a_renderer_pickles(tmp_path: Path) -> None:
    """A renderer renders the same in another process."""
    renderer = Renderer(
        templates=tmp_path, language="cs", from_={"sms": "SHOP"}, links={}, undefined="blank"
    )
    message = Message(title="T", sms=Sms(body="{{ format_number(1.5) }}{{ gone }}"))
    again = pickle.loads(pickle.dumps(renderer))
    assert again.render(message, user(1), "sms", now=NOW) == renderer.render(
        message, user(1), "sms", now=NOW
    )
