"""DKIM as others read it: npm mailauth and Debian's opendkim agree with dkimpy."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from dkim_samples import CENTURY, SIGNED_AT, ed25519, newsletter, rsa, zone
from mime_samples import sample

from vero_deliver import mime
from vero_deliver.rendered import RenderedEmail

PEERS = Path(__file__).parents[1] / "peers"

Mailauth = Callable[[dict[str, bytes]], dict[str, list[str]]]
Opendkim = Callable[[bytes], list[str]]


def dual(email: RenderedEmail) -> bytes:
    return mime.sign(mime.build(email, "k"), [rsa(), ed25519()], SIGNED_AT)


def in_pieces() -> bytes:
    """A newsletter whose parts a template printed in pieces, signed twice."""
    plain = newsletter()
    html = mime.Printed(
        ["<p>Hello  ", "Ad\u00e9la", "</p>\n"], mime.Chunks(["<p>Hello  ", "</p>\n"])
    )
    text = mime.Printed(["Hello ", "Ad\u00e9la"], mime.Chunks(["Hello "]))
    email = RenderedEmail.of_pieces(
        html=html,
        text=text,
        from_=plain.from_,
        to=plain.to,
        subject=plain.subject,
        headers=plain.headers,
        at=SIGNED_AT,
    )
    return email.signed("k", [rsa(), ed25519()])


def valid_messages() -> dict[str, bytes]:
    """Messages whose two signatures hold."""
    simple = [rsa(canonicalization="relaxed/simple"), ed25519(canonicalization="relaxed/simple")]
    tagged = [
        rsa(identity="news@mail.example.com", expires_after=CENTURY),
        ed25519(identity="@example.com", expires_after=CENTURY),
    ]
    raw = mime.build(newsletter(), "k")
    return {
        "newsletter": dual(newsletter()),
        "plain": dual(sample()),
        "pieces": in_pieces(),
        "blanks": dual(newsletter(subject="  a \t  b ", text=" \t \n\n  a  b\t\n\n\n", html="")),
        "empty body": dual(sample(text="")),
        "long subject": dual(newsletter(subject="p\u0159\u00edklad " * 40)),
        "simple": mime.sign(raw, simple, SIGNED_AT),
        "every tag": mime.sign(raw, tagged, SIGNED_AT),
        "Received": b"Received: from a by b; Sun, 1 Mar 2026 09:30:16 +0000\r\n"
        + dual(newsletter()),
    }


def broken_messages() -> dict[str, bytes]:
    """Messages that somebody has changed under way."""
    raw = dual(newsletter())
    return {
        "subject": raw.replace(b"Subject: Hello", b"Subject: Hallo"),
        "body": raw[:-9] + b"x" + raw[-8:],
        "second From": b"From: eve@example.org\r\n" + raw,
        "second Subject": b"Subject: Win\r\n" + raw,
        "no List-Unsubscribe": re.sub(rb"List-Unsubscribe: .*\r\n", b"", raw),
        "Reply-To added": b"Reply-To: eve@example.org\r\n" + dual(sample()),
        "subject over pieces": in_pieces().replace(b"Subject: Hello", b"Subject: Hallo"),
        "second From over pieces": b"From: eve@example.org\r\n" + in_pieces(),
        "no List-Unsubscribe over pieces": re.sub(rb"List-Unsubscribe: .*\r\n", b"", in_pieces()),
    }


@pytest.fixture(scope="module")
def mailauth() -> Mailauth:
    """Verdicts of npm mailauth, in one run of node."""
    node = shutil.which("node")
    if not node:
        pytest.skip("no node, which mailauth needs")
    if not (PEERS / "node_modules/mailauth").is_dir():
        pytest.fail("npm mailauth is not installed: run scripts/peers (as scripts/test does)")

    def verdicts(messages: dict[str, bytes]) -> dict[str, list[str]]:
        listed = [base64.b64encode(raw).decode() for raw in messages.values()]
        run = subprocess.run(
            [node, str(PEERS / "dkim.mjs")],
            input=json.dumps({"zone": zone(), "messages": listed}),
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        return dict(zip(messages, json.loads(run.stdout), strict=True))

    return verdicts


@pytest.fixture
def opendkim(tmp_path: Path) -> Opendkim:
    """Verdicts of Debian's opendkim."""
    command = shutil.which("opendkim") or shutil.which("opendkim", path="/usr/sbin")
    if not command:
        pytest.skip("no opendkim; Debian has it: apt-get install opendkim")
    dns, settings, letter = tmp_path / "dns", tmp_path / "conf", tmp_path / "letter.eml"
    dns.write_text("".join(f"{name} {text}\n" for name, text in zone().items()))
    settings.write_text(f"Mode v\nTestDNSData {dns}\nTrustAnchorFile /dev/null\n")

    def verdicts(raw: bytes) -> list[str]:
        letter.write_bytes(raw)
        run = subprocess.run(
            [command, "-x", str(settings), "-t", str(letter), "-vv"],
            capture_output=True,
            text=True,
            check=True,
        )
        return re.findall(r"\bdkim=(\w+)", run.stdout)

    return verdicts


def test_mailauth_accepts(mailauth: Mailauth) -> None:
    """mailauth passes both signatures of every message."""
    messages = valid_messages()
    assert mailauth(messages) == {name: ["pass", "pass"] for name in messages}


def test_mailauth_refuses(mailauth: Mailauth) -> None:
    """mailauth passes neither signature of a changed message."""
    messages = broken_messages()
    # "neutral" is its word for a body whose hash differs
    found = mailauth(messages)
    assert found == {name: ["neutral" if name == "body" else "fail"] * 2 for name in messages}


@pytest.mark.parametrize("name", valid_messages())
def test_opendkim_accepts(name: str, opendkim: Opendkim) -> None:
    """opendkim passes both signatures."""
    assert opendkim(valid_messages()[name]) == ["pass", "pass"]


@pytest.mark.parametrize("name", broken_messages())
def test_opendkim_refuses(name: str, opendkim: Opendkim) -> None:
    """opendkim passes neither signature of a changed message."""
    assert opendkim(broken_messages()[name]) == ["fail", "fail"]
