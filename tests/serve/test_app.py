"""The app over real HTTP: redirects, pixels, consent, the mail in the browser, forgeries."""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vero_channels.email.eml import Eml
from vero_channels.feedback.app import App as FeedbackApp
from vero_channels.feedback.postmark import Postmark
from vero_channels.transport.webhooks import Access
from vero_deliver import (
    Attachment,
    Deliverer,
    Delivery,
    Email,
    Intake,
    Message,
    Outbox,
    Renderer,
    Secret,
    User,
)
from vero_deliver.desk.again import html_of
from vero_deliver.errors import OutboxError
from vero_deliver.feedback import Feedback
from vero_deliver.mime import key_digest
from vero_deliver.serve.app import App
from vero_deliver.serve.words import Languages
from vero_deliver.tracking import Tracking

URL = "https://t.example.com"
TRACKING = Tracking(
    url=URL, secrets=[Secret("a secret of many characters")], env="dev", opens=True, clicks=True
)
NEWS = Message(
    title="News",
    kind="marketing",
    topic="weekly",
    email=Email(
        from_="shop@example.com",
        subject="News",
        html='<p><a href="https://shop.example.com/a?b=c&amp;d">Shop</a> {{ url.permalink }}</p>',
    ),
)
ADA = User(id="u1", email="ada@example.org")
BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}


class Served:
    """An outbox, what was sent from it, and the app that answers for it."""

    def __init__(self, path: Path) -> None:
        self.outbox = Outbox(f"sqlite:///{path}/outbox.db")
        self.outbox.create()
        self.path, self.broken = path, False
        self.app = App(
            take=self.take,
            ready=self.ready,
            tracking=TRACKING,
            consent=self.outbox.suppressions,
            mail=self.mail,
            sent=self.was_sent,
            feedback=FeedbackApp(
                {"postmark": Postmark(access=Access(basic=[("u", Secret("a long password"))]))},
                self.take,
            ),
            topics={"weekly": "The weekly letter", "offers": "Offers <now & then>"},
            title="Bramble & Co",
        )
        self.base = ""
        self.sent: set[str] = set()  # besides what send() sends

    async def was_sent(self, digest: str) -> bool:
        return digest in self.sent

    async def take(self, feedback: Sequence[Feedback]) -> None:
        if self.broken:
            raise OutboxError("gone")
        await Intake(self.outbox).take(feedback)

    async def ready(self) -> None:
        if self.broken:
            raise OutboxError("gone")

    def deliverer(self) -> Deliverer:
        return Deliverer(
            Renderer(tracking=TRACKING), email=Eml(self.path / "captured"), outbox=self.outbox
        )

    async def mail(self, digest: str) -> str | None:
        return await html_of(self.deliverer(), self.outbox, digest)

    def send(self, key: str, message: Message = NEWS) -> Delivery:
        async def once() -> Delivery:
            [delivery] = await self.deliverer().send(message, ADA, key=key)
            return delivery

        self.sent.add(key_digest(f"{key}-email"))
        return asyncio.run(once())

    def get(self, link: str, **how: Any) -> httpx.Response:
        return self.ask("GET", link, **how)

    def ask(self, method: str, link: str, **how: Any) -> httpx.Response:
        url = self.base + link.removeprefix(URL)
        headers = {**BROWSER, **how.pop("headers", {})}
        return httpx.request(method, url, headers=headers, timeout=20, **how)

    def told(self) -> list[tuple[str, str]]:
        return [(one.feedback.kind, one.delivery) for one in self.outbox.feedback.search()]


