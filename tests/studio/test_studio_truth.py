"""What the studio shows is what `render` prints and what a provider receives, octet for octet."""

from __future__ import annotations

import base64
import contextlib
import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import http_ece
import httpx
import pytest
import trustme
from apns_fake import KEY_ID, TEAM_ID, TOPIC, FakeApns, p8
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fcm_fake import PROJECT, FakeFcm, account
from http_server import Answer, serving
from push_server import authority
from push_server import serving as serving_h2
from smtp_server import relay

pytest.importorskip("starlette")
from vero_channels.push.apns import Apns
from vero_channels.push.fcm import Fcm
from vero_channels.push.webpush import WebPush
from vero_channels.transport.http1 import Http1Transport
from vero_deliver.errors import DeliveryError
from vero_deliver.project import Project
from vero_deliver.secret import Secret
from vero_deliver.studio.drawing import look_of
from vero_deliver.studio.made import Made
from vero_deliver.studio.panes.requests import Request, all_requests
from vero_deliver.studio.state import State
from vero_deliver.studio.workspace import Workspace
from vero_deliver.vapid import new_vapid_key

NOON = "2026-11-25T12:00:00+00:00"
SECRET = "sekret-0123456789-abcdef"
MESSAGE = """
title = "Truth"
[email]
from = "Shop <shop@example.com>"
subject = "Objednávka č. {{ user.id }}"
[sms]
from = "+15550001111"
body = "Order {{ user.id }} is on its way"
[push]
title = "Order {{ user.id }}"
body = "It is on its way"
"""
AWS = {"access_key": "AKIA0000000000000000", "secret_key": "*", "region": "eu-west-1"}
# what each driver needs beside base_url; "*" is a reference to the secret
CHANNELS: dict[str, tuple[str, dict[str, str]]] = {
    "sendgrid": ("email", {"api_key": "*"}),
    "mailgun": ("email", {"api_key": "*", "domain": "example.com"}),
    "mailjet": ("email", {"api_key": "*", "secret_key": "*"}),
    "ses": ("email", AWS),
    "postmark": ("email", {"server_token": "*"}),
    "sparkpost": ("email", {"api_key": "*"}),
    "brevo": ("email", {"api_key": "*"}),
    "resend": ("email", {"api_key": "*"}),
    "mandrill": ("email", {"api_key": "*"}),
    "twilio": ("sms", {"account_sid": f"AC{'0' * 32}", "auth_token": "*"}),
    "vonage": ("sms", {"api_key": "abcdef01", "api_secret": "*"}),
    "sns": ("sms", AWS),
    "bird": ("sms", {"api_key": "*", "region": "eu1"}),
    "sinch": ("sms", {"service_plan_id": "plan1", "api_token": "*"}),
    "plivo": ("sms", {"auth_id": "MAXXXXXXXXXXXXXXXXXX", "auth_token": "*"}),
    "telnyx": ("sms", {"api_key": "*"}),
}  # fmt: skip


def project(folder: Path, settings: str, device: dict[str, str] | None = None) -> Path:
    """A project with one message and one sample."""
    message = folder / "messages/truth"
    (message / "samples").mkdir(parents=True)
    (folder / "vero-deliver.toml").write_text(settings)
    (message / "message.toml").write_text(MESSAGE)
    (message / "email.html").write_text("<p>Ahoj, {{ user.id }} &amp; žlutý kůň</p>")
    user = {"id": "u-1", "email": "ada@example.org", "phone": "+447700900123"}
    sample = {"user": {**user, "devices": [device] if device else []}}
    (message / "samples/ada.json").write_text(json.dumps(sample))
    return folder


def shown(root: Path, env: str) -> Made:
    """What the studio draws its page from."""
    state = State(message="truth", to="ada", now=NOON)
    made = look_of(Workspace(root, env=env).read(), state).made
    assert made
    return made


def requests_of(root: Path, env: str, name: str) -> Request:
    """The request that the tab HTTP has for a channel."""
    reading = Workspace(root, env=env).read()
    every = all_requests(reading.project, shown(root, env))
    [found] = [one for one in every if one.channel == name]
    return found


def rendered(root: Path, env: str, content: str) -> bytes:
    """What `render -f http` prints, by a process of its own: a loop runs in this one."""
    command = [sys.executable, "-m", "vero_deliver.cli", "-C", str(root), "--env", env, "render"]
    command += ["truth", "-t", "ada", "-c", content, "-f", "http", "--now", NOON]
    return subprocess.run(command, check=True, capture_output=True).stdout


def the_same(raw: bytes, asked: Any, method: str = "POST") -> None:
    """What was shown is what came, but for what is masked."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    assert first.startswith(f"{method} {asked.path} HTTP/")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    for name, value in fields.items():
        if value != "***":
            assert asked.headers.get(name) == value, name
    hidden = {"user-agent", "accept-encoding", "connection"}
    assert set(asked.headers) - set(fields) <= hidden
    assert asked.body == body


@pytest.mark.anyio
@pytest.mark.parametrize("driver", CHANNELS)
async def test_shown_printed_and_received_are_one(
    driver: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tab HTTP, `render -f http` and the provider's end, for every API of email and texts."""
    monkeypatch.setenv("A_SECRET", SECRET)
    content, options = CHANNELS[driver]
    async with serving(lambda _: Answer(200, {})) as server:
        table = {"driver": f'"{driver}"', "base_url": f'"{server.url}"'}
        table |= {
            name: '{ env = "A_SECRET" }' if value == "*" else f'"{value}"'
            for name, value in options.items()
        }
        lines = "\n".join(f"{name} = {value}" for name, value in table.items())
        root = project(tmp_path, f"[channels.api]\n{lines}\n[env.prod]\n{content} = 'api'\n")
        request = requests_of(root, "prod", "api")
        assert request.carries
        assert request.raw == rendered(root, "prod", content)
        assert SECRET not in request.text
        assert SECRET not in request.curl
        deliverer = Project.find(root, env="prod").deliverer()
        item = shown(root, "prod").first("email" if content == "email" else "sms")
        assert item
        channel = deliverer.channels[item.content]
        with contextlib.suppress(DeliveryError):  # the answer has no id; the request did arrive
            await channel.send(item.outcome, item.key)
        await deliverer.aclose()
    if driver == "mandrill":  # whose credentials are in the body
        body = (request.raw or b"").partition(b"\r\n\r\n")[2]
        assert server.asked[0].json == {**json.loads(body), "key": SECRET}
        return
    the_same(request.raw or b"", server.asked[0])


