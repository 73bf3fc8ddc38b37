"""The clients, each run in a process of its own: `python -m benchmarks.push.clients JOB`."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.push.job import (
    BODY,
    KEY_ID,
    PROJECT,
    TEAM_ID,
    TITLE,
    TOPIC,
    Clock,
    Job,
    in_flight,
    token,
)
from benchmarks.render.case import Unavailable, module

if TYPE_CHECKING:
    from vero_deliver.channel import Channel
    from vero_deliver.rendered import RenderedPush

PEERS = Path(__file__).parents[1] / "peers"
AIOAPNS_PATIENCE = 5.0  # seconds for an answer; some of its requests wait for ever
Result = dict[str, Any]


def vero_apns(job: Job) -> Result:
    """Our driver, by its public names; the rendered pushes are there before the clock starts."""
    from vero_channels.push.apns import Apns
    from vero_deliver.testing import sample_push
    from vero_deliver.user import Device

    pushes = [
        sample_push(
            title=TITLE, body=BODY, badge=1, sound="default",
            device=Device(token=token(number), platform="ios"),
        )
        for number in range(job.count + 1)
    ]  # fmt: skip

    def channel() -> Apns:
        return Apns(
            TOPIC, key=(job.path / "apns.p8").read_text(), key_id=KEY_ID, team_id=TEAM_ID,
            host="127.0.0.1", port=job.port, ca_file=job.path / "ca.pem", connections=1,
        )  # fmt: skip

    return _ours(job, channel, pushes)


def vero_fcm(job: Job) -> Result:
    """Our driver, by its public names; the rendered pushes are there before the clock starts."""
    from vero_channels.push.fcm import Fcm
    from vero_deliver.testing import sample_push
    from vero_deliver.user import Device

    pushes = [
        sample_push(title=TITLE, body=BODY, device=Device(token=token(number), platform="android"))
        for number in range(job.count + 1)
    ]

    def channel() -> Fcm:
        return Fcm(
            (job.path / "account.json").read_text(), host="127.0.0.1", port=job.port,
            ca_file=job.path / "ca.pem", connections=1,
        )  # fmt: skip

    return _ours(job, channel, pushes)


def _ours(
    job: Job, make: Callable[[], Channel[RenderedPush]], pushes: list[RenderedPush]
) -> Result:
    """By a channel's public names."""
    from vero_deliver.errors import DeliveryError

    async def run() -> Result:
        channel = make()

        async def send(number: int) -> bool:
            try:
                await channel.send(pushes[number], f"key-{number}")
            except DeliveryError:
                return False
            return True

        try:
            return await in_flight(job, send)
        finally:
            await channel.aclose()

    gc.freeze()
    return asyncio.run(run())


def aioapns(job: Job) -> Result:
    """aioapns. At a server that goes away, a request is given up after some seconds."""
    library = module("aioapns", "aioapns")
    connection = module("aioapns.connection", "aioapns")
    logging.disable()
    connection.APNsProductionClientProtocol.APNS_SERVER = "localhost"
    connection.APNsTLSClientProtocol.APNS_PORT = job.port
    payload = {"aps": {"alert": {"title": TITLE, "body": BODY}, "badge": 1, "sound": "default"}}
    requests = [
        library.NotificationRequest(
            device_token=token(number),
            message={**payload, "vd_v": "1", "vd_id": f"key-{number}"},
            notification_id=f"00000000-0000-4000-8000-{number:012x}",
            priority=10,
            push_type=library.PushType.ALERT,
        )
        for number in range(job.count + 1)
    ]

    context = ssl.create_default_context(cafile=job.path / "ca.pem")
    context.set_alpn_protocols(["h2"])  # it leaves that out, and nginx would speak HTTP/1.1

    async def run() -> Result:
        client = library.APNs(
            key=(job.path / "apns.p8").read_text(), key_id=KEY_ID, team_id=TEAM_ID, topic=TOPIC,
            max_connections=1, ssl_context=context,
        )  # fmt: skip

        async def send(number: int) -> bool:
            try:
                return bool((await client.send_notification(requests[number])).is_successful)
            except Exception:  # noqa: BLE001  # whatever it raises, the push is lost
                return False

        async def send_or_give_up(number: int) -> bool:
            try:
                return await asyncio.wait_for(send(number), AIOAPNS_PATIENCE)
            except TimeoutError:
                return False

        # wait_for costs CPU that is not aioapns's, so it is there only where answers get lost
        return await in_flight(job, send_or_give_up if job.restless else send)

    gc.freeze()
    return asyncio.run(run())


