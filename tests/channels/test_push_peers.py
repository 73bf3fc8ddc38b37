"""Clients that nobody here wrote find in our fakes what APNs and FCM are; ours sends the same.

aioapns and firebase-admin where they are installed, @parse/node-apn by scripts/peers.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import ssl
from pathlib import Path
from typing import Any

import http_server
import pytest
from apns_fake import KEY_ID, TEAM_ID, TOPIC, FakeApns, p8
from fcm_fake import PROJECT, UNREGISTERED, FakeFcm, account
from push_server import Server, authority, serving

from vero_channels.push.apns import Apns
from vero_channels.push.fcm import Fcm
from vero_channels.push.payload import apns_payload, fcm_message
from vero_deliver.rendered import Action, RenderedPush
from vero_deliver.testing import sample_push
from vero_deliver.user import Device

PEERS = Path(__file__).parents[1] / "peers"
GOOD, DEAD = "0a" * 32, "0b" * 32
UNREGISTERED_APNS = (410, {"reason": "Unregistered", "timestamp": 1454402113000})
ID = "5a4c6d9e-3b1f-4f6a-9c1e-2d7b8a9c0d1e"


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(path)
    return path


def ours(server: Server, fake: FakeApns, ca_file: Path) -> Apns:
    return Apns(
        TOPIC, key=p8(fake.key), key_id=KEY_ID, team_id=TEAM_ID,
        host="127.0.0.1", port=server.port, ca_file=ca_file,
    )  # fmt: skip


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore")
async def test_aioapns_is_accepted_and_refused_by_the_fake(
    ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own headers, token and payload are good; a dead token is 410 with Apple's reason."""
    aioapns = pytest.importorskip("aioapns")
    from aioapns import connection  # pyright: ignore[reportMissingImports]

    fake = FakeApns(dead={DEAD: UNREGISTERED_APNS})
    async with serving(fake) as server:
        production = connection.APNsProductionClientProtocol
        monkeypatch.setattr(production, "APNS_SERVER", "localhost")
        monkeypatch.setattr(production, "APNS_PORT", server.port)
        context = ssl.create_default_context(cafile=ca_file)
        context.set_alpn_protocols(["h2"])
        client = aioapns.APNs(
            key=p8(fake.key), key_id=KEY_ID, team_id=TEAM_ID, topic=TOPIC, ssl_context=context,
            max_connections=1,
        )  # fmt: skip
        results = [
            await client.send_notification(
                aioapns.NotificationRequest(
                    device_token=token,
                    message={"aps": {"alert": "Hello"}},
                    priority=10,
                    push_type=aioapns.PushType.ALERT,
                )
            )
            for token in (GOOD, DEAD)
        ]
    assert [(result.status, result.description) for result in results] == [
        ("200", None),
        ("410", "Unregistered"),
    ]
    assert len(fake.accepted) == 1


async def node(script: str, given: dict[str, Any]) -> Any:
    """What a script of tests/peers prints for that input."""
    command = shutil.which("node")
    if command is None or not (PEERS / "node_modules/@parse/node-apn").is_dir():
        pytest.skip("not installed: run scripts/peers")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        command, str(PEERS / script), stdin=pipe, stdout=pipe, stderr=pipe
    )
    out, err = await asyncio.wait_for(process.communicate(json.dumps(given).encode()), 60)
    assert process.returncode == 0, err.decode()
    return json.loads(out)


