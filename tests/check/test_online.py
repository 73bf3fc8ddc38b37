"""Links and images over a real network, which is this machine's."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme
from http_server import Answer, Asked, Server, serving

from check.projects import FLAWLESS, Change, report
from vero_channels.transport.guard import Guard
from vero_channels.transport.http1 import Http1Transport
from vero_deliver.check import Options
from vero_deliver.check.network import Fetched, Network
from vero_deliver.errors import ConfigError

PNG = {"content-type": "image/png"}


@contextmanager
def running(
    answer: Callable[[Asked], Answer], tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """A server with a loop of its own, for what blocks."""
    ready: Future[tuple[Server, asyncio.Event, asyncio.AbstractEventLoop]] = Future()

    async def run() -> None:
        async with serving(answer, tls=tls) as server:
            done = asyncio.Event()
            ready.set_result((server, done, asyncio.get_running_loop()))
            await done.wait()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    server, done, loop = ready.result(10)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(done.set)
        thread.join()


def named(*addresses: str, allow: Sequence[str] = ("shop.example",)) -> Network:
    """A network in which every name has the addresses, one answer after the other."""
    answers = list(addresses)

    async def resolve(host: str, port: int) -> list[str]:
        del port
        if host.isdecimal():  # as the system resolves it
            return [".".join(str(octet) for octet in int(host).to_bytes(4, "big"))]
        if host.replace(".", "").isdecimal() or ":" in host:
            return [host]
        return [answers.pop(0) if len(answers) > 1 else answers[0]]

    return Network(transport=lambda: Http1Transport(guard=Guard(allow, resolve=resolve)))


def one(network: Network, url: str) -> Fetched:
    return network.fetch([url])[url]


def test_head_then_get() -> None:
    """HEAD is tried first; a server that knows none is asked by GET."""

    def answer(asked: Asked) -> Answer:
        return Answer(405 if asked.method == "HEAD" else 200, text="x" * 70, headers=PNG)

    with running(answer) as server:
        found = one(named("127.0.0.1"), f"http://shop.example:{server.port}/a")
    assert (found.status, found.size, found.content_type) == (200, 70, "image/png")
    assert [asked.method for asked in server.asked] == ["HEAD", "GET"]
    assert not {"cookie", "authorization"} & server.asked[1].headers.keys()


def test_a_server_that_hangs_up_on_head() -> None:
    """Is asked by GET."""

    def answer(asked: Asked) -> Answer:
        return Answer(close="now") if asked.method == "HEAD" else Answer(text="x")

    with running(answer) as server:
        assert one(named("127.0.0.1"), f"http://shop.example:{server.port}/a").status == 200


def test_a_url_is_asked_once() -> None:
    """However often it is there, in however many letters."""
    with running(lambda asked: Answer(404 if asked.method == "HEAD" else 200)) as server:
        network = named("127.0.0.1")
        url = f"http://shop.example:{server.port}/a"
        network.fetch([url, url])
        network.fetch([url])
    assert [asked.method for asked in server.asked] == ["HEAD", "GET"]


def test_a_few_at_once() -> None:
    """Many URLs take no more connections than are allowed at a time."""
    with running(lambda _: Answer(204, hang=0.02)) as server:
        network = named("127.0.0.1")
        found = network.fetch([f"http://shop.example:{server.port}/{n}" for n in range(30)])
    assert {each.status for each in found.values()} == {204}
    assert 1 < server.connections <= 6


def test_redirects_are_followed_a_little() -> None:
    """To where they lead, and not in circles; a cookie that is set on the way is not kept."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/a":
            return Answer(302, headers={"location": "/b?x=1", "set-cookie": "a=b"})
        return Answer(301, headers={"location": "/c"}) if asked.path == "/c" else Answer(204)

    with running(answer) as server:
        base = f"http://shop.example:{server.port}"
        network = named("127.0.0.1")
        assert one(network, f"{base}/a").url == f"{base}/b?x=1"
        assert one(network, f"{base}/c").trouble == "more than 5 redirects"
    assert not [asked for asked in server.asked if "cookie" in asked.headers]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "017700000001", "127.1",
     "0", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[::]"],
)  # fmt: skip
def test_this_machine_is_not_asked(host: str) -> None:
    """However its address is written: decimal, octal, hexadecimal, short, inside of IPv6."""
    with running(lambda _: Answer(text="secret")) as server:
        found = one(Network(), f"http://{host}:{server.port}/")
    assert found.status == 0
    assert "is not public" in found.trouble
    assert server.connections == 0


