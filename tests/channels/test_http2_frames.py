"""What the client writes and reads, frame by frame; hostile peers, silence, closing."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hyperframe import frame as frames
from push_server import (
    Answer,
    Fate,
    Trouble,
    authority,
    client_context,
    server_context,
    serving,
)

from vero_channels.transport.http2 import Http2Client
from vero_channels.transport.http2_exchange import (
    Answer as Http2Answer,
)
from vero_channels.transport.http2_exchange import (
    Http2Error,
    UnansweredError,
    UnsentError,
    UntrustedError,
)
from vero_channels.transport.http2_fields import MAX_HEADERS, Fields, literal
from vero_channels.transport.http2_reading import MAX_IDLE_FRAMES

pytestmark = pytest.mark.anyio

FIELDS = Fields("push.example.com", [("apns-topic", "com.example.app")])
OK = b"\x88"
Script = Callable[["Raw"], Any]


class Raw:
    """A server whose frames a test writes itself. seen: what the client sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.seen: list[frames.Frame] = []

    def say(self, *sent: frames.Frame) -> None:
        self.writer.write(b"".join(each.serialize() for each in sent))

    async def until(self, kind: type[frames.Frame], **wanted: Any) -> Any:
        """The next frame of that type from the client."""
        while True:
            head = await self.reader.readexactly(9)
            found, length = frames.Frame.parse_frame_header(memoryview(head))
            found.parse_body(memoryview(await self.reader.readexactly(length)))
            self.seen.append(found)
            if isinstance(found, kind) and all(getattr(found, n) == v for n, v in wanted.items()):
                return found


def settings(**values: int) -> frames.SettingsFrame:
    numbers = {getattr(frames.SettingsFrame, name): value for name, value in values.items()}
    return frames.SettingsFrame(settings=numbers)


def headers(stream: int, block: bytes, *flags: str) -> frames.HeadersFrame:
    return frames.HeadersFrame(stream, block, flags=flags or ("END_HEADERS", "END_STREAM"))


@asynccontextmanager
async def raw(script: Script) -> AsyncIterator[tuple[int, list[Raw]]]:
    """A server that follows the script, with each connection."""
    talks: list[Raw] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.append(Raw(reader, writer))
        try:
            await reader.readexactly(24)
            await script(talks[-1])
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=server_context())
    try:
        yield server.sockets[0].getsockname()[1], talks
    finally:
        server.close()
        for each in talks:
            each.writer.transport.abort()
        await asyncio.sleep(0.01)


async def post(
    client: Http2Client, number: int = 1, body: bytes = b"{}", extra: bytes = b""
) -> Http2Answer:
    return await client.request(FIELDS, literal(":path", f"/{number}"), extra, body)


async def outcome(script: Script, **options: Any) -> Http2Answer | Http2Error:
    """How one request to that server ends."""
    async with raw(script) as (port, _):
        client = Http2Client("127.0.0.1", port, context=client_context(), **options)
        try:
            return await asyncio.wait_for(post(client), 20)
        except Http2Error as error:
            return error
        finally:
            await client.aclose()


async def test_a_request_waits_for_settings() -> None:
    """Preface, SETTINGS and WINDOW_UPDATE; no stream before the peer's own SETTINGS."""

    async def script(talk: Raw) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(talk.until(frames.HeadersFrame), 0.2)
        talk.say(settings())
        await talk.until(frames.DataFrame)
        talk.say(headers(1, OK))
        await talk.until(frames.GoAwayFrame)

    async with raw(script) as (port, talks):
        client = Http2Client("127.0.0.1", port, context=client_context())
        assert (await post(client)).status == 200
        await client.aclose()
        await asyncio.sleep(0.05)
    kinds = [type(each).__name__ for each in talks[0].seen]
    assert kinds[:2] == ["SettingsFrame", "WindowUpdateFrame"]
    assert sorted(kinds[2:5]) == ["DataFrame", "HeadersFrame", "SettingsFrame"]
    assert talks[0].seen[0].settings[1] == 0  # type: ignore[attr-defined]  # HEADER_TABLE_SIZE