@pytest.mark.anyio
async def test_smtp_receives_what_is_shown(tmp_path: Path) -> None:
    """The email's bytes, those of the tab Source and of the download."""
    async with relay() as server:
        channel = f'driver = "smtp"\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"'
        root = project(tmp_path, f"[channels.relay]\n{channel}\n[env.prod]\nemail = 'relay'\n")
        item = shown(root, "prod").first("email")
        assert item
        deliverer = Project.find(root, env="prod").deliverer()
        await deliverer.channels["email"].send(item.outcome, item.key)
        await deliverer.aclose()
    assert server.mails[0].data == item.raw
    assert b"u-1" in item.raw


async def pushed(root: Path, channel: Any) -> Request:
    """What the studio shows of a push, which is then handed over."""
    request = requests_of(root, "prod", "api")
    [item] = shown(root, "prod").rendered("push")
    assert request.raw == rendered(root, "prod", "push")
    await channel.send(item.outcome, item.key)
    await channel.aclose()
    return request


def of_push(raw: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body.removesuffix(b"\n")


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


@pytest.mark.anyio
@pytest.mark.usefixtures("trusted")
async def test_apple_receives_what_is_shown(tmp_path: Path) -> None:
    """Path, fields and payload; the topic is the setting's, the signature stays masked."""
    fake = FakeApns()
    settings = (
        f'[channels.api]\ndriver = "apns"\ntopic = "{TOPIC}"\nkey = {{ env = "X" }}\n'
        'key_id = "K"\nteam_id = "T"\n[env.prod]\npush = "api"\n'
    )
    root = project(tmp_path, settings, {"platform": "ios", "token": "0a" * 32})
    async with serving_h2(fake) as server:
        apns = Apns(
            TOPIC, key=Secret(p8(fake.key)), key_id=KEY_ID, team_id=TEAM_ID,
            host="127.0.0.1", port=server.port,
        )  # fmt: skip
        request = await pushed(root, apns)
    [asked] = server.asked
    first, fields, body = of_push(request.raw or b"")
    assert first == f"POST {asked.path} HTTP/2"
    assert body == asked.body
    told = {name: value for name, value in asked.headers.items() if name[0] != ":"}
    fields["authorization"] = told["authorization"]
    assert {"host": fields["host"], **told} == fields


@pytest.mark.anyio
@pytest.mark.usefixtures("trusted")
async def test_google_receives_what_is_shown(tmp_path: Path) -> None:
    """Path and message of FCM."""
    fake = FakeFcm()
    settings = (
        f'[channels.api]\ndriver = "fcm"\nproject_id = "{PROJECT}"\n'
        'credentials = { env = "X" }\n[env.prod]\npush = "api"\n'
    )
    root = project(tmp_path, settings, {"platform": "android", "token": "fXy:APA91b-token"})
    async with serving(fake.token) as tokens, serving_h2(fake) as server:
        credentials = Secret(account(fake.key, f"{tokens.url}/token"))
        fcm = Fcm(credentials, host="127.0.0.1", port=server.port)
        request = await pushed(root, fcm)
    [asked] = server.asked
    first, fields, body = of_push(request.raw or b"")
    assert first == f"POST {asked.path} HTTP/2"
    assert json.loads(body) == asked.json
    assert fields["content-type"] == asked.headers["content-type"]


@pytest.mark.anyio
async def test_a_browser_reads_what_is_shown(tmp_path: Path) -> None:
    """The payload that is shown is the one that its keys decrypt."""
    browser = generate_private_key(SECP256R1())
    point = browser.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    auth, ca = b"0123456789abcdef", trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(tls)
    ours = ssl.create_default_context()
    ca.configure_trust(ours)

    async with (
        serving(lambda _: Answer(201, headers={"location": "/message/1"}), tls=tls) as server,
        httpx.AsyncClient(transport=Http1Transport(verify=ours)) as client,
    ):
        url = server.url.replace("http://", "https://")
        keys = {"p256dh": _base64url(point), "auth": _base64url(auth)}
        token = json.dumps({"endpoint": f"{url}/push/1", "keys": keys})
        settings = (
            '[channels.api]\ndriver = "webpush"\nprivate_key = { env = "X" }\n'
            'subject = "mailto:ops@example.com"\n[env.prod]\npush = "api"\n'
        )
        root = project(tmp_path, settings, {"platform": "web", "token": token})
        webpush = WebPush(
            new_vapid_key(), "mailto:ops@example.com", private_networks=True, client=client
        )
        request = await pushed(root, webpush)
    [asked] = server.asked
    first, fields, body = of_push(request.raw or b"")
    assert first == f"POST {asked.path} HTTP/2"
    read = http_ece.decrypt(asked.body, private_key=browser, auth_secret=auth)
    assert json.loads(read) == json.loads(body)
    for name in ("TTL", "urgency"):
        found = {key.lower(): value for key, value in fields.items()}
        assert asked.headers[name.lower()] == found[name.lower()]


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
