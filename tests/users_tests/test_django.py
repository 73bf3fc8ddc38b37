"""Django's own mail functions over our channels: to files, and to a real SMTP server."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from email.message import EmailMessage as Mime
from email.mime.image import MIMEImage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest

django = pytest.importorskip("django")

from aiosmtpd.controller import Controller  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core import mail  # noqa: E402

from vero_deliver.errors import ConfigError, DeliveryError  # noqa: E402

PROJECT = """
[channels.relay]
driver = "smtp"
host = "127.0.0.1"
port = {port}
security = "none"
[env.prod]
email = "relay"
"""
PIXEL = bytes.fromhex(
    "47494638396101000100800000ffffff00000021f90401000000002c00000000010001000002024401003b"
)


class Sink:
    """Keeps what it is sent; refuses bob."""

    def __init__(self) -> None:
        self.letters: list[Any] = []

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, to: str, options: Any
    ) -> str:
        if to.startswith("bob"):
            return "550 5.1.1 no mailbox here by that name"
        envelope.rcpt_tos.append(to)
        return "250 ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.letters.append(
            (envelope.rcpt_tos, email.message_from_bytes(envelope.content, policy=default))
        )
        return "250 ok"


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    """Django with our backend over a relay."""
    if not settings.configured:
        settings.configure(USE_I18N=False)  # as benchmarks.render does, in the same process
    made = Sink()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(made, hostname="127.0.0.1", port=port)
    server.start()
    (tmp_path / "vero-deliver.toml").write_text(PROJECT.format(port=port))
    settings.DEFAULT_FROM_EMAIL = "Shop <shop@example.com>"
    settings.EMAIL_BACKEND = "vero_deliver.django.mail.Backend"
    settings.VERO_DELIVER_PROJECT, settings.VERO_DELIVER_ENV = str(tmp_path), "prod"
    yield made
    server.stop()


def test_send_mail(sink: Sink) -> None:
    """The function everybody calls, with both parts."""
    count = mail.send_mail(
        "Hello\tAda",
        "Plain é",
        None,
        ["Ada Lovelace <ada@example.org>"],
        html_message="<p>HTML</p>",
    )
    assert count == 1
    [(to, letter)] = sink.letters
    assert to == ["ada@example.org"]
    assert (letter["subject"], letter["from"], letter["to"]) == (
        "Hello Ada", "Shop <shop@example.com>", "Ada Lovelace <ada@example.org>",
    )  # fmt: skip
    assert letter.get_body(("plain",)).get_content().strip() == "Plain é"
    assert letter.get_body(("html",)).get_content().strip() == "<p>HTML</p>"


def test_all_that_a_message_may_have(sink: Sink) -> None:
    """Copies, reply address, header fields, attachments of three kinds."""
    message = mail.EmailMultiAlternatives(
        "Subject", "Text", "a@example.com", ["ada@example.org"], bcc=["hidden@example.org"],
        cc=["cc@example.org"], reply_to=["reply@example.org"], headers={"X-Campaign": "7"},
    )  # fmt: skip
    message.attach_alternative('<p><img src="cid:dot"></p>', "text/html")
    message.attach("report.txt", "Zeilen ü", "text/plain")
    message.attach("data.bin", b"\0\1", None)
    picture = MIMEImage(PIXEL, "gif")
    picture.add_header("Content-ID", "<dot>")
    message.attach(picture)
    assert message.send() == 1
    [(to, letter)] = sink.letters
    assert sorted(to) == ["ada@example.org", "cc@example.org", "hidden@example.org"]
    assert "hidden" not in str(letter)
    assert (letter["reply-to"], letter["x-campaign"], letter["cc"]) == (
        "reply@example.org", "7", "cc@example.org",
    )  # fmt: skip
    parts: dict[str, Mime] = {
        part.get_filename() or part["content-id"] or "": part for part in letter.walk()
    }
    assert parts["report.txt"].get_payload(decode=True) == "Zeilen ü".encode()
    assert parts["data.bin"].get_payload(decode=True) == b"\0\1"
    assert any(part.get("content-id") == "<dot>" for part in letter.walk())


def test_html_only_and_nobody(sink: Sink) -> None:
    """content_subtype html; a message to nobody counts for none."""
    message = mail.EmailMessage("S", "<p>x</p>", to=["ada@example.org"])
    message.content_subtype = "html"
    assert message.send() == 1
    assert sink.letters[0][1].get_body(("html",)).get_content().strip() == "<p>x</p>"
    assert mail.EmailMessage("S", "x").send() == 0


def test_errors(sink: Sink) -> None:
    """Ours, unless Django is to be silent; the others of a call go out."""
    with pytest.raises(DeliveryError, match=r"5\.1\.1"):
        mail.send_mail("S", "x", None, ["bob@example.org"])
    assert mail.send_mail("S", "x", None, ["bob@example.org"], fail_silently=True) == 0
    with pytest.raises(ValueError, match="line end"):
        mail.send_mail("S", "x", None, ["ada@example.org\nBcc: eve@example.org"])
    connection = mail.get_connection(fail_silently=True)
    messages = [
        mail.EmailMessage("S", "x", to=[to]) for to in ("bob@example.org", "ada@example.org")
    ]
    assert connection.send_messages(messages) == 1
    settings.VERO_DELIVER_ENV = "nowhere"
    with pytest.raises(ConfigError):
        mail.send_mail("S", "x", None, ["ada@example.org"])


def test_one_connection_for_many(sink: Sink) -> None:
    """open() and close() as Django's; a second open is nobody's."""
    connection = mail.get_connection()
    assert connection.open() is True
    assert connection.open() is False
    for number in range(3):
        message = mail.EmailMessage(
            f"S{number}", "x", to=["ada@example.org"], connection=connection
        )
        assert message.send() == 1
    connection.close()
    connection.close()
    assert [letter["subject"] for _, letter in sink.letters] == ["S0", "S1", "S2"]


def test_dev_writes_files(sink: Sink, tmp_path: Path) -> None:
    """Nothing leaves by mistake."""
    settings.VERO_DELIVER_ENV = "dev"
    assert mail.send_mail("S", "x", None, ["ada@example.org"]) == 1
    assert len(list((tmp_path / "captured").glob("*.eml"))) == 1
    assert sink.letters == []


def test_the_same_as_djangos_own(sink: Sink) -> None:
    """What arrives is what Django's SMTP backend would have delivered."""
    message = mail.EmailMultiAlternatives("Grüße", "Text ü", "a@example.com", ["ada@example.org"])
    message.attach_alternative("<p>ü</p>", "text/html")
    message.send()
    [(_, ours)] = sink.letters
    theirs = email.message_from_bytes(message.message().as_bytes(), policy=default)
    for name in ("subject", "from", "to"):
        assert str(ours[name]) == str(theirs[name])
    for kind in ("plain", "html"):
        parts: list[Any] = [letter.get_body((kind,)) for letter in (ours, theirs)]
        assert parts[0].get_content().strip() == parts[1].get_content().strip()
