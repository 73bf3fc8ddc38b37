"""What the studio answers, asked without a browser."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("starlette")
import httpx
from starlette.applications import Starlette

from studio.studio_server import NOON, copied
from vero_deliver.cli import cli
from vero_deliver.errors import ConfigError
from vero_deliver.project import Project
from vero_deliver.studio.app import application
from vero_deliver.studio.live import Live
from vero_deliver.studio.state import TABS, State
from vero_deliver.studio.trouble import excerpt, trouble_of
from vero_deliver.studio.workspace import Workspace

HOST = "127.0.0.1:4747"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copied(tmp_path)


@pytest.fixture
def client(project: Path) -> Client:
    return served(project, "local")


class Client:
    """Asks an application as a browser would; Starlette's own needs another HTTP library."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
                return await client.request(method, path, **options)

        return asyncio.run(answer())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)


def run(*arguments: str) -> Result:
    """A command in this process."""
    return CliRunner().invoke(cli, arguments, prog_name="vero-deliver")


def served(project: Path, env: str = "dev") -> Client:
    return Client(application(Workspace(project, env=env), hosts=[HOST], live=Live()))


def ask(client: Client, path: str = "/", **query: str) -> str:
    return client.get(f"{path}?{urlencode({'now': NOON, **query})}").text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:4747", "127.0.0.1", "127.0.0.1:80"])