async def test_ping_is_answered() -> None:
    """A PING comes back with its octets."""

    async def script(talk: Raw) -> None:
        talk.say(settings())
        await talk.until(frames.DataFrame)
        talk.say(frames.PingFrame(opaque_data=b"12345678"))
        found = await talk.until(frames.PingFrame)
        assert "ACK" in found.flags
        assert found.opaque_data == b"12345678"
        talk.say(headers(1, OK))
        await asyncio.sleep(1)

    assert (await outcome(script)).status == 200  # type: ignore[union-attr]


async def test_answer_may_come_in_any_pieces() -> None:
    """1xx, padding, priority, CONTINUATION, DATA without octets, unknown frames, trailers."""

    async def script(talk: Raw) -> None:
        talk.say(settings())
        await talk.until(frames.DataFrame)
        talk.say(headers(1, b"\x08\x03103", "END_HEADERS"))
        talk.writer.write(b"\0\0\4\x40\0\0\0\0\1abcd")
        talk.say(frames.PriorityFrame(1), frames.AltSvcFrame(0, b"x", b"y"))
        first = headers(1, b"\x08\x03", "PADDED", "PRIORITY")
        first.pad_length = 9
        body = frames.DataFrame(1, b'{"reason":', flags=("PADDED",))
        body.pad_length = 200
        talk.say(
            first,
            frames.ContinuationFrame(1, b"4"),
            frames.ContinuationFrame(1, b""),
            frames.ContinuationFrame(1, b"10\x00\x07apns-id\x01x", flags=("END_HEADERS",)),
            body,
            frames.DataFrame(1, b""),
            frames.DataFrame(1, b'"Unregistered"}'),
            headers(1, b"\x00\x01a\x01b"),
        )
        await asyncio.sleep(1)

    answer = await outcome(script)
    assert isinstance(answer, Http2Answer)
    assert (answer.status, answer.headers) == (410, {"apns-id": "x"})
    assert answer.body == b'{"reason":"Unregistered"}'


async def test_large_header_is_continued_and_large_body_waits_for_credit() -> None:
    """HEADERS with CONTINUATION; a body of 100,000 bytes within the windows, to the last byte."""
    body = bytes(range(250)) * 400
    seen: list[bytes] = []

    async def script(talk: Raw) -> None:
        talk.say(settings(INITIAL_WINDOW_SIZE=30_000))
        await talk.until(frames.ContinuationFrame)
        while sum(map(len, seen)) < 30_000:
            seen.append((await talk.until(frames.DataFrame)).data)
        talk.say(settings(INITIAL_WINDOW_SIZE=20_000))  # 10,000 below what was sent
        talk.say(frames.WindowUpdateFrame(0, 1_000_000), frames.WindowUpdateFrame(1, 10_001))
        seen.append((await talk.until(frames.DataFrame)).data)
        assert len(seen[-1]) == 1
        talk.say(settings(INITIAL_WINDOW_SIZE=100_000))
        found = await talk.until(frames.DataFrame)
        seen.append(found.data)
        while "END_STREAM" not in found.flags:
            found = await talk.until(frames.DataFrame)
            seen.append(found.data)
        talk.say(headers(1, OK))
        await asyncio.sleep(1)

    async with raw(script) as (port, _):
        client = Http2Client("127.0.0.1", port, context=client_context())
        extra = literal("x-long", "y" * 20_000)
        assert (await post(client, body=body, extra=extra)).status == 200
        await client.aclose()
    assert b"".join(seen) == body


