"""One message for many users: order, errors in place, laziness, and processes that may die."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from making import NOW

from vero_deliver import mime
from vero_deliver.errors import ConfigError, MessageError, RenderError
from vero_deliver.message import Email, Message, Sms
from vero_deliver.render import Made, Renderer
from vero_deliver.rendered import RenderedEmail, RenderedSms, Skipped
from vero_deliver.user import User

MESSAGE = Message(
    title="Order",
    email=Email(
        from_="shop@example.com",
        subject="Order {{ order.id }}",
        html="<style>b { color: red }</style><b>{{ user.name }}</b> {{ 1 // order.id }}"
        "{% if order.id == 7 %}{{ abort('seven') }}{% endif %}",
        text="{{ user.name }}",
    ),
    sms=Sms(body="{{ order.id }}"),
)
PROCESSES = pytest.mark.parametrize("processes", [1, 2, 3])


def jobs(count: int, start: int = 1) -> Iterator[tuple[User, Any]]:
    for number in range(start, start + count):
        yield user(number), {"data": {"order": {"id": number}}, "key": f"order-{number}"}


def user(number: int) -> User:
    return User(id=str(number), email=f"u{number}@example.com", attributes={"name": f"<{number}>"})


def ids(made: list[Made]) -> list[str]:
    return [one.user.id for one in made]


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@PROCESSES
def test_results_are_those_of_render_in_order(processes: int) -> None:
    """Every one, with its own key; nothing depends on who did it."""
    renderer = Renderer()
    found = list(renderer.render_many(MESSAGE, jobs(300), processes=processes, signers=(), now=NOW))
    assert ids(found) == [str(n) for n in range(1, 301)]
    for one, (who, about) in zip(found, jobs(300), strict=True):
        assert one.key == f"{about['key']}-email"
        wanted = renderer.render(MESSAGE, who, "email", data=about["data"], key=one.key, now=NOW)
        assert one.rendered == wanted
        if isinstance(wanted, RenderedEmail):
            assert isinstance(one.rendered, RenderedEmail)
            assert one.rendered.mime(one.key) == wanted.mime(one.key)


@PROCESSES
def test_an_error_of_one_user_is_a_result(processes: int) -> None:
    """The others get theirs; so it is with who is skipped."""
    found = list(Renderer().render_many(MESSAGE, jobs(200, 0), processes=processes, now=NOW))
    assert isinstance(found[0].rendered, RenderError)
    assert "by zero" in str(found[0].rendered)
    assert str(found[0].rendered).endswith("(for 0)")
    assert found[7].rendered == Skipped("seven")
    assert sum(isinstance(one.rendered, RenderedEmail) for one in found) == 198


@PROCESSES
def test_a_broken_message_is_raised(processes: int) -> None:
    """It is broken for everybody."""
    broken = Message(title="B", email=Email(from_="a@example.com", subject="{{ x", html="y"))
    with pytest.raises(MessageError, match="template syntax"):
        list(Renderer().render_many(broken, jobs(200), processes=processes))


@PROCESSES
def test_data_without_a_lasting_form_is_that_users_error(processes: int) -> None:
    """No key can be derived from it."""
    given: list[Any] = [
        (user(1), {"data": {"order": {"id": 1}, "x": object()}}),
        (user(2), {"data": {"order": {"id": 2}}}),
    ]
    first, second = Renderer().render_many(MESSAGE, given, processes=processes, now=NOW)
    assert "no key can be derived" in str(first.rendered)
    assert isinstance(second.rendered, RenderedEmail)
    assert second.key.startswith("order-")


@PROCESSES
def test_users_are_pulled_as_results_are_used(processes: int) -> None:
    """A bounded number ahead, however many there are."""
    pulled = 0

    def endless() -> Iterator[tuple[User, Any]]:
        nonlocal pulled
        for job in jobs(10**9):
            pulled += 1
            yield job

    stream = Renderer().render_many(MESSAGE, endless(), processes=processes, now=NOW)
    for _ in range(100):
        next(stream)
    assert pulled < 1_000
    stream.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


@PROCESSES
def test_an_error_of_the_source_comes_after_the_results_before_it(processes: int) -> None:
    """Nothing that was pulled is lost."""

    def failing() -> Iterator[tuple[User, Any]]:
        yield from jobs(150)
        raise OSError("the database went away")

    found: list[Made] = []
    with pytest.raises(OSError, match="went away"):
        found.extend(Renderer().render_many(MESSAGE, failing(), processes=processes, now=NOW))
    assert ids(found) == [str(n) for n in range(1, 151)]
    assert not multiprocessing.active_children()


def test_a_killed_worker_loses_nothing() -> None:
    """Its users are rendered here."""
    found = []
    stream = Renderer().render_many(MESSAGE, jobs(2_000), processes=3, now=NOW)
    for number, one in enumerate(stream):
        found.append(one)
        if number == 200:
            for process in multiprocessing.active_children():
                assert process.pid
                os.kill(process.pid, signal.SIGKILL)
    assert ids(found) == [str(n) for n in range(1, 2_001)]
    assert all(isinstance(one.rendered, (RenderedEmail, Skipped)) for one in found)


def test_what_does_not_pickle_is_rendered_here() -> None:
    """A value that lives in this process only."""
    lock = threading.Lock()
    given: list[Any] = [(who, {**about, "event": {"lock": lock}}) for who, about in jobs(300)]
    found = list(Renderer().render_many(MESSAGE, given, processes=2, now=NOW))
    assert ids(found) == [str(n) for n in range(1, 301)]
    assert all(isinstance(one.rendered, (RenderedEmail, Skipped)) for one in found)


def test_workers_do_their_share() -> None:
    """The results of a worker come with their bytes and without the pieces of a template."""
    stream = Renderer().render_many(MESSAGE, jobs(6_000), processes=2, signers=(), now=NOW)
    seen = [one.rendered for one in stream if isinstance(one.rendered, RenderedEmail)]
    from_worker = [email for email in seen if email._html is None]
    assert from_worker
    assert all(email._mime for email in seen)


@PROCESSES
def test_signatures_verify(processes: int, key: RSAPrivateKey) -> None:
    """Signed where it was rendered, and handed over when asked."""
    signer = mime.Signer("example.com", "s", key, canonicalization="relaxed/simple")
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])
    stream = Renderer().render_many(
        MESSAGE, jobs(200), processes=processes, signers=[signer], now=NOW
    )
    for one in stream:
        if isinstance(one.rendered, RenderedEmail):
            raw = one.rendered.signed(one.key, [signer])
            assert raw.startswith(b"DKIM-Signature: ")
            assert dkim.verify(raw, dnsfunc=lambda *_, **__: record)


def test_other_contents_stream_too() -> None:
    """An sms has a key of its own."""
    who = User(id="1", phone="+420601000001")
    [made] = Renderer().render_many(
        MESSAGE, [(who, {"data": {"order": {"id": 5}}})], "sms", key="k", now=NOW
    )
    assert made.key == "k-sms"
    assert isinstance(made.rendered, RenderedSms)
    assert made.rendered.body == "5"


def test_wrong_calls_are_told_at_once() -> None:
    """Before a user is pulled."""
    renderer = Renderer()
    with pytest.raises(ValueError, match="processes"):
        renderer.render_many(MESSAGE, [], processes=0)
    with pytest.raises(MessageError, match="no push content"):
        renderer.render_many(MESSAGE, [], "push")
    with pytest.raises(TypeError, match="no argument 'dta'"):
        renderer.render_many(MESSAGE, [], dta={})  # type: ignore[call-arg]


def test_a_renderer_goes_to_another_process_with_its_settings() -> None:
    """And compiles there by itself."""
    renderer = Renderer(undefined="blank", from_={"email": "a@example.com"}, compile_once=False)
    twin = pickle.loads(pickle.dumps(renderer))
    assert twin._options == renderer._options
    with pytest.raises(ConfigError):
        Renderer(undefined="never")  # type: ignore[arg-type]


def test_workers_end_with_the_stream() -> None:
    """Idle ones by themselves."""
    list(Renderer().render_many(MESSAGE, jobs(500), processes=3, now=NOW))
    deadline = time.monotonic() + 10
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not multiprocessing.active_children()