@contextmanager
def running(app: Any) -> Iterator[str]:
    """The app behind uvicorn, on a free port."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([sock])))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        sock.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    with running(made.app) as made.base:
        yield made
    made.outbox.close()


def test_a_click_is_counted_and_goes_on(served: Served) -> None:
    """302 to the signed destination; a look ahead and a HEAD are told apart."""
    served.send("k")
    link = TRACKING.click("k-email", "https://shop.example.com/a?b=c&d")
    answer = served.get(link)
    assert (answer.status_code, answer.headers["location"]) == (
        302, "https://shop.example.com/a?b=c&d",
    )  # fmt: skip
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert served.ask("HEAD", link).headers["location"].startswith("https://shop")
    served.get(link, headers={"sec-purpose": "prefetch;prerender"})
    seen = [one.feedback for one in served.outbox.feedback.search()]
    assert [(one.kind, one.machine, one.ip) for one in seen] == [
        ("clicked", True, ""), ("clicked", None, ""),
    ]  # fmt: skip
    record = served.outbox.get("k-email")
    assert record is not None
    assert record.state == "delivered"


def test_an_open_is_counted(served: Served) -> None:
    """A picture that nobody keeps."""
    served.send("k")
    answer = served.get(TRACKING.open("k-email"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
    assert answer.content[:6] == b"GIF89a"
    assert served.told() == [("opened", "k-email")]


def test_only_what_was_sent_is_counted(served: Served) -> None:
    """Whoever follows a link of a preview gets there; the same within a minute is one."""
    served.sent.add(key_digest("k-email"))
    for link in (TRACKING.open("k-email"), TRACKING.open("preview-email")):
        for _ in range(3):
            assert served.get(link).status_code == 200
    assert served.get(TRACKING.click("preview-email", "https://x.example/")).status_code == 302
    told = {one.feedback.digest for one in served.outbox.feedback.search()}
    assert told == {key_digest("k-email")}
    assert len(served.told()) < 3  # a minute may end between them


def test_a_broken_store_stops_nobody(served: Served) -> None:
    """They get the picture and go where they wanted; a choice is not called saved."""
    served.broken = True
    assert served.get(TRACKING.open("k-email")).status_code == 200
    assert served.get(TRACKING.click("k-email", "https://x.example/")).status_code == 302
    leave = TRACKING.leave("k-email", "ada@example.org")
    answer = served.ask("POST", leave, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
    assert served.get("/readyz").status_code == 503
    assert served.get("/healthz").status_code == 200


def test_one_click(served: Served) -> None:
    """A POST unsubscribes from the topic at once; GET never does; the next is suppressed."""
    served.send("k")
    leave = TRACKING.leave("k-email", "ada@example.org", "weekly")
    page = served.get(leave)
    assert page.status_code == 200
    assert served.send("k2").state == "accepted"
    # as mailbox providers post it
    answer = served.ask("POST", leave, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert served.outbox.suppressions.topics("email", "ADA@example.org") == {"weekly": True}
    assert served.send("k3").state == "suppressed"
    assert ("unsubscribed", "k-email") in served.told()
    [kept] = served.outbox.suppressions.list()
    assert (kept.address, kept.topic) == ("ada@example.org", "weekly")  # a person can read it


def test_one_click_in_parts(served: Served) -> None:
    """multipart/form-data, which RFC 8058 section 3.2 wants first; broken parts do nothing."""
    leave = TRACKING.leave("k-email", "ada@example.org")
    for form in ({"List-Unsubscribe": "Two-Clicks"}, {"other": "One-Click"}):
        parts = {name: (None, value) for name, value in form.items()}
        assert served.ask("POST", leave, files=parts).status_code == 400
    broken = {"content-type": 'multipart/form-data; boundary="'}
    assert served.ask("POST", leave, content=b"\xff--", headers=broken).status_code == 400
    assert served.outbox.suppressions.topics("email", "ada@example.org") == {}
    answer = served.ask("POST", leave, files={"List-Unsubscribe": (None, "One-Click")})
    assert (answer.status_code, answer.text) == (200, "unsubscribed\n")
    assert served.outbox.suppressions.topics("email", "ada@example.org") == {"": True}


def test_preferences(served: Served) -> None:
    """Topics and everything; what is chosen holds, and can be taken back."""
    leave = TRACKING.leave("k-email", "ada@example.org", "weekly")
    page = served.get(leave)
    assert "Offers &lt;now &amp; then&gt;" in page.text
    assert "Bramble &amp; Co" in page.text
    assert checked(page.text) == {"weekly", "offers"}
    assert "script" not in page.text
    [style] = re.findall("<style>(.*?)</style>", page.text, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = page.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}'; form-action")
    assert "unsafe" not in policy
    saved = served.ask("POST", leave, data={"do": "save", "wanted": ["offers"]})
    assert checked(saved.text) == {"offers"}
    assert served.send("k1").state == "suppressed"
    nothing = served.ask("POST", leave, data={"do": "none"})
    assert checked(nothing.text) == set()
    topics = served.outbox.suppressions.topics("email", "ada@example.org")
    assert topics[""] is True
    back = served.ask("POST", leave, data={"do": "save", "wanted": ["weekly", "nonsense"]})
    assert checked(back.text) == {"weekly"}
    assert served.send("k2").state == "accepted"
    for wrong in ({}, {"do": "x"}, {"List-Unsubscribe": "Two-Clicks"}):
        assert served.ask("POST", leave, data=wrong).status_code == 400


def checked(html: str) -> set[str]:
    return set(re.findall(r'value="([^"]*)" checked', html))


def test_the_mail_in_the_browser(served: Served) -> None:
    """As it was sent, without scripts; gone with its user."""
    served.send("k")
    view = TRACKING.view("k-email")
    shown = served.get(view)
    assert "shop.example.com" not in shown.text  # its links are tracked
    assert f"{URL}/c/" in shown.text
    assert "sandbox" in shown.headers["content-security-policy"]
    assert "allow-scripts" not in shown.headers["content-security-policy"]
    served.outbox.erase("u1")
    assert served.get(view).status_code == 410
    assert served.get(TRACKING.view("nobody")).status_code == 410


def test_the_mail_in_the_browser_has_its_pictures(served: Served) -> None:
    """Inline images, which a browser would not find."""
    email = Email(
        from_="shop@example.com", subject="x", html='<img src="cid:logo">',
        attachments=(Attachment(filename="l.png", content=b"PNG", cid="logo"),),
    )  # fmt: skip
    served.send("k", Message(title="x", email=email))
    assert '<img src="data:image/png;base64,UE5H"' in served.get(TRACKING.view("k-email")).text


def test_webhooks_are_mounted(served: Served) -> None:
    """With the provider's own proof, and nothing without it."""
    body = json.dumps({"RecordType": "Delivery", "MessageID": "1", "Recipient": "a@b.cz"})
    assert served.ask("POST", "/feedback/postmark", content=body).status_code in (401, 403)
    good = served.ask("POST", "/feedback/postmark", content=body, auth=("u", "a long password"))
    assert good.status_code == 200
    assert [kind for kind, _ in served.told()] == ["delivered"]
    assert served.ask("POST", "/feedback/other", content=body).status_code == 404