def test_another_name_gets_nothing(client: Client, host: str) -> None:
    """A name that leads here by DNS rebinding is no name of the studio."""
    for path in ("/", "/frame", "/message.eml", "/events", "/static/studio.js"):
        answer = client.get(path, headers={"host": host})
        assert answer.status_code == 403
        assert "order" not in answer.text


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:80", "null"])
def test_another_origin_gets_nothing(client: Client, origin: str) -> None:
    """A page of somebody else's cannot read what is shown here."""
    assert client.get("/", headers={"origin": origin}).status_code == 403
    assert client.get("/", headers={"origin": f"http://{HOST}"}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(client: Client, method: str) -> None:
    """There is no request that writes."""
    assert client.request(method, "/").status_code == 405


def test_pages_may_do_little(client: Client) -> None:
    """No inline script or style, no framing by others; the email: no script, form or origin."""
    page = client.get("/")
    rules = page.headers["content-security-policy"]
    assert "script-src 'self';" in rules
    assert "frame-ancestors 'none'" in rules
    assert "unsafe-inline" not in rules
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son\w+=", page.text)
    frame = client.get("/frame?message=order-receipt")
    rules = frame.headers["content-security-policy"]
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in rules
    assert "script-src" not in rules
    assert "default-src 'none'; img-src data:;" in rules
    assert "form-action 'none'" in rules
    assert frame.headers["x-content-type-options"] == "nosniff"


def test_images_are_fetched_when_asked_for(client: Client) -> None:
    """The switch widens one rule, of this frame."""
    rules = client.get("/frame?message=order-receipt&images=on").headers["content-security-policy"]
    assert "img-src data: https: http:;" in rules
    assert "script-src" not in rules


def test_the_frame_has_the_html_part(client: Client) -> None:
    """Unaltered, where the email carries no image of its own."""
    eml = client.get(f"/message.eml?{urlencode({'now': NOON, 'message': 'order-shipped'})}")
    body = message_from_bytes(eml.content, policy=policy.default).get_body(("html",))
    assert body is not None
    part = body.get_content().replace("\r\n", "\n")  # as MIME ends lines
    assert ask(client, "/frame", message="order-shipped").strip() == part.strip()


def test_inline_images_are_put_in_place(client: Client) -> None:
    """cid: is the one thing that is replaced."""
    html = ask(client, "/frame", message="order-receipt")
    assert "cid:" not in html
    assert 'src="data:image/png;base64,' in html


def test_safari_is_served_a_rewritten_query(client: Client) -> None:
    """A browser that does not tell frames their colours gets the query decided."""
    safari = "Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15"
    query = urlencode({"now": NOON, "message": "order-shipped", "scheme": "dark"})
    plain = client.get(f"/frame?{query}").text
    told = client.get(f"/frame?{query}", headers={"user-agent": safari}).text
    assert "prefers-color-scheme" in plain
    assert "prefers-color-scheme" not in told


def test_every_address_comes_back_as_it_was() -> None:
    """What is looked at stands in the URL, and only what differs from the default."""
    state = State(message="a/b", to="#3", tab="push", device="free", width=512, scheme="dark")
    query = dict(part.split("=") for part in state.url().removeprefix("/?").split("&"))
    assert set(query) == {"message", "to", "tab", "device", "width", "scheme"}
    assert State.of(dict(parse_qsl(state.url().removeprefix("/?")))) == state


@pytest.mark.parametrize(
    "query",
    ["tab=nonsense", "width=-1", "width=9999999999", "device=free&width=abc", "now=yesterday",
     "scheme=<script>", "images=1", "to=nobody", "message=../../etc",
     "file=../../vero-deliver.toml",
     "tab=outbox&file=/etc/passwd", "source=/etc/passwd", "other=nobody&tab=diff",
     "rev=--output=x"],
)  # fmt: skip
def test_a_strange_address_is_answered(client: Client, query: str) -> None:
    """Nonsense is the default or an error in words, never a crash or somebody's file."""
    answer = client.get(f"/?{query}")
    assert answer.status_code == 200
    assert "root:" not in answer.text
    assert "<script>" not in answer.text


def test_what_users_write_is_text_here(client: Client, project: Path) -> None:
    """Names, subjects, texts and header fields of a sample cannot become markup of the studio."""
    hostile = "<img src=x onerror=alert(1)>\"'>"
    sample = {"user": {"first_name": hostile, "email": "a@b.example", "phone": "+447700900123"}}
    folder = project / "messages/hostile"
    (folder / "samples").mkdir(parents=True)
    (folder / "samples/a.json").write_text(json.dumps(sample))
    (folder / "message.toml").write_text(
        'title = "T"\n[email]\nsubject = "{{ user.first_name }}"\n'
        '[sms]\nbody = "{{ user.first_name }}"\n'
        '[push]\ntitle = "{{ user.first_name }}"\nbody = "{{ user.first_name }}"\n'
    )
    (folder / "email.txt").write_text("{{ user.first_name }}")
    for tab in TABS:
        assert "<img src=x" not in ask(client, message="hostile", tab=tab)


def test_excerpts_stay_inside_the_project(client: Client, project: Path) -> None:
    """An error that names a file elsewhere quotes nothing of it."""
    (project.parent / "secret.txt").write_text("a secret\n")
    assert excerpt("../secret.txt", 1, [project]) == ()
    assert excerpt(str(project.parent / "secret.txt"), 1, [project]) == ()
    found = trouble_of(ConfigError("vero-deliver.toml:2: it is wrong"), [project])
    assert (found.place, found.detail) == ("vero-deliver.toml:2", "it is wrong")
    assert [line.number for line in found.lines if line.here] == [2]


def test_every_channel_has_its_request(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the environment are told apart; a secret that is missing is named, none shown."""
    monkeypatch.setenv("BRAMBLE_HOOKS_SECRET", "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0")
    page = ask(served(project, "prod"), message="order-shipped", tab="http")
    assert "BRAMBLE_TWILIO_TOKEN" in page
    assert "POST /hooks/bramble HTTP/1.1" in page
    assert "c2VjcmV0" not in page
    assert page.count("used in prod") == 3
    monkeypatch.setenv("BRAMBLE_TWILIO_TOKEN", "twilio-secret")
    page = ask(served(project, "prod"), message="order-shipped", tab="http")
    assert "api.twilio.com" in page
    assert "curl -X POST" in page
    assert "twilio-secret" not in page


def test_outbox_is_read_and_never_made(project: Path) -> None:
    """The database is not created by looking; its deliveries have the digest that is shown."""
    with (project / "vero-deliver.toml").open("a") as settings:
        settings.write("\n[outbox]\n")
    client = served(project)
    assert "Nothing has been sent yet." in ask(client, message="order-receipt", tab="outbox")
    assert not (project / "outbox.db").exists()
    sample = project / "messages/order-shipped/samples/ada.json"
    done = run("-C", str(project), "send", "order-shipped", "--data", str(sample), "--yes")
    assert done.exit_code == 0, done.output
    page = ask(client, message="order-shipped", tab="outbox")
    assert page.count("accepted</span>") == 4


def test_digest_is_what_the_outbox_records(project: Path) -> None:
    """The truth of a text message is the outbox's, whatever the clock says."""
    with (project / "vero-deliver.toml").open("a") as settings:
        settings.write("\n[outbox]\n")
    sample = project / "messages/order-shipped/samples/ada.json"
    about = ["--data", str(sample), "--yes", "--now", NOON]
    done = run("-C", str(project), "send", "order-shipped", *about)
    assert done.exit_code == 0, done.output
    box = Project.find(project).outbox()
    assert box is not None
    recorded = {record.content: record.digest for record in box.search()}
    box.close()
    client = served(project)
    for content in ("email", "sms", "push"):
        page = ask(client, message="order-shipped", to="ada", tab=content)
        assert recorded[content] in page


def test_render_prints_what_the_studio_shows(project: Path) -> None:
    """For every sample of every example: the digest, the download, and the command beside them."""
    client = served(project)
    tried = 0
    for sample in sorted((project / "messages").glob("*/samples/*.json")):
        message, who = sample.parent.parent.name, sample.stem
        page = ask(client, message=message, to=who)
        printed = run("-C", str(project), "render", message, "-t", who, "--now", NOON).stdout_bytes
        assert hashlib.sha256(printed).hexdigest() in page
        query = urlencode({"now": NOON, "message": message, "to": who})
        assert client.get(f"/message.eml?{query}").content == printed
        assert f"vero-deliver render {message} -t {who} --now {NOON} -f eml" in page
        tried += 1
    assert tried >= 7


def test_a_captured_email_has_its_images(project: Path) -> None:
    """It is shown as it was when it was a preview."""
    sample = project / "messages/order-receipt/samples/ada.json"
    about = ("--data", str(sample), "--now", NOON, "--yes")
    assert run("-C", str(project), "send", "order-receipt", *about).exit_code == 0
    [file] = (project / "captured").glob("*.eml")
    client = served(project)
    shown = ask(client, "/frame", file=file.name, message="order-receipt")
    preview = ask(client, "/frame", message="order-receipt", to="ada")
    assert 'src="data:image/png;base64,' in shown
    assert shown.split() == preview.split()


def test_a_project_without_messages_says_how_to_begin(project: Path) -> None:
    """An empty folder is no error; one that is gone, or settings that are, are said."""
    client = served(project)
    shutil.rmtree(project / "messages")
    assert 'role="alert"' in ask(client)
    (project / "messages").mkdir()
    assert "vero-deliver init welcome" in ask(client)
    (project / "vero-deliver.toml").unlink()
    assert "vero-deliver.toml" in ask(client)


def test_a_revision_of_git_is_compared(project: Path) -> None:
    """What has changed since a commit is shown field by field; no such revision is said."""
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", "-C", str(project), *command], check=True)
    client = served(project)
    about = {"message": "order-shipped", "to": "ada", "tab": "diff"}
    assert "No difference." in ask(client, **about, rev="HEAD")
    file = project / "messages/order-shipped/message.toml"
    file.write_text(file.read_text().replace("Order {{ id }} left us", "Order {{ id }} went off"))
    page = ask(client, **about, rev="HEAD")
    assert "Push: body" in page
    assert "Email: HTML" not in page
    assert "went off with Royal Mail" in page
    assert "git knows no revision" in ask(client, **about, rev="nonsense")
    assert "is no revision" in ask(client, **about, rev="--output=x")


@pytest.fixture(autouse=True)
def _here(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)


def test_users_out_of_a_database(project: Path) -> None:
    """Every query of the settings is a source, and its rows are people like any other."""
    with sqlite3.connect(project / "shop.db") as database:
        database.execute("CREATE TABLE members (email TEXT, first_name TEXT)")
        database.execute("INSERT INTO members VALUES ('grace@example.org', 'Grace')")
    database.close()
    settings = project / "vero-deliver.toml"
    query = '[queries.members]\nfile = "shop.db"\nsql = "SELECT * FROM members"\n'
    settings.write_text(f"{settings.read_text()}\n{query}")
    client = served(project, "local")
    first = client.get("/?message=newsletter&tab=headers").text
    assert "source=query%3Amembers" in first
    page = client.get("/?message=newsletter&source=query:members&tab=headers").text
    assert "Grace" in page
    assert "grace@example.org" in page
    (project / "shop.db").unlink()
    settings.touch()
    gone = served(project, "local").get("/?message=newsletter&source=query:members").text
    assert "unable to open database file" in gone