@pytest.mark.parametrize(
    "target",
    ["http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/latest/meta-data/",
     "http://2852039166/latest/meta-data/", "http://[::ffff:a9fe:a9fe]/latest/meta-data/"],
)  # fmt: skip
def test_a_redirect_to_the_metadata_of_a_cloud(target: str) -> None:
    """Each redirect is checked as the first URL is."""
    with running(lambda _: Answer(302, headers={"location": target})) as server:
        found = one(named("127.0.0.1"), f"http://shop.example:{server.port}/")
    assert found.status == 0
    assert "is not public" in found.trouble


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://x.example/", "gopher://x.example/"]
)
def test_a_redirect_to_another_scheme(target: str) -> None:
    """Nothing but http and https is opened."""
    with running(lambda _: Answer(302, headers={"location": target})) as server:
        found = one(named("127.0.0.1"), f"http://shop.example:{server.port}/")
    assert found.trouble.startswith(f"it leads to {target.partition('/')[0]}")


def test_a_name_that_is_bound_again() -> None:
    """The name is asked for once, and what was checked is dialled: a second answer of DNS, which
    would be this machine, counts for nothing.
    """
    with running(lambda _: Answer(text="secret")) as server:
        url = f"http://evil.example:{server.port}/"
        assert "is not public" in one(named("127.0.0.1", allow=()), url).trouble
        # 127.0.0.2 stands for the public address: nobody listens there
        rebinding = named("127.0.0.2", "127.0.0.1", allow=("127.0.0.2",))
        assert "is not public" not in one(rebinding, url).trouble
    assert server.connections == 0


def test_time_and_size_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that says nothing, and one that does not stop, cost little."""
    endless = b"HTTP/1.1 200 X\r\ncontent-type: image/png\r\n\r\n" + bytes(8_000_000)

    def answer(asked: Asked) -> Answer:
        return Answer(hang=30) if asked.path == "/hang" else Answer(raw=endless)

    with running(answer) as server:
        network, base = named("127.0.0.1"), f"http://shop.example:{server.port}"
        assert 5_000_000 <= one(network, f"{base}/endless").size < 6_000_000
        monkeypatch.setattr("vero_deliver.check.network._SECONDS", 0.3)
        assert one(network, f"{base}/hang").trouble == "no answer in 0.3 seconds"


def test_a_certificate_that_nobody_knows() -> None:
    """Is trouble, as it is for readers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("shop.example").configure_cert(context)
    with running(lambda _: Answer(text="x"), context) as server:
        found = one(named("127.0.0.1"), f"https://shop.example:{server.port}/")
    assert "certificate" in found.trouble.lower()


def test_it_runs_inside_of_a_loop() -> None:
    """As in the studio."""

    async def inside(url: str) -> Fetched:
        return one(named("127.0.0.1"), url)

    with running(lambda _: Answer(204)) as server:
        assert asyncio.run(inside(f"http://shop.example:{server.port}/")).status == 204


def with_body(server: Server, markup: str) -> dict[str, Change]:
    """The project whose network may be asked, with that in its letter."""
    table = '[check]\nallow = ["127.0.0.1"]\n'
    body = markup.replace("BASE", server.url)
    return {
        "/vero-deliver.toml": FLAWLESS["/vero-deliver.toml"] + table,
        "email.html": [
            ("<p>Your order", f"{body}<p>Your order"),
            ('href="{{ order.link }}"', f'href="{server.url}/x"'),
        ],
    }