def test_forged_links_change_nothing(served: Served) -> None:
    """404, and the pixel as ever: nobody learns what was wrong."""
    foreign = Tracking(url=URL, secrets=[Secret("somebody else's secret")], env="dev")
    for link in (
        foreign.click("k", "https://evil.example/"), foreign.leave("k", "ada@example.org"),
        foreign.view("k"), f"{URL}/c/https://evil.example/", f"{URL}/c//evil.example",
        f"{URL}/c/?url=https://evil.example/", f"{URL}/u/", f"{URL}/x/y", f"{URL}/",
        TRACKING.open("k").replace("/o/", "/u/"),
    ):  # fmt: skip
        for method in ("GET", "POST"):
            answer = served.ask(
                method, link, data={"List-Unsubscribe": "One-Click"} if method == "POST" else None
            )
            assert answer.status_code in (404, 405), link
            assert "location" not in answer.headers
    assert served.get(foreign.open("k")).status_code == 200
    assert served.told() == []
    assert served.outbox.suppressions.list() == []


def test_other_hosts_make_no_links(served: Served) -> None:
    """The Host field is the asker's word: no answer holds it."""
    leave = TRACKING.leave("k-email", "ada@example.org")
    for link in (leave, TRACKING.click("k", "https://x.example/"), f"{URL}/nothing"):
        answer = served.get(link, headers={"host": "evil.example"})
        assert "evil" not in answer.text + str(answer.headers)


def test_methods(served: Served) -> None:
    """405 says which there are."""
    for link, allow in (
        (TRACKING.open("k"), "GET, HEAD"), (TRACKING.leave("k", "a@b.cz"), "GET, HEAD, POST"),
        (f"{URL}/healthz", "GET, HEAD"),
    ):  # fmt: skip
        answer = served.ask("PUT", link)
        assert (answer.status_code, answer.headers["allow"]) == (405, allow)


class Memory:
    """Consent and feedback without a database, for many questions."""

    def __init__(self) -> None:
        self.left: dict[str, bool] = {}

    def choose(self, content: str, address: str, wanted: Any, *, digest: str, source: str) -> None:
        self.left |= {topic: not yes for topic, yes in wanted.items()}

    def topics(self, content: str, address: str, *, digest: str) -> dict[str, bool]:
        return self.left


async def _nothing(*_: Any) -> None:
    return None


FUZZED = App(take=_nothing, ready=_nothing, tracking=TRACKING, consent=Memory(), mail=_nothing,
             topics={"weekly": "x"}, feedback=FeedbackApp({}, _nothing))  # fmt: skip
