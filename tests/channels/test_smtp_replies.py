"""Reading SMTP replies, which are untrusted text."""

from __future__ import annotations

import asyncio
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vero_channels.transport.smtp_data import stuffed
from vero_channels.transport.smtp_dialogue import Dialogue, Reply, SessionError, clean
from vero_channels.transport.smtp_letter import Letter, envelope
from vero_channels.transport.smtp_replies import Step, queue_id, refusal
from vero_channels.transport.smtp_server import Server
from vero_deliver.errors import Deferred, DeliveryError


class Wire(asyncio.Transport):
    """A transport that keeps what is written and answers at once, cut where told."""

    def __init__(self, *answer: bytes) -> None:
        super().__init__()
        self.answer, self.written = answer, b""
        self.protocol: asyncio.Protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)
        for part in self.answer:
            self.protocol.data_received(part)

    def abort(self) -> None:
        self.protocol.connection_lost(None)


def answered(*parts: bytes) -> Reply:
    """The reply that a client reads when these bytes arrive."""

    async def ask() -> Reply:
        return await Dialogue(Wire(*parts)).command(b"NOOP", within=5)

    return asyncio.run(ask())


@given(st.integers(0, 30))
def test_reply_may_arrive_in_pieces(cut: int) -> None:
    """Where the network cuts a reply makes no difference."""
    data = b"550-5.1.1 no such\r\n550 5.1.1 user here\r\n"
    reply = answered(data[:cut], data[cut:])
    assert (reply.label, reply.words) == ("550 5.1.1", "no such user here")


@pytest.mark.parametrize("data", [b"hello\r\n", b"99 x\r\n", b"600 x\r\n", b"250x\r\n", b"\r\n"])
def test_what_is_no_reply_breaks_the_session(data: bytes) -> None:
    """A line without a reply code is never guessed at."""
    with pytest.raises(SessionError, match="no SMTP"):
        answered(data, b"250 ok\r\n")


@pytest.mark.parametrize("data", [b"250-x\r\n" * 9000, b"2" * 40_000, b"250 x\r\n" * 50])
def test_reply_without_end_breaks_the_session(data: bytes) -> None:
    """Endless lines, endless continuations and floods of replies are not kept."""
    with pytest.raises(SessionError, match="no end"):
        asyncio.run(_twice(data))


async def _twice(data: bytes) -> None:
    dialogue = Dialogue(Wire(data))
    await dialogue.command(b"NOOP", within=5)
    await dialogue.command(b"NOOP", within=5)


def test_unasked_reply_never_answers_the_next_command() -> None:
    """A reply that nobody asked for ends the session; the next command is not even said."""

    async def ask() -> bytes:
        wire = Wire(b"250 ok\r\n421 4.4.2 idle for too long\r\n")
        dialogue = Dialogue(wire)
        await dialogue.command(b"NOOP", within=5)
        with pytest.raises(SessionError, match="421"):
            await dialogue.command(b"MAIL FROM:<a@x>", within=5)
        return wire.written

    assert asyncio.run(ask()) == b"NOOP\r\n"


@pytest.mark.parametrize("path", [b"<a@x>\r\nRSET", b"a\nb", b"a\0"])
def test_no_command_holds_another(path: bytes) -> None:
    """A path with a line end or NUL makes no command."""
    server = Server(channel="smtp", host="127.0.0.1", port=25, security="none")
    with pytest.raises(ValueError, match="control"):
        envelope(Letter(sender=b"<a@x>", recipients=(path,), data=b""), {}, server)


@given(
    st.integers(200, 599),
    st.lists(st.text(max_size=50), max_size=5),
    st.sampled_from(get_args(Step)),
    st.text(max_size=50),
)
def test_every_reply_becomes_a_printable_error(
    code: int, lines: list[str], step: Step, address: str
) -> None:
    """Whatever the server says, the error is one printable line that names the channel."""
    error = refusal(Reply(code, tuple(lines)), step, channel="smtp", address=address)
    assert isinstance(error, DeliveryError)
    assert str(error).isprintable()
    assert error.channel == "smtp"


@given(st.text(max_size=2000))
def test_clean_is_printable_and_bounded(text: str) -> None:
    """Cleaned words are one printable line of at most 300 characters."""
    assert clean(text).isprintable()
    assert len(clean(text)) <= 300


@given(st.lists(st.text(max_size=400), min_size=1, max_size=3))
def test_queue_id_is_printable_and_bounded(lines: list[str]) -> None:
    """A queue id comes from the cleaned words only."""
    found = queue_id(Reply(250, tuple(lines)))
    assert found in Reply(250, tuple(lines)).words


@given(st.lists(st.sampled_from([b".", b"a", b"\r\n", b"..", b"\r\n."]), max_size=30))
def test_stuffing_hides_every_end(parts: list[bytes]) -> None:
    """No stuffed message holds the end-of-data line, and unstuffing gives it back."""
    message = b"".join(parts) + b"\r\n"
    hidden = stuffed(message)
    lines = hidden.split(b"\r\n")
    assert b"." not in lines
    assert b"\r\n".join(line.removeprefix(b".") for line in lines) == message


@pytest.mark.parametrize(
    ("words", "step", "mailbox"),
    [
        ("450 4.2.0 greylisted, come back in 5 minutes", "RCPT TO", True),
        ("451 4.7.1 try again later", "RCPT TO", True),
        ("452 4.2.2 mailbox full", "RCPT TO", True),
        ("451 4.3.2 shutting down", "RCPT TO", False),
        ("450 4.4.1 no answer from next hop", "RCPT TO", False),
        ("421 4.7.0 too many connections", "RCPT TO", False),
        ("451 4.7.1 try again later", "MAIL FROM", False),
        ("452 4.3.1 no space", "the message", False),
    ],
)
def test_what_is_about_one_mailbox(words: str, step: Step, mailbox: bool) -> None:
    """A server that defers one recipient works; one that has no space or time does not."""
    error = refusal(Reply(int(words[:3]), (words[4:],)), step, channel="smtp", address="a@b.cz")
    assert isinstance(error, Deferred)
    assert error.personal == mailbox