FLOODS: dict[str, tuple[bytes, int]] = {
    "SETTINGS": (settings().serialize(), MAX_IDLE_FRAMES),
    "PING": (frames.PingFrame(opaque_data=b"12345678").serialize(), MAX_IDLE_FRAMES),
    "RST_STREAM": (frames.RstStreamFrame(1, 8).serialize(), MAX_IDLE_FRAMES),
    "answers to nobody": (headers(1, OK).serialize(), MAX_IDLE_FRAMES + 2),
    "empty DATA": (frames.DataFrame(1, b"").serialize(), MAX_IDLE_FRAMES),
    "empty CONTINUATION": (frames.ContinuationFrame(1, b"").serialize(), MAX_IDLE_FRAMES),
    "CONTINUATION": (
        frames.ContinuationFrame(1, b"\x00\x01a\x02bc" * 1_000).serialize(),
        MAX_HEADERS // 6_000 + 1,
    ),
}


@pytest.mark.parametrize("name", FLOODS)
async def test_flood_ends_the_connection(name: str) -> None:
    """Frames without end that do no good are answered by GOAWAY ENHANCE_YOUR_CALM."""
    octets, count = FLOODS[name]
    code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def script(talk: Raw) -> None:
        talk.say(settings())
        await talk.until(frames.DataFrame)
        if "CONTINUATION" in name:
            talk.say(frames.HeadersFrame(1, b"\x88"))
        elif "DATA" in name:
            talk.say(headers(1, OK, "END_HEADERS"))
        for _ in range(count):
            talk.writer.write(octets)
        code.set_result((await talk.until(frames.GoAwayFrame)).error_code)

    async with raw(script) as (port, _):
        client = Http2Client("127.0.0.1", port, context=client_context())
        if name in ("empty DATA", "answers to nobody"):
            assert (await post(client)).status == 200  # which had come
        else:
            with pytest.raises(UnansweredError):
                await post(client)
        assert await asyncio.wait_for(code, 60) == 11
        await client.aclose()


BREACHES: dict[str, bytes] = {
    "HTTP/1.1": b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(100),
    "no SETTINGS": frames.PingFrame(opaque_data=b"12345678").serialize(),
    "frame too long": settings().serialize() + b"\0\x40\1\0\0\0\0\0\1",
    "answer on an idle stream": settings().serialize() + headers(3, OK).serialize(),
    "answer on an even stream": settings().serialize() + headers(2, OK).serialize(),
    "body on an idle stream": settings().serialize() + frames.DataFrame(5, b"x").serialize(),
    "reset of an idle stream": settings().serialize() + frames.RstStreamFrame(7, 8).serialize(),
    "PUSH_PROMISE": settings().serialize() + frames.PushPromiseFrame(1, 2, b"").serialize(),
    "push enabled": settings(ENABLE_PUSH=1).serialize(),
    "window too large": settings(INITIAL_WINDOW_SIZE=1 << 31).serialize(),
    "frame size too small": settings(MAX_FRAME_SIZE=100).serialize(),
    "credit of 0": settings().serialize() + b"\0\0\4\x08\0\0\0\0\0" + bytes(4),
    "too much credit": settings().serialize()
    + frames.WindowUpdateFrame(0, (1 << 31) - 1).serialize(),
    "SETTINGS of 5 bytes": b"\0\0\5\4\0\0\0\0\0" + bytes(5),
    "SETTINGS on a stream": b"\0\0\0\4\0\0\0\0\1",
    "PING of 7 bytes": settings().serialize() + b"\0\0\7\6\0\0\0\0\0" + bytes(7),
    "GOAWAY of 7 bytes": settings().serialize() + b"\0\0\7\7\0\0\0\0\0" + bytes(7),
    "HEADERS on stream 0": settings().serialize() + b"\0\0\1\1\4\0\0\0\0\x88",
    "CONTINUATION alone": settings().serialize() + frames.ContinuationFrame(1, b"").serialize(),
}


