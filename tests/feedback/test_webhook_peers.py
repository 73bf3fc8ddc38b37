"""Signatures as their makers' libraries see them: npm @sendgrid/eventwebhook and PyPI svix."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from svix.webhooks import Webhook, WebhookVerificationError
from test_webhooks import read
from webhook_senders import FOREIGN, NEW, SENDERS, changed, public_key, resend, sendgrid, whsec

from vero_channels.transport.webhooks import Post, Reader
from vero_deliver.errors import FeedbackError

PEERS = Path(__file__).parents[1] / "peers"
_SIGNATURE = "x-twilio-email-event-webhook-signature"
_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"


def ours(reader: Reader, post: Post) -> bool:
    try:
        return bool(read(reader, post))
    except FeedbackError:
        return False


def sendgrid_posts() -> dict[str, Post]:
    event = {**SENDERS["sendgrid"].event, "name": "Adéla 🐎"}
    good = sendgrid([event, event], NEW)
    printed = json.dumps(json.loads(good.body)).encode()
    return {
        "good": good,
        "foreign": sendgrid([event], FOREIGN),
        "printed again": changed(good, body=printed),
        "other timestamp": changed(good, headers={**good.headers, _TIMESTAMP: "1"}),
    }


def test_sendgrids_library_agrees() -> None:
    """What it takes we take, and what it refuses we refuse."""
    node = shutil.which("node")
    if not node:
        pytest.skip("no node, which @sendgrid/eventwebhook needs")
    if not (PEERS / "node_modules/@sendgrid/eventwebhook").is_dir():
        pytest.fail("@sendgrid/eventwebhook is not installed: run scripts/peers")
    posts = sendgrid_posts()
    asked = [
        {
            "key": public_key(NEW),
            "body": post.body.decode(),
            "signature": post.headers[_SIGNATURE],
            "timestamp": post.headers[_TIMESTAMP],
        }
        for post in posts.values()
    ]
    run = subprocess.run(
        [node, str(PEERS / "eventwebhook.mjs")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    verdicts = dict(zip(posts, json.loads(run.stdout), strict=True))
    assert verdicts == {name: ours(SENDERS["sendgrid"].make(), p) for name, p in posts.items()}
    assert verdicts == {name: name == "good" for name in posts}


def theirs(post: Post) -> bool:
    try:
        Webhook(whsec(NEW)).verify(post.body, dict(post.headers))
    except WebhookVerificationError:
        return False
    return True


def test_svix_agrees() -> None:
    """Posts that we made, signed well and badly, now and long ago."""
    now = datetime.now(UTC)
    event = {**SENDERS["resend"].event, "name": "Adéla 🐎"}
    good = changed(resend([event], NEW, at=str(int(now.timestamp()))), at=now)
    posts = {
        "good": good,
        "foreign": changed(resend([event], FOREIGN, at=str(int(now.timestamp()))), at=now),
        "old": changed(resend([event], NEW, at=str(int(now.timestamp()) - 600)), at=now),
        "early": changed(resend([event], NEW, at=str(int(now.timestamp()) + 600)), at=now),
        "changed": changed(good, body=good.body + b" "),
        "unsigned": changed(good, headers={**good.headers, "svix-signature": "v1,"}),
    }
    verdicts = {name: theirs(post) for name, post in posts.items()}
    assert verdicts == {name: ours(SENDERS["resend"].make(), p) for name, p in posts.items()}
    assert verdicts == {name: name == "good" for name in posts}


def test_what_svix_signs_is_read() -> None:
    """A post that svix itself has signed."""
    now = datetime.now(UTC)
    body = json.dumps(SENDERS["resend"].event)
    signature = Webhook(whsec(NEW)).sign("msg_2", now, body)
    headers = {
        "Svix-Id": "msg_2",
        "Svix-Timestamp": str(int(now.timestamp())),
        "Svix-Signature": signature,
    }
    [found] = read(SENDERS["resend"].make(), Post.of(body.encode(), headers, now))
    assert (found.id, found.key) == ("msg_2", "order-1")
