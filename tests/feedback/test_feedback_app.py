"""The app under a real server: what providers are answered."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from threading import Thread
from typing import Any

import pytest
import uvicorn
from webhook_senders import FOREIGN, NEW, NOON, SENDERS, TOPIC, envelope, sns

from vero_channels.feedback.app import App
from vero_channels.transport.webhooks import Confirmation, Post
from vero_deliver.feedback import Feedback

CONFIRM = {
    "Type": "SubscriptionConfirmation",
    "Token": "t",
    "SubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&Token=t",
}


class Desk:
    """Keeps what it is given; fails while told to."""

    def __init__(self) -> None:
        self.taken: list[Feedback] = []
        self.asked: list[Confirmation] = []
        self.failing = False

    async def take(self, feedback: Sequence[Feedback]) -> None:
        if self.failing:
            raise RuntimeError("the store is down")
        self.taken += feedback

    async def confirm(self, confirmation: Confirmation) -> None:
        self.asked.append(confirmation)


@contextmanager
def serving(app: Any) -> Iterator[int]:
    """The port of a running uvicorn."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(app, log_level="warning", lifespan="on")
        server = uvicorn.Server(config)
        thread = Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def port(desk: Desk) -> Iterator[int]:
    readers = {name: sender.make() for name, sender in SENDERS.items()}
    app = App(
        {**readers, "/hooks/eu/": SENDERS["postmark"].make()},
        desk.take,
        confirm=desk.confirm,
        largest=50_000,
        clock=lambda: NOON,
    )
    with serving(app) as number:
        yield number


def ask(
    port: int, path: str, post: Post | None = None, method: str = "POST"
) -> tuple[int, dict[str, str]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(
        method, path, body=post.body if post else None, headers=dict(post.headers) if post else {}
    )
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize("name", SENDERS)
def test_webhook_is_taken(name: str, port: int, desk: Desk) -> None:
    """An authentic post is answered 200 once its feedback was taken."""
    sender = SENDERS[name]
    assert ask(port, f"/{name}", sender.sign([sender.event], NEW))[0] == 200
    assert [one.kind for one in desk.taken] == ["delivered"]


FORGED = {"mailjet": 401, "postmark": 401, "sparkpost": 401, "brevo": 401}


@pytest.mark.parametrize("name", SENDERS)
def test_forgery_is_refused(name: str, port: int, desk: Desk) -> None:
    """Credentials are asked for with 401, a bad signature ends with 403."""
    sender = SENDERS[name]
    status, headers = ask(port, f"/{name}", sender.sign([sender.event], FOREIGN))
    assert status == FORGED.get(name, 403)
    assert ("www-authenticate" in headers) == (status == 401)
    assert not desk.taken


AGAIN = {"brevo": 429}  # Brevo discards what is answered with 5xx


@pytest.mark.parametrize("name", SENDERS)
def test_failing_desk_is_told_again(name: str, port: int, desk: Desk) -> None:
    """What could not be kept comes again, and is taken then."""
    sender = SENDERS[name]
    post = sender.sign([sender.event], NEW)
    desk.failing = True
    assert ask(port, f"/{name}", post)[0] == AGAIN.get(name, 500)
    desk.failing = False
    assert ask(port, f"/{name}", post)[0] == 200
    assert len(desk.taken) == 1


STOP = {"mailgun": 406, "postmark": 403}


@pytest.mark.parametrize("name", ["mailgun", "postmark", "sendgrid", "brevo"])
def test_what_is_no_event_is_stopped(name: str, port: int, desk: Desk) -> None:
    """What will never be read is not repeated for hours."""
    event: Any = {} if name == "mailgun" else 7
    status = ask(port, f"/{name}", SENDERS[name].sign([event], NEW))[0]
    assert status == STOP.get(name, 400)
    assert not desk.taken


def test_methods_and_paths(port: int) -> None:
    """HEAD is a probe; other methods and other paths are no webhooks."""
    assert ask(port, "/mandrill", method="HEAD")[0] == 200
    assert ask(port, "/nobody", method="HEAD")[0] == 404
    status, headers = ask(port, "/mandrill", method="GET")
    assert (status, headers["allow"]) == (405, "HEAD, POST")
    assert ask(port, "/")[0] == 404
    assert ask(port, "/sendgrid/more")[0] == 404


def test_path_may_be_longer(port: int, desk: Desk) -> None:
    """Slashes at its ends do not count, a query neither."""
    post = SENDERS["postmark"].sign([SENDERS["postmark"].event], NEW)
    assert ask(port, "/hooks/eu?x=1", post)[0] == 200
    assert ask(port, "/hooks/eu/", post)[0] == 200
    assert len(desk.taken) == 2


def test_large_body_is_refused(port: int, desk: Desk) -> None:
    """A body above the limit is not even read to its end."""
    post = SENDERS["postmark"].sign([SENDERS["postmark"].event], NEW)
    big = Post(post.body + b" " * 50_000, post.headers, NOON)
    assert ask(port, "/postmark", big)[0] == 413
    assert not desk.taken


def test_probe_takes_nothing(port: int, desk: Desk) -> None:
    """A post without events is fine, and nobody is called for it."""
    desk.failing = True
    assert ask(port, "/sparkpost", SENDERS["sparkpost"].sign([], NEW))[0] == 200
    assert ask(port, "/mandrill", SENDERS["mandrill"].sign([], "test-webhook"))[0] == 200


def test_confirmation_is_asked(port: int, desk: Desk) -> None:
    """What SNS asks first goes to its own callback."""
    assert ask(port, "/ses", sns(envelope("subscribe", **CONFIRM)))[0] == 200
    assert desk.asked == [Confirmation("ses", TOPIC, CONFIRM["SubscribeURL"])]


def call(app: App, scope: dict[str, Any], *parts: dict[str, Any]) -> list[Any]:
    """What the app sends, without a server between."""
    sent: list[Any] = []
    waiting = list(parts)

    async def receive() -> dict[str, Any]:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


def scope_of(post: Post, path: str, **more: Any) -> dict[str, Any]:
    headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in post.headers.items()]
    return {"type": "http", "method": "POST", "path": path, "headers": headers, **more}