@pytest.mark.parametrize("name", BREACHES)
async def test_breach_of_the_protocol_ends_the_connection(name: str) -> None:
    """The request fails, and soon."""

    async def script(talk: Raw) -> None:
        talk.writer.write(BREACHES[name])
        await asyncio.sleep(5)

    async with asyncio.timeout(4):
        assert isinstance(await outcome(script), Http2Error)


ANSWERS: dict[str, bytes] = {
    "padding only": b"\0\0\1\1\x0d\0\0\0\1\x05",
    "priority cut": b"\0\0\2\1\x25\0\0\0\1\0\0",
    "interrupted": frames.HeadersFrame(1, b"\x88").serialize() + settings().serialize(),
    "senseless block": headers(1, b"\xff\xff\xff\xff\xff").serialize(),
    "no status": headers(1, b"\x00\x01a\x01b").serialize(),
    "body first": frames.DataFrame(1, b"x").serialize(),
    "1xx at the end": headers(1, b"\x08\x03103").serialize(),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_broken_answer_is_no_answer(name: str) -> None:
    """The request was written: nobody knows what became of it."""

    async def script(talk: Raw) -> None:
        talk.say(settings())
        await talk.until(frames.DataFrame)
        talk.writer.write(ANSWERS[name])
        await asyncio.sleep(5)

    async with asyncio.timeout(4):
        assert isinstance(await outcome(script), UnansweredError)


async def test_answer_without_end_is_cut() -> None:
    """A body of more than 65,534 bytes is given up; the status counts."""

    async def script(talk: Raw) -> None:
        talk.say(settings())
        await talk.until(frames.DataFrame)
        talk.say(headers(1, b"\x8d", "END_HEADERS"))
        for _ in range(5):
            talk.say(frames.DataFrame(1, bytes(16_000)))
        assert (await talk.until(frames.RstStreamFrame)).error_code == 8

    answer = await outcome(script)
    assert isinstance(answer, Http2Answer)
    assert (answer.status, len(answer.body)) == (404, 80_000)


@pytest.mark.parametrize("kind", ["reset", "lost"])
async def test_status_counts_even_if_the_body_is_lost(kind: str) -> None:
    """A stream or connection that breaks within a body has answered all the same."""

    async def script(talk: Raw) -> None:
        talk.say(settings())
        await talk.until(frames.DataFrame)
        talk.say(headers(1, b"\x8d", "END_HEADERS"), frames.DataFrame(1, b"ab"))
        if kind == "reset":
            talk.say(frames.RstStreamFrame(1, 2))
            await asyncio.sleep(5)

    answer = await outcome(script)
    assert isinstance(answer, Http2Answer)
    assert (answer.status, answer.body) == (404, b"ab")


async def test_deadline_cancels_the_stream_and_keeps_the_connection() -> None:
    """No answer in time: RST_STREAM CANCEL, and the next request takes the same connection."""

    async def script(talk: Raw) -> None:
        talk.say(settings())
        await talk.until(frames.DataFrame)
        assert (await talk.until(frames.RstStreamFrame)).error_code == 8
        await talk.until(frames.DataFrame)
        talk.say(headers(1, OK), headers(3, OK))  # the late one is passed over
        await asyncio.sleep(1)

    async with raw(script) as (port, talks):
        client = Http2Client("127.0.0.1", port, context=client_context(), timeout=0.3)
        with pytest.raises(UnansweredError, match="in time"):
            await post(client)
        assert (await post(client)).status == 200
        await client.aclose()
        assert len(talks) == 1


async def test_waiting_for_a_stream_has_a_deadline_too() -> None:
    """A server that allows no stream: nothing was sent."""

    async def script(talk: Raw) -> None:
        talk.say(settings(MAX_CONCURRENT_STREAMS=0))
        await asyncio.sleep(5)

    end = await outcome(script, timeout=0.3)
    assert isinstance(end, UnsentError)
    assert "took no request" in str(end)


async def test_cancelled_caller_cancels_the_stream() -> None:
    """RST_STREAM CANCEL at once, not at the deadline."""
    written, cancelled = asyncio.Event(), asyncio.Event()

    async def script(talk: Raw) -> None:
        talk.say(settings())
        await talk.until(frames.DataFrame)
        written.set()
        assert (await talk.until(frames.RstStreamFrame)).error_code == 8
        cancelled.set()

    async with raw(script) as (port, _):
        client = Http2Client("127.0.0.1", port, context=client_context())
        task = asyncio.ensure_future(post(client))
        await asyncio.wait_for(written.wait(), 5)
        task.cancel()
        await asyncio.wait_for(cancelled.wait(), 5)
        await client.aclose()


async def test_silent_server_is_asked_by_ping_and_given_up() -> None:
    """PING after `keepalive` seconds; without an answer the connection is dead."""
    pinged: list[float] = []

    async def script(talk: Raw) -> None:
        talk.say(settings())
        await talk.until(frames.PingFrame)
        pinged.append(1)
        await asyncio.sleep(5)

    end = await outcome(script, keepalive=0.2, patience=0.2)
    assert isinstance(end, UnansweredError)
    assert "PING" in str(end)
    assert pinged


async def test_server_without_settings_is_given_up() -> None:
    """It was connected to but never spoke: nothing was sent."""

    async def script(talk: Raw) -> None:
        await asyncio.sleep(5)

    end = await outcome(script, patience=0.2)
    assert isinstance(end, UnsentError)
    assert "SETTINGS" in str(end)


async def test_goaway_tells_its_reason() -> None:
    """What stands in GOAWAY's debug data is in the error of what was in flight."""

    async def script(talk: Raw) -> None:
        talk.say(settings())
        await talk.until(frames.DataFrame)
        talk.say(
            frames.GoAwayFrame(last_stream_id=1, error_code=11, additional_data=b'{"reason":"x"}')
        )

    end = await outcome(script)
    assert isinstance(end, UnansweredError)
    assert 'GOAWAY ENHANCE_YOUR_CALM {"reason":"x"}' in str(end)


@pytest.mark.parametrize("words", ["goaway", "close", "refuse"])
async def test_loops_end(words: str) -> None:
    """A server that only ever goes away, closes or refuses is not asked for ever."""
    connections = []

    async def script(talk: Raw) -> None:
        connections.append(talk)
        talk.say(settings())
        stream = (await talk.until(frames.DataFrame)).stream_id
        while words == "refuse":
            talk.say(frames.RstStreamFrame(stream, 7))
            stream = (await talk.until(frames.DataFrame)).stream_id
        if words == "goaway":
            talk.say(frames.GoAwayFrame(last_stream_id=0))
            await talk.until(frames.GoAwayFrame)

    end = await outcome(script)
    assert isinstance(end, UnansweredError if words == "close" else UnsentError)
    assert len(connections) <= 10


async def test_nobody_listens() -> None:
    """No connection: nothing was sent."""
    client = Http2Client("127.0.0.1", 9, context=client_context())
    with pytest.raises(UnsentError, match="no connection"):
        await post(client)
    await client.aclose()


async def test_server_has_to_be_trusted_and_speak_http2() -> None:
    """An authority that we do not trust; a server that speaks HTTP/1.1."""
    async with serving(lambda _: Answer()) as server:
        client = Http2Client("127.0.0.1", server.port, context=ssl.create_default_context())
        with pytest.raises(UntrustedError, match="certificate verify failed"):
            await post(client)
        await client.aclose()
    plain = server_context()
    plain.set_alpn_protocols(["http/1.1"])
    async with serving(lambda _: Answer(), tls=plain) as server:
        client = Http2Client("127.0.0.1", server.port, context=client_context())
        with pytest.raises(UntrustedError, match="HTTP/2"):
            await post(client)
        await client.aclose()


async def test_our_certificate_is_shown() -> None:
    """A server that wants one gets it; without it there is no connection."""
    async with serving(lambda _: Answer(), tls=server_context(client_certificates=True)) as server:
        client = Http2Client("127.0.0.1", server.port, context=client_context())
        with pytest.raises(UnsentError):
            await post(client)
        await client.aclose()
        context = client_context()
        authority().issue_cert("us").configure_cert(context)
        client = Http2Client("127.0.0.1", server.port, context=context)
        assert (await post(client)).status == 200
        await client.aclose()


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")
async def test_alert_of_the_server_is_told(tmp_path: Path) -> None:
    """OpenSSL says by an alert that it wants a certificate, in TLS 1.3 after our handshake."""
    ours = authority().issue_cert("127.0.0.1")
    ours.private_key_pem.write_to_path(tmp_path / "key.pem")
    for pem in ours.cert_chain_pems:
        pem.write_to_path(tmp_path / "cert.pem", append=True)
    server = await asyncio.create_subprocess_exec(
        "openssl", "s_server", "-accept", "0", "-4", "-key", "key.pem", "-cert", "cert.pem",
        "-alpn", "h2", "-Verify", "1", "-verify_return_error",
        cwd=tmp_path, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert server.stdout
        line = b""
        while not line.startswith(b"ACCEPT"):
            line = await asyncio.wait_for(server.stdout.readline(), 10)
        client = Http2Client("127.0.0.1", int(line.split(b":")[-1]), context=client_context())
        with pytest.raises(UntrustedError, match="certificate required"):
            await post(client)
        await client.aclose()
    finally:
        server.kill()
        await server.communicate()


async def test_more_connections_serve_more_streams() -> None:
    """A server that allows one stream gets as many connections as we are allowed."""
    async with serving(lambda _: Answer(), Trouble(streams=1)) as server:
        client = Http2Client("127.0.0.1", server.port, context=client_context(), connections=3)
        await asyncio.gather(*(post(client, number) for number in range(600)))
        assert server.connections == 3
        await client.aclose()
    assert len(server.asked) == 600


async def test_closed_client_gives_up_what_is_in_flight_and_works_again() -> None:
    """aclose: sent and unanswered is uncertain, the rest was not sent; then all begins anew."""
    two = asyncio.Event()

    def fate(number: int) -> Fate:
        if number == 2:
            two.set()
        return "hang" if number <= 2 else "answer"

    async with serving(lambda _: Answer(), Trouble(streams=2, fate=fate)) as server:
        client = Http2Client("127.0.0.1", server.port, context=client_context())
        tasks = [asyncio.ensure_future(post(client, number)) for number in range(5)]
        await asyncio.wait_for(two.wait(), 5)
        await client.aclose()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(end) for end in ends] == [UnansweredError] * 2 + [UnsentError] * 3
        assert (await post(client)).status == 200
        await client.aclose()
        await client.aclose()


async def test_closing_ends_what_was_not_written_yet() -> None:
    """Requests that have begun in this turn of the loop fail: none waits for ever."""
    async with serving(lambda _: Answer()) as server:
        client = Http2Client("127.0.0.1", server.port, context=client_context())
        await post(client)
        tasks = [asyncio.ensure_future(post(client, number)) for number in range(5)]
        await asyncio.sleep(0)
        await client.aclose()
        async with asyncio.timeout(5):
            ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(end) for end in ends} == {UnsentError}
        assert len(server.asked) == 1


def test_each_event_loop_gets_its_own_connection() -> None:
    """asyncio.run twice: the connection of the first is not used by the second."""
    client = Http2Client("127.0.0.1", 1, context=client_context())

    async def once() -> int:
        async with serving(lambda _: Answer()) as server:
            client.port = server.port
            status = (await post(client)).status
            await client.aclose()
            return status

    assert [asyncio.run(once()), asyncio.run(once())] == [200, 200]