@pytest.mark.anyio
async def test_node_apn_sends_what_we_send(ca_file: Path) -> None:
    """The same note by @parse/node-apn: the same fields, the same body; refused alike."""
    push = sample_push(
        device=Device(token=GOOD, platform="ios"), body="Hello", badge=3, sound="bell.caf",
        collapse="order-1001", ttl=60, category="orders", data={"order": "1001"},
        ios={"aps": {"thread-id": "orders", "mutable-content": 1}},
    )  # fmt: skip
    payload = apns_payload(push, "key-1")
    aps = payload.pop("aps")
    note = {
        "token": GOOD, "id": ID, "pushType": "alert", "priority": 10, "collapseId": "order-1001",
        "expiry": int(push.at.timestamp()) + 60, "aps": aps, "payload": payload,
    }  # fmt: skip
    silent = {"token": GOOD, "pushType": "background", "priority": 10, "aps": {}, "payload": {}}
    fake = FakeApns(dead={DEAD: UNREGISTERED_APNS})
    async with serving(fake) as server:
        given = {
            "port": server.port, "key": p8(fake.key), "keyId": KEY_ID, "teamId": TEAM_ID,
            "ca": ca_file.read_text(), "topic": TOPIC,
            "notes": [note, {**note, "token": DEAD}, silent],
        }  # fmt: skip
        sent, dead, wrong = await node("push_apn.mjs", given)
        channel = ours(server, fake, ca_file)
        await channel.send(push, "key-1")
        await channel.aclose()
    assert sent == {"status": 200}
    assert (dead["status"], dead["response"]["reason"]) == (410, "Unregistered")
    assert (wrong["status"], wrong["response"]["reason"]) == (400, "BadPriority")
    theirs, own = fake.accepted
    assert theirs.json == own.json
    names = {name for name in theirs.headers if name.startswith("apns-")} - {"apns-id"}
    assert {name: theirs.headers[name] for name in names} == {n: own.headers[n] for n in names}
    assert names == {name for name in own.headers if name.startswith("apns-")} - {"apns-id"}