def node_apn(job: Job) -> Result:
    """@parse/node-apn, in node."""
    node = shutil.which("node")
    if not node or not (PEERS / "node_modules/@parse/node-apn").is_dir():
        raise Unavailable("not installed: run scripts/peers benchmarks/peers")
    command = [node, str(PEERS / "push.mjs"), job.command()]
    done = subprocess.run(
        command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    found: Result = json.loads(done.stdout)
    return found


def firebase_admin_async(job: Job) -> Result:
    """firebase-admin's send_each_async, as many messages a call as are in flight."""
    firebase = module("firebase_admin", "firebase-admin")
    messaging = module("firebase_admin.messaging", "firebase-admin")
    certificate = module("firebase_admin.credentials", "firebase-admin").Certificate
    os.environ |= {"REQUESTS_CA_BUNDLE": f"{job.folder}/ca.pem"}
    os.environ |= {"SSL_CERT_FILE": f"{job.folder}/ca.pem"}
    # the endpoint is a constant of its class
    messaging._MessagingService.FCM_URL = (  # noqa: SLF001
        f"https://localhost:{job.port}/v1/projects/{{0}}/messages:send"
    )
    firebase.initialize_app(certificate(f"{job.folder}/account.json"))
    messages = [
        messaging.Message(
            token=token(number),
            notification=messaging.Notification(title=TITLE, body=BODY),
            android=messaging.AndroidConfig(priority="high"),
            data={"vd_v": "1", "vd_id": f"key-{number}"},
        )
        for number in range(job.count + 1)
    ]

    async def run() -> Result:
        await messaging.send_each_async(messages[:1])
        clock, accepted = Clock(), 0
        for first in range(1, job.count + 1, job.flight):
            batch = messages[first : first + job.flight]
            accepted += (await messaging.send_each_async(batch)).success_count
        return clock.stopped(job, accepted)

    gc.freeze()
    return asyncio.run(run())


def h2load(job: Job) -> Result:
    """The C client of nghttp2: what HTTP/2 and TLS cost; it knows no GOAWAY."""
    tool = shutil.which("h2load")
    if tool is None:
        raise Unavailable("h2load is not installed")
    payload = job.path / "payload.json"
    if job.service == "apns":
        aps = {"alert": {"title": TITLE, "body": BODY}, "badge": 1, "sound": "default"}
        payload.write_text(json.dumps({"aps": aps, "vd_v": "1", "vd_id": "key-1"}))
        path = f"/3/device/{token(1)}"
        fields = {
            "apns-topic": TOPIC, "apns-push-type": "alert", "apns-priority": "10",
            "apns-id": "00000000-0000-4000-8000-000000000001",
        }  # fmt: skip
    else:
        message = {"token": token(1), "notification": {"title": TITLE, "body": BODY}}
        payload.write_text(json.dumps({"message": message}))
        path, fields = f"/v1/projects/{PROJECT}/messages:send", {"content-type": "application/json"}
    fields["authorization"] = f"bearer {'x' * 220}"
    command = [tool, "-n", str(job.count), "-c", "1", "-m", str(job.flight), "-d", str(payload)]
    command += [part for name, value in fields.items() for part in ("-H", f"{name}: {value}")]
    clock = Clock()
    done = subprocess.run(
        [*command, f"https://127.0.0.1:{job.port}{path}"],
        check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return clock.stopped(job, int(done.stdout.partition("status codes: ")[2].split()[0]))


CLIENTS: dict[str, dict[str, Callable[[Job], Result]]] = {
    "apns": {"vero": vero_apns, "aioapns": aioapns, "node_apn": node_apn, "h2load": h2load},
    "fcm": {"vero": vero_fcm, "firebase_admin_async": firebase_admin_async, "h2load": h2load},
}


def main() -> None:
    """Do the job in the arguments, and print what came of it."""
    job = Job(**json.loads(sys.argv[1]))
    try:
        result = CLIENTS[job.service][job.client](job)
    except Unavailable as missing:
        result = {"note": str(missing)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