def test_mounted_app_finds_its_path(desk: Desk) -> None:
    """Below the path of another application, however that one tells it."""
    app = App({"postmark": SENDERS["postmark"].make()}, desk.take, clock=lambda: NOON)
    post = SENDERS["postmark"].sign([SENDERS["postmark"].event], NEW)
    halves = (
        {"type": "http.request", "body": post.body[:5], "more_body": True},
        {"type": "http.request", "body": post.body[5:]},
    )
    for path, root in (("/api/postmark", "/api"), ("/postmark", "/api"), ("/postmark", "")):
        sent = call(app, scope_of(post, path, root_path=root), *halves)
        assert sent[0]["status"] == 200
    assert len(desk.taken) == 3


def test_provider_that_goes_takes_nothing(desk: Desk) -> None:
    """Half a body is no body."""
    app = App({"postmark": SENDERS["postmark"].make()}, desk.take, clock=lambda: NOON)
    post = SENDERS["postmark"].sign([SENDERS["postmark"].event], NEW)
    part = {"type": "http.request", "body": post.body, "more_body": True}
    call(app, scope_of(post, "/postmark"), part, {"type": "http.disconnect"})
    assert not desk.taken


def test_websocket_is_closed(desk: Desk) -> None:
    """There is nothing to talk about."""
    assert call(App({}, desk.take), {"type": "websocket"}) == [{"type": "websocket.close"}]


def test_unasked_confirmation_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Without a callback the log says what to do, and not the token."""
    app = App({"ses": SENDERS["ses"].make()}, desk.take, clock=lambda: NOON)
    post = sns(envelope("subscribe", **CONFIRM))
    with caplog.at_level(logging.WARNING):
        sent = call(app, scope_of(post, "/ses"), {"type": "http.request", "body": post.body})
    assert sent[0]["status"] == 200
    assert TOPIC in caplog.text
    assert "Token" not in caplog.text