@pytest.mark.anyio
async def test_node_apn_broadcasts_what_we_broadcast(ca_file: Path) -> None:
    """A channel made, and a Live Activity pushed to it: the same requests."""
    state = {"event": "update", "timestamp": 1685952000, "content-state": {"home": 1}}
    fake = FakeApns(channels={"dHN0": True})
    push = sample_push(
        device=Device(token="/channels/dHN0", platform="ios"), title="", body="", ttl=60,
        ios={"apns-push-type": "liveactivity", "aps": {"alert": None, **state}},
    )  # fmt: skip
    payload = apns_payload(push, "key-1")
    aps = payload.pop("aps")
    assert aps == state
    note = {
        "channelId": "dHN0", "pushType": "liveactivity", "priority": 10,
        "expiry": int(push.at.timestamp()) + 60, "aps": aps, "payload": payload,
    }  # fmt: skip
    make = {"payload": {"message-storage-policy": 1, "push-type": "LiveActivity"}, "aps": {}}
    async with serving(fake) as server:
        given = {
            "port": server.port, "key": p8(fake.key), "keyId": KEY_ID, "teamId": TEAM_ID,
            "ca": ca_file.read_text(), "topic": TOPIC, "notes": [note, make],
        }  # fmt: skip
        sent, made = await node("push_apn.mjs", given)
        assert (sent["status"], made["status"], list(fake.channels.values())) == (
            200, 200, [True, True],
        )  # fmt: skip
        channel = ours(server, fake, ca_file)
        await channel.send(push, "key-1")
        await channel.aclose()
    theirs, own = fake.accepted
    assert (theirs.path, theirs.json) == (own.path, own.json)
    said = [
        {name: value for name, value in asked.headers.items() if name.startswith("apns-")}
        for asked in (theirs, own)
    ]
    del said[1]["apns-request-id"]  # ours is made of the key
    assert said[0] == said[1]


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore")
async def test_firebase_admin_sends_what_we_send(
    ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same message by Google's own library: the same body; refused alike."""
    firebase_admin = pytest.importorskip("firebase_admin")
    from firebase_admin import credentials, messaging  # pyright: ignore[reportMissingImports]

    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    fake = FakeFcm(dead={"dead:token": UNREGISTERED})
    push = sample_push(
        device=Device(token="good:token", platform="android"), ttl=60, collapse="order-1001",
        category="orders", image="https://shop.example.com/p.jpg", data={"order": "1001"}, badge=2,
    )  # fmt: skip
    made = fcm_message(push, "key-1")
    android = made["android"]
    message = messaging.Message(
        token="good:token",
        data=made["data"],
        notification=messaging.Notification(push.title, push.body, push.image),
        android=messaging.AndroidConfig(
            collapse_key="order-1001", priority="high", ttl=60,
            notification=messaging.AndroidNotification(
                channel_id="orders", tag="order-1001", notification_count=2
            ),
        ),
    )  # fmt: skip
    async with http_server.serving(fake.token) as tokens, serving(fake) as server:
        key = account(fake.key, f"{tokens.url}/token")
        app = firebase_admin.initialize_app(credentials.Certificate(json.loads(key)), name=key)
        url = f"https://127.0.0.1:{server.port}/v1/projects/{{0}}/messages:send"
        monkeypatch.setattr(messaging._MessagingService, "FCM_URL", url)
        dead = messaging.Message(token="dead:token", data={"x": "y"})

        async def send() -> Any:
            batch = await messaging.send_each_async([message, dead], app=app)
            await messaging._get_messaging_service(app)._async_client.aclose()
            return batch

        # it fetches its access token in the way of its event loop, so it gets one of its own
        batch = await asyncio.to_thread(lambda: asyncio.run(send()))
        channel = Fcm(key, host="127.0.0.1", port=server.port, ca_file=ca_file)
        await channel.send(push, "key-1")
        await channel.aclose()
    good, refused = batch.responses
    assert good.message_id.startswith(f"projects/{PROJECT}/messages/")
    assert isinstance(refused.exception, messaging.UnregisteredError)
    theirs, own = (asked.json["message"] for asked in fake.accepted)
    android["priority"] = "high"  # their word for the same enumerator
    assert made == own | {"android": android}
    assert theirs == made


TYPES = PEERS / "node_modules/@maxim_mazurok/gapi.client.fcm-v1/index.d.ts"


def discovered() -> dict[str, dict[str, str]]:
    """Name and type of each field of each interface in Google's discovery document."""
    text = TYPES.read_text("utf-8")
    found: dict[str, dict[str, str]] = {}
    for name, body in re.findall(r"interface (\w+) \{\n(.*?)\n    \}", text, re.DOTALL):
        found[name] = dict(re.findall(r"^ +(\w+)\?: (.*);$", body, re.MULTILINE))
    return found


def check(value: Any, kind: str, known: dict[str, dict[str, str]], where: str) -> None:
    """The value has no field that the interface does not have, and scalars of its type."""
    if kind in known:
        for name, each in value.items():
            camel = re.sub(r"_([a-z])", lambda letter: letter[1].upper(), name)
            assert camel in known[kind], f"{where}.{name} is no field of {kind}"
            check(each, known[kind][camel], known, f"{where}.{name}")
    elif kind.startswith("{[P in string]: string}"):
        assert all(isinstance(each, str) for each in value.values()), where
    elif kind in ("string", "boolean", "number"):
        wanted = {"string": str, "boolean": bool, "number": int}[kind]
        assert isinstance(value, wanted), f"{where} is no {kind}"


PUSHES: dict[str, dict[str, Any]] = {
    "plain": {},
    "rich": {
        "subtitle": "s", "image": "https://x/y.jpg", "link": "shop://1", "data": {"a": "b"},
        "badge": 1, "sound": "bell", "collapse": "c", "ttl": 60, "category": "orders",
        "actions": (Action("a", "A"),), "priority": "normal",
    },
}  # fmt: skip


@pytest.mark.skipif(not TYPES.exists(), reason="not installed: run scripts/peers")
@pytest.mark.parametrize("platform", ["android", "ios", "web"])
@pytest.mark.parametrize("data_only", [False, True])
@pytest.mark.parametrize("name", PUSHES)
def test_bodies_have_only_fields_of_the_discovery_document(
    name: str, data_only: bool, platform: Any
) -> None:
    """Names and types, as Google's own description of the API has them."""
    push: RenderedPush = sample_push(**PUSHES[name], device=Device(token="a:b", platform=platform))
    known = discovered()
    assert {"token", "topic", "condition", "android", "apns", "webpush"} <= set(known["Message"])
    check(fcm_message(push, "k", data_only=data_only), "Message", known, "message")
    with pytest.raises(AssertionError, match="no field"):
        check({"androyd": {}}, "Message", known, "message")