TARGETS = [TRACKING.open("k"), TRACKING.click("k", "https://x.example/"), TRACKING.view("k"),
           TRACKING.leave("k", "ada@example.org"), f"{URL}/feedback/x", f"{URL}/healthz",
           f"{URL}/openapi.json", f"{URL}/"]  # fmt: skip


@given(
    target=st.sampled_from(TARGETS),
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS", "TRACE", "PATCH"]),
    body=st.binary(max_size=300) | st.sampled_from([
        b"List-Unsubscribe=One-Click", b"do=save&wanted=weekly", b"do=none", b"do=save&wanted=%ff",
        b"&".join(b"wanted=%d" % n for n in range(300)), b"a" * 70_000,
    ]),
    headers=st.lists(st.tuples(
        st.sampled_from([b"user-agent", b"host", b"content-type", b"purpose", b"x"]),
        st.binary(max_size=40)), max_size=5),
    damage=st.randoms(use_true_random=False),
    harm=st.integers(0, 3),
    chunked=st.booleans(),
)  # fmt: skip
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_makes_it_fail(
    target: str, method: str, body: bytes, headers: list[tuple[bytes, bytes]],
    damage: random.Random, harm: int, chunked: bool,
) -> None:  # fmt: skip
    """Any method, path, form and field on every endpoint: an answer below 500."""
    path = list(target.removeprefix(URL))
    for _ in range(harm):
        if path:
            path[damage.randrange(len(path))] = chr(
                damage.choice([0, 46, 47, 37, 61, 65, 233, 8364])
            )
    parts = [body[:7], body[7:]] if chunked else [body]
    messages = [
        {"type": "http.request", "body": part, "more_body": number < len(parts) - 1}
        for number, part in enumerate(parts)
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": "".join(path), "headers": headers,
        "query_string": b"", "root_path": "",
    }  # fmt: skip
    asyncio.run(FUZZED(scope, receive, send))
    start, end = sent
    assert start["status"] < 500
    assert (end["body"] == b"") or method != "HEAD"
    for name, value in start["headers"]:
        assert not set(name + value) & {10, 13}


def test_the_document_lists_every_endpoint() -> None:
    """Each first part that the app answers has its path."""
    from vero_deliver.serve.describing import OPENAPI

    firsts = {path.split("/")[1] for path in OPENAPI["paths"]}
    assert firsts == {"o", "c", "u", "v", "feedback", "healthz", "readyz", "openapi.json"}


def test_a_late_form_is_not_waited_for_forever(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """408 to whoever sends half of it."""
    monkeypatch.setattr("vero_deliver.serve.http._PATIENCE", 0.2)
    leave = TRACKING.leave("k-email", "ada@example.org").removeprefix(URL)
    host, port = served.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as line:
        line.sendall(f"POST {leave} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nList".encode())
        assert b" 408 " in line.recv(1000)


def test_now_is_now(served: Served) -> None:
    """Feedback of ours has the moment it happened."""
    before = datetime.now(UTC)
    served.send("k")
    served.get(TRACKING.open("k-email"))
    [seen] = served.outbox.feedback.search()
    assert before <= seen.feedback.at <= datetime.now(UTC)


CZECH = """msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"
msgid "Unsubscribe from everything"
msgstr "Odhlásit <vše>"
msgid "The weekly letter"
msgstr "Týdenní dopis"
"""


@pytest.mark.parametrize(
    ("asked", "language", "words"),
    [
        ("cs-CZ,en;q=0.8", "cs", "Odhlásit &lt;vše&gt;"),
        ("en,cs", "en", "Unsubscribe from everything"),
        ("xx;;,\x00,fr", "en", "Unsubscribe from everything"),
        ("he", "he", "Unsubscribe from everything"),
    ],
)
def test_pages_speak_the_readers_language(
    served: Served, asked: str, language: str, words: str
) -> None:
    """From the project's own catalogs; a broken one leaves English."""
    locales = served.path / "locales"
    for name, text in (("cs", CZECH), ("he", 'msgid "broken')):
        (locales / name / "LC_MESSAGES").mkdir(parents=True)
        (locales / name / "LC_MESSAGES/messages.po").write_text(text, "utf-8")
    served.app._languages = Languages(locales)
    leave = TRACKING.leave("k-email", "ada@example.org", "weekly")
    page = served.get(leave, headers={"accept-language": asked.replace("\x00", "")}).text
    assert words in page
    assert f'lang="{language if language != "he" else "en"}"' in page
    assert ("Týdenní dopis" in page) is (language == "cs")
