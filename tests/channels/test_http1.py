"""The HTTP/1.1 transport: framing, the pool, and when a request may be written again."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from http_server import Answer, Server, serving
from smtp_server import Authority, authority

from vero_channels.transport.http1 import Http1Transport

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
BIG = bytes(30_000_000)  # more than the kernel's socket buffers hold


@asynccontextmanager
async def using(**options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client over our transport, closed at the end."""
    async with httpx.AsyncClient(
        transport=Http1Transport(**options), timeout=10, trust_env=False
    ) as client:
        yield client


@asynccontextmanager
async def talking(*talks: Talk) -> AsyncIterator[str]:
    """The URL of a server whose first connection is held by the first talk, and so on."""
    waiting, tasks = list(talks), set[asyncio.Task[None]]()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            try:
                await waiting.pop(0)(reader, writer)
            finally:
                writer.close()
                await writer.wait_closed()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, limit=1 << 16)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def asked(reader: asyncio.StreamReader) -> bytes:
    """One whole request."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    return head + await reader.readexactly(length)


def saying(*answers: bytes) -> Talk:
    """A talk that gives these answers, one to each request, and closes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await asked(reader)
            writer.write(answer)
            await writer.drain()

    return talk


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Reads the request and says nothing."""
    await asked(reader)
    await asyncio.sleep(60)


async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Does not even read."""
    await asyncio.sleep(60)


def then_reset(first: bytes) -> Talk:
    """A talk that answers once, reads a little of the next request and resets the connection."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if first:
            await asked(reader)
            writer.write(first)
        await reader.read(1000)
        writer.transport.abort()

    return talk


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FRAMINGS = {
    "length": OK,
    "chunks": CHUNKED + b"1;x=y\r\no\r\n1\r\nk\r\n0\r\nT: t\r\n\r\n",
    "until the close": b"HTTP/1.1 200 OK\r\n\r\nok",
    "1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "interim": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK,
    "no reason": b"HTTP/1.1 200\r\nContent-Length:2\r\n\r\nok",
}


@pytest.mark.parametrize("answer", FRAMINGS.values(), ids=FRAMINGS)
@pytest.mark.anyio
async def test_bodies(answer: bytes) -> None:
    """Whatever ends the body, it is read whole and no further."""
    async with talking(saying(answer)) as url, using() as client:
        response = await client.post(url, content=b"x")
    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.anyio
async def test_bodies_in_small_pieces(size: int) -> None:
    """Answers may be cut anywhere on their way."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (FRAMINGS["chunks"], FRAMINGS["interim"], FRAMINGS["length"]):
            await asked(reader)
            for at in range(0, len(answer), size):
                writer.write(answer[at : at + size])
                await writer.drain()
                await asyncio.sleep(0)

    async with talking(talk) as url, using() as client:
        for _ in range(3):
            assert (await client.post(url, content=b"x")).content == b"ok"


BROKEN = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "no HTTP": b"SSH-2.0-OpenSSH_9\r\n\r\n",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
    "no header": b"HTTP/1.1 200 OK\r\nwhat is this\r\n\r\n",
    "folded header": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 2\r\n\r\nok",
    "space before colon": b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
    "odd length": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
    "odd coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "odd chunk": CHUNKED + b"0x2\r\nok\r\n0\r\n\r\n",
    "long chunk": CHUNKED + b"1\r\nok\r\n0\r\n\r\n",
    "chunks without end": CHUNKED + b"2\r\nok\r\n",
    "endless size": CHUNKED + b"0" * 9000,
    "endless head": b"HTTP/1.1 200 OK\r\nA: " + b"a" * 500_000,
    "long head": b"HTTP/1.1 200 OK\r\nA: " + b"a" * 100_000 + b"\r\n\r\n",
    "endless trailers": CHUNKED + b"0\r\n" + b"A: b\r\n" * 99,
    "endless interim": b"HTTP/1.1 103 Early\r\n\r\n" * 99,
    "switched": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
@pytest.mark.anyio
async def test_broken_answers_are_errors(answer: bytes) -> None:
    """None of them is taken for an answer, and none is asked for again."""
    async with talking(saying(answer)) as url, using() as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.post(url, content=b"x")