def online(root: Path, change: dict[str, Change]) -> dict[str, str]:
    """What only --online finds: name to severity, text and detail."""
    options = Options(online=True)
    return {
        finding.name: f"{finding.severity}: {finding.text} {finding.detail}"
        for finding in report(root, change, options=options).findings
        if finding.rule in ("links/broken", "images/broken", "images/heavy")
    }


@pytest.mark.parametrize(
    ("status", "found"),
    [(404, "error: BASE/a answers 404"), (500, "error: BASE/a answers 500"),
     (403, "info: BASE/a answers 403"), (204, "")],
)  # fmt: skip
def test_a_broken_link_is_found(tmp_path: Path, status: int, found: str) -> None:
    """What a program may not see, a reader may: that is info."""
    with running(lambda asked: Answer(status if asked.path[:2] == "/a" else 204)) as server:
        change = with_body(server, '<a href="BASE/a?id={{ user.id }}">Our offers</a>')
        told = online(tmp_path, change).get("links/broken", "")
    assert told.startswith(found.replace("BASE", server.url))
    assert bool(told) == bool(found)


def test_a_link_to_unsubscribe_is_not_opened(tmp_path: Path) -> None:
    """It would act."""
    with running(lambda _: Answer(404)) as server:
        online(tmp_path, with_body(server, '<a href="BASE/u?id=1">Unsubscribe</a>'))
    assert server.asked
    assert not [asked for asked in server.asked if asked.path.startswith("/u")]


def test_the_letters_own_page_is_not_asked_for(tmp_path: Path) -> None:
    """It is there once the letter was sent."""
    with running(lambda _: Answer(404)) as server:
        change = with_body(server, '<a href="{{ url.permalink_link }}">View in browser</a>')
        toml = str(change["/vero-deliver.toml"])
        permalink = f'permalink = "{server.url}/mail/{{{{ key | encode }}}}.html"\n[check]'
        change["/vero-deliver.toml"] = toml.replace("[check]", permalink)
        online(tmp_path, change)
    assert server.asked
    assert not [asked for asked in server.asked if asked.path.startswith("/mail")]


def test_broken_and_heavy_images(tmp_path: Path) -> None:
    """One that is a page, and one that is large."""

    def answer(asked: Asked) -> Answer:
        if asked.path == "/page.png":
            return Answer(headers={"content-type": "text/html"}, text="<h1>Not found</h1>")
        large = b"HTTP/1.1 200 X\r\ncontent-type: image/png\r\ncontent-length: 3000000\r\n\r\n"
        return Answer(raw=large) if asked.path == "/large.png" else Answer(204)

    picture = '<img src="BASE/{}.png" alt="A parcel" width="90" height="40">'
    with running(answer) as server:
        markup = picture.format("page") + picture.format("large")
        found = online(tmp_path, with_body(server, markup))
        base = server.url
    assert found == {
        "images/broken": f"error: {base}/page.png is text/html, no image ",
        "images/heavy": f"warning: {base}/large.png has more than 1 MB 3.0 MB",
    }


def test_nothing_is_asked_without_online(tmp_path: Path) -> None:
    """Never by default."""
    with running(lambda _: Answer()) as server:
        report(tmp_path, with_body(server, '<img src="BASE/x.png" alt="A parcel" width="90">'))
    assert server.connections == 0


def test_allow_is_checked(tmp_path: Path) -> None:
    """A network that is none is told before anything is asked."""
    table = '[check]\nallow = ["10.0.0.0/99"]\n'
    change: dict[str, Change] = {"/vero-deliver.toml": FLAWLESS["/vero-deliver.toml"] + table}
    with pytest.raises(ConfigError, match="is no host and no network"):
        report(tmp_path, change, options=Options(online=True))
