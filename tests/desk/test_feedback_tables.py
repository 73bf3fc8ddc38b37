"""The tables [feedback.NAME]: each reader can be made from one, and its mistakes are named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vero_channels.feedback.app import App
from vero_channels.feedback.postmark import Postmark
from vero_channels.feedback.twilio import Twilio
from vero_channels.transport.webhooks import Access, Post
from vero_deliver import Project
from vero_deliver.cli import cli
from vero_deliver.errors import ConfigError, NotAuthentic
from vero_deliver.registry import READERS, find_reader

ACCESS = "access = { basic = [['vero', { env = 'S' }]], bearer = [{ env = 'S' }] }"
SECRETS = "secrets = [{ env = 'S' }]"
OPTIONS = {
    "bird": "signing_secrets = [{ env = 'WHSEC' }]",
    "brevo": ACCESS,
    "mailgun": "signing_keys = [{ env = 'S' }]",
    "mailjet": ACCESS,
    "mandrill": "keys = [{ env = 'S' }]\nurls = ['https://e.example/m']",
    "plivo": "auth_tokens = [{ env = 'S' }]\nurls = ['https://e.example/p']",
    "postmark": ACCESS,
    "push": SECRETS,
    "resend": "signing_secrets = [{ env = 'WHSEC' }]",
    "sendgrid": "public_keys = ['MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjlM7b6C/e0YluzBmfAH7YH75"
    "+LioD+9bMAYocDGHsqNz6x294DMYNm0Gn4Om9ZAAU8c2M8sEGyHFXhqGwfQAtA==']",
    "ses": "topics = ['arn:aws:sns:eu-west-1:1:t']",
    "sinch": SECRETS,
    "sns": "topics = ['arn:aws:sns:eu-west-1:1:t']",
    "sparkpost": ACCESS + "\ninitial_opens = true",
    "telnyx": "public_keys = ['e+CfT5fGgXSUF9H0yqKRrGSLtSbf9kfSFDDy5EDAnVs=']",
    "twilio": "auth_tokens = [{ env = 'S' }]\nurls = ['https://e.example/t']",
    "vonage": "signature_secrets = [{ env = 'S' }]\ntolerance = 60",
}

Make = Callable[[str], Project]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """A project whose only table is [feedback.its-name]."""
    monkeypatch.setenv("S", "a secret of enough characters")
    monkeypatch.setenv("WHSEC", "whsec_c2l4dGVlbiBjaGFyYWN0ZXJzIG9yIG1vcmU=")

    def made(table: str) -> Project:
        (tmp_path / "vero-deliver.toml").write_text(f"[feedback.its-name]\n{table}\n")
        return Project.find(tmp_path)

    return made


@pytest.mark.parametrize("name", READERS)
def test_every_reader_has_a_table(make: Make, name: str) -> None:
    """Its keys are the constructor's; its name is the table's."""
    readers = make(f"reader = '{name}'\n{OPTIONS[name]}").feedback_readers()
    assert {key: type(reader) for key, reader in readers.items()} == {"its-name": find_reader(name)}
    assert readers["its-name"].name == "its-name"


@pytest.mark.anyio
async def test_the_secrets_are_those_of_the_references(make: Make) -> None:
    """Any of the credentials opens, and nothing else does."""
    reader = make(f"reader = 'postmark'\n{OPTIONS['postmark']}").feedback_readers()["its-name"]
    assert isinstance(reader, Postmark)
    assert isinstance(reader.access, Access)
    assert "enough" not in repr(reader)
    body = b'{"RecordType": "Bounce"}'
    with pytest.raises(NotAuthentic):
        await reader.read(Post.of(body, {"Authorization": "Bearer other"}))
    await reader.read(Post.of(b"{}", {"Authorization": "Bearer a secret of enough characters"}))


def test_lists_are_the_constructors(make: Make) -> None:
    """A list of URLs is given as it is."""
    [reader] = make(f"reader = 'twilio'\n{OPTIONS['twilio']}").feedback_readers().values()
    assert isinstance(reader, Twilio)
    assert list(reader.urls) == ["https://e.example/t"]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("x = 1", 'toml:1: feedback.its-name: which reader? write reader = "sendgrid"'),
        ("reader = 'mailgum'", "toml:2: feedback.its-name.reader: there is no reader 'mailgum'; "
         "did you mean 'mailgun'?"),
        ("reader = 'fax'", "known: bird, brevo"),
        ("reader = 'mailgun'", "missing key 'signing_keys'"),
        ("reader = 'mailgun'\nsigning_key = []", "did you mean 'signing_keys'?"),
        ("reader = 'mailgun'\nsigning_keys = ['abc']", "secrets do not belong in this file"),
        ("reader = 'mailgun'\nsigning_keys = []", "signing_keys: give at least one secret"),
        ("reader = 'push'\nname = 'x'\n" + SECRETS, "unknown key 'name'"),
        ("reader = 'ses'\ntopics = ['a']\nfetch = 'x'", "fetch: is a function"),
        ("reader = 'twilio'\nurls = 'https://x'\nauth_tokens = []", "urls: expected a list"),
        ("reader = 'brevo'\naccess = { basic = [['vero', 'pw']] }",
         "feedback.its-name.access.basic: secrets do not belong"),
        ("reader = 'brevo'\naccess = { basic = ['vero'] }", "expected lists of 2"),
        ("reader = 'brevo'\naccess = { bearre = [] }", "access.bearre: unknown key"),
        ("reader = 'brevo'\naccess = {}", "access: give at least one secret"),
        ("reader = 'brevo'\naccess = { bearer = [{ env = 'NOT_SET' }] }", "NOT_SET is not set"),
    ],
)  # fmt: skip
def test_mistakes_name_table_and_key(make: Make, table: str, words: str) -> None:
    """File, table, key and what to write; never the secret."""
    project = make(table)
    with pytest.raises(ConfigError) as caught:
        project.feedback_readers()
    assert words in str(caught.value)
    assert "'pw'" not in str(caught.value)


def test_doctor_shows_no_secret(make: Make, tmp_path: Path) -> None:
    """Neither one that somebody wrote out nor the password of a URL; references are shown."""
    make(
        "reader = 'mandrill'\nkeys = ['hunter2', { env = 'S' }]\n"
        "urls = ['https://vero:hunter3@e.example/']\naccess = { basic = [['vero', 'hunter4']] }"
    )
    done = CliRunner().invoke(cli, ["-C", str(tmp_path), "doctor", "--config"])
    assert "hunter" not in done.output
    assert "{'env': 'S'}" in done.output


@pytest.mark.anyio
async def test_the_app_serves_them(make: Make) -> None:
    """Each at the path of its name."""
    taken: list[Any] = []

    async def take(feedback: Any) -> None:
        taken.extend(feedback)

    readers = make(f"reader = 'postmark'\n{OPTIONS['postmark']}").feedback_readers()
    statuses = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"{}"}

    async def send(message: Any) -> None:
        statuses.append(message.get("status"))

    for path in ("/its-name", "/postmark"):
        scope: Any = {"type": "http", "path": path, "method": "POST", "headers": []}
        await App(readers, take)(scope, receive, send)
    assert [status for status in statuses if status] == [401, 404]