@pytest.mark.parametrize(
    "answer",
    [FRAMINGS["1.0"], FRAMINGS["until the close"], OK[:15] + b"\r\nConnection: close" + OK[15:],
     CHUNKED[:-2] + b"Content-Length: 9\r\n\r\n2\r\nok\r\n0\r\n\r\n",
     OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"],
    ids=["1.0", "until the close", "close", "two framings", "an answer nobody asked for"],
)  # fmt: skip
@pytest.mark.anyio
async def test_connection_in_doubt_is_not_kept(answer: bytes) -> None:
    """Where it closes, or where its end may be seen elsewhere, the next request has another."""
    async with talking(saying(answer), saying(OK)) as url, using() as client:
        for _ in range(2):
            assert (await client.post(url, content=b"x")).content == b"ok"


@pytest.mark.anyio
async def test_connections_are_kept() -> None:
    """One after another, requests share a connection; at once, each has its own, within limits."""
    async with serving(lambda _: Answer(200, {"a": 1})) as server, using(limit=4) as client:
        for _ in range(5):
            await client.post(server.url, content=b"x")
        assert server.connections == 1
        await asyncio.gather(*(client.post(server.url, content=b"x") for _ in range(50)))
        assert server.connections == 4
        assert len(server.asked) == 55


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@pytest.mark.anyio
async def test_methods(method: str) -> None:
    """HEAD has a length and no body; 204 has neither."""
    answers = {"HEAD": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"}
    answer = answers.get(method, b"HTTP/1.1 204 No Content\r\n\r\n")
    async with talking(saying(answer, answer)) as url, using() as client:
        for _ in range(2):
            assert not (await client.request(method, url)).content


@pytest.mark.anyio
async def test_body_of_an_iterator_has_a_length() -> None:
    """A stream is read first: a server gets a Content-Length, never chunks."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"a" * 10
        yield b"b"

    async with serving(lambda _: Answer(200)) as server, using() as client:
        await client.post(server.url, content=pieces())
    assert server.asked[0].body == b"a" * 10 + b"b"
    assert "transfer-encoding" not in server.asked[0].headers


class TestWrittenAgain:
    """Only what no server can have had is written a second time."""

    @pytest.mark.anyio
    async def test_closed_while_idle(self) -> None:
        """A kept connection that its server closed is not used."""
        async with talking(saying(OK), saying(OK)) as url, using() as client:
            await client.post(url, content=b"x")
            await asyncio.sleep(0.05)
            assert (await client.post(url, content=b"x")).content == b"ok"

    @pytest.mark.anyio
    async def test_lost_after_the_whole_request(self) -> None:
        """It may have been acted on: an error, even on a kept connection."""

        async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asked(reader)
            writer.write(OK)
            await asked(reader)
            writer.transport.abort()

        async with talking(once, saying(OK)) as url, using() as client:
            await client.post(url, content=b"x")
            with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
                await client.post(url, content=b"x")

    @pytest.mark.anyio
    async def test_kept_connection_lost_in_the_middle_of_the_request(self) -> None:
        """No server can act on a part: it goes out again, on a new connection."""
        async with talking(then_reset(OK), saying(OK)) as url, using() as client:
            await client.post(url, content=b"x")
            assert (await client.post(url, content=BIG)).content == b"ok"

    @pytest.mark.anyio
    async def test_new_connection_lost_in_the_middle_of_the_request(self) -> None:
        """There it is the server's doing, and no error of connecting."""
        async with talking(then_reset(b"")) as url, using() as client:
            with pytest.raises(httpx.WriteError):
                await client.post(url, content=BIG)

    @pytest.mark.anyio
    async def test_answer_before_the_end_of_the_request(self) -> None:
        """A refusal that comes early counts; the connection is not used again."""
        early = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n"

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(early)
            await asyncio.sleep(0.2)

        async with talking(talk, saying(OK)) as url, using() as client:
            assert (await client.post(url, content=BIG)).status_code == 413
            assert (await client.post(url, content=b"x")).content == b"ok"


class TestTimes:
    """Each phase has its own time and its own error."""

    @pytest.mark.anyio
    async def test_reading(self) -> None:
        """No answer."""
        async with talking(silent) as url, using() as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post(url, content=b"x", timeout=0.1)

    @pytest.mark.anyio
    async def test_shorter_than_the_last_one(self) -> None:
        """A kept connection knows nothing of the time that an earlier request had."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asked(reader)
            writer.write(OK)
            await silent(reader, writer)

        async with talking(talk) as url, using() as client:
            await client.post(url, content=b"x", timeout=60)
            with pytest.raises(httpx.ReadTimeout):
                await client.post(url, content=b"x", timeout=0.1)

    @pytest.mark.anyio
    async def test_reading_the_body(self) -> None:
        """A head and then nothing."""

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asked(reader)
            writer.write(OK[:-1])
            await asyncio.sleep(60)

        async with talking(talk) as url, using() as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post(url, content=b"x", timeout=0.1)

    @pytest.mark.anyio
    async def test_writing(self) -> None:
        """A server that does not read."""
        async with talking(deaf) as url, using() as client:
            with pytest.raises(httpx.WriteTimeout):
                await client.post(url, content=BIG, timeout=0.2)

    @pytest.mark.anyio
    async def test_connecting(self) -> None:
        """A server that does not answer the TLS handshake."""
        async with talking(deaf) as url, using() as client:
            with pytest.raises(httpx.ConnectTimeout):
                await client.post(url.replace("http:", "https:"), content=b"x", timeout=0.2)

    @pytest.mark.anyio
    async def test_waiting_for_a_turn(self) -> None:
        """All are in use; those that come later are served once there is one."""
        async with talking(silent, saying(OK)) as url, using(limit=1) as client:
            first = asyncio.create_task(client.post(url, content=b"x"))
            await asyncio.sleep(0.05)
            with pytest.raises(httpx.PoolTimeout):
                await client.post(url, content=b"x", timeout=httpx.Timeout(10, pool=0.1))
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            assert (await client.post(url, content=b"x")).content == b"ok"

    @pytest.mark.anyio
    async def test_kept_for_a_while_only(self) -> None:
        """A connection that has been idle for long is not trusted."""
        async with serving(lambda _: Answer(200)) as server, using(keep=0.05) as client:
            for _ in range(2):
                await client.post(server.url, content=b"x")
                await asyncio.sleep(0.1)
        assert server.connections == 2


@pytest.mark.anyio
async def test_hosts_that_nobody_asks_again_are_let_go() -> None:
    """Endpoints that others choose do not keep connections open for ever."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(serving(lambda _: Answer(200))) for _ in "123"]
        client = await stack.enter_async_context(using(keep=0.2))
        await asyncio.gather(*(client.get(server.url) for server in servers))
        assert [len(server.talks) for server in servers] == [1, 1, 1]
        await asyncio.sleep(0.3)
        await client.get(servers[0].url)
        await asyncio.sleep(0.1)
        assert [len(server.talks) for server in servers] == [1, 0, 0]


@pytest.mark.anyio
async def test_cancelled_requests_leave_no_turn_taken() -> None:
    """A hundred requests that are given up in any phase, and the pool is as before."""
    hang = [silent] * 100
    async with talking(*hang, saying(*[OK] * 9)) as url, using(limit=2) as client:
        for number in range(100):
            task = asyncio.create_task(client.post(url, content=b"x"))
            for _ in range(number % 7):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        hang.clear()
        transport = client._transport
        assert isinstance(transport, Http1Transport)
        assert transport._turns._value == 2


@pytest.mark.anyio
async def test_body_closed_early_drops_its_connection() -> None:
    """What is left of an answer is never taken for the next one."""
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"x" * 900_000
    async with talking(saying(long), saying(OK)) as url, using() as client:
        async with client.stream("POST", url, content=b"x") as response:
            async for _ in response.aiter_raw():
                break
        assert (await client.post(url, content=b"x")).content == b"ok"


@pytest.mark.anyio
async def test_large_answers_arrive_whole() -> None:
    """More than what is read ahead."""
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + bytes(range(250)) * 20_000
    async with talking(saying(long, OK)) as url, using() as client:
        assert (await client.post(url, content=b"x")).content == bytes(range(250)) * 20_000
        assert (await client.post(url, content=b"x")).content == b"ok"


@pytest.mark.parametrize("value", ["a\r\nB: c", "a\nb", "a\0b"])
@pytest.mark.anyio
async def test_fields_start_no_other(value: str) -> None:
    """A field with a line end is not sent at all."""
    async with serving(lambda _: Answer(200)) as server, using() as client:
        with pytest.raises(httpx.LocalProtocolError):
            await client.post(server.url, content=b"x", headers={"X": value})
    assert not server.asked


@pytest.mark.anyio
async def test_nobody_listens() -> None:
    """No connection, and a scheme that is none of ours."""
    async with serving(lambda _: Answer(200)) as gone:
        pass
    async with using() as client:
        with pytest.raises(httpx.ConnectError):
            await client.post(gone.url, content=b"x")
        with pytest.raises(httpx.UnsupportedProtocol):
            await client.post("ftp://127.0.0.1/", content=b"x")


@pytest.fixture(scope="module")
def ca() -> Iterator[Authority]:
    with authority() as made:
        yield made


class TestTls:
    """https, by a private authority."""

    def context(self, ca: Authority) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(ca.ca_file))

    async def posted(self, server: Server, **options: Any) -> int:
        """How many connections two requests took."""
        async with using(**options) as client:
            for _ in range(2):
                response = await client.post(server.url, content=bytes(500_000))
                assert response.status_code == 200
        return server.connections

    @pytest.mark.anyio
    async def test_trusted(self, ca: Authority) -> None:
        """One handshake serves several requests."""
        async with serving(lambda _: Answer(200), tls=ca.server) as server:
            assert await self.posted(server, verify=self.context(ca)) == 1

    @pytest.mark.anyio
    async def test_not_trusted(self, ca: Authority) -> None:
        """An unknown authority, and another host's certificate, end before anything is sent."""
        async with serving(lambda _: Answer(200), tls=ca.server) as server:
            with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
                await self.posted(server)
            await self.posted(server, verify=False)
        async with serving(lambda _: Answer(200), tls=ca.stranger) as server:
            with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
                await self.posted(server, verify=self.context(ca))
        assert not server.asked


def test_loops_that_end() -> None:
    """A client that is kept between two asyncio.run() calls opens a connection in each."""
    client = httpx.AsyncClient(transport=Http1Transport(), trust_env=False)

    async def send() -> int:
        async with serving(lambda _: Answer(200)) as server:
            for _ in range(2):
                await client.post(server.url, content=b"x")
            return server.connections

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the first loop left one open
        assert [asyncio.run(send()) for _ in range(2)] == [1, 1]
        gc.collect()
