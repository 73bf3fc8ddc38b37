"""What our drivers send is what the providers' own libraries send to the same server."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from email_apis import SECRET, full_email
from http_server import Answer, Asked, serving

from vero_channels.email.mailgun import Mailgun
from vero_channels.email.resend import Resend
from vero_channels.email.sendgrid import SendGrid
from vero_channels.transport.email_api import EmailApi, pair
from vero_deliver.rendered import Address, RenderedEmail

PEERS = Path(__file__).parents[1] / "peers"
ACCEPTED = Answer(200, {"id": "<1@mg.example.com>", "message": "Queued."}, {"x-message-id": "1"})

# one tag and no name that libraries quote in their own ways
EMAIL = full_email(
    from_=Address("shop@example.com", "Žofie Shop"), to=(Address("ada@example.org", "Ada"),)
)


def described(email: RenderedEmail, key: str) -> dict[str, Any]:
    """The email as the script reads it, our key among its metadata."""
    return {
        "key": key,
        "from": pair(email.from_),
        **{
            name: [pair(a) for a in getattr(email, name)]
            for name in ("to", "cc", "bcc", "reply_to")
        },
        **{name: getattr(email, name) for name in ("subject", "text", "html", "track_opens")},
        "track_clicks": email.track_clicks,
        "headers": dict(email.headers),
        "tags": list(email.tags),
        "metadata": {**dict(email.metadata), "vero_key": key},
        "files": [
            {
                "filename": file.filename,
                "type": file.content_type,
                "cid": file.cid,
                "content": base64.b64encode(file.content).decode(),
            }
            for file in email.attachments
        ],
    }


async def both(sdk: str, driver: Callable[[str], EmailApi], email: RenderedEmail) -> list[Asked]:
    """The two requests: the library's, then ours."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node, which the libraries need")
    if not (PEERS / "node_modules/resend").is_dir():
        pytest.fail("the libraries are not installed: run scripts/peers (as scripts/test does)")
    async with serving(lambda _: ACCEPTED) as server:
        given = json.dumps({"url": server.url, "sdk": sdk, "email": described(email, "key-1")})
        done = await asyncio.to_thread(
            subprocess.run, [node, "email_apis.mjs"], input=given, cwd=PEERS, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        channel = driver(server.url)
        await channel.send(email, "key-1")
        await channel.aclose()
    assert len(server.asked) == 2
    return server.asked


def unquoted(value: Any) -> Any:
    """Mailboxes without the quotes, which names may have or not."""
    return [unquoted(each) for each in value] if isinstance(value, list) else value.replace('"', "")


@pytest.mark.anyio
async def test_sendgrid() -> None:
    """@sendgrid/mail."""
    theirs, ours = await both("sendgrid", lambda url: SendGrid(SECRET, base_url=url), EMAIL)
    assert ours.path == theirs.path
    body, expected = ours.json, theirs.json
    # it repeats what is the same for all in each personalization
    [personalization] = expected["personalizations"]
    expected["personalizations"] = [
        {name: personalization.pop(name) for name in ("to", "cc", "bcc")}
    ]
    assert body == expected | personalization


@pytest.mark.anyio
async def test_mailgun() -> None:
    """mailgun.js."""
    theirs, ours = await both(
        "mailgun", lambda url: Mailgun(SECRET, "mg.example.com", base_url=url), EMAIL
    )
    assert ours.path == theirs.path

    def parts(asked: Asked) -> list[Any]:
        return sorted(
            (name, unquoted(value.decode()) if not filename else value, filename)
            for name, value, filename, _ in asked.form
        )

    assert parts(ours) == parts(theirs)


@pytest.mark.anyio
async def test_resend() -> None:
    """resend."""
    email = full_email(from_=EMAIL.from_, to=EMAIL.to, tags=(), track_opens=None, track_clicks=None)
    theirs, ours = await both("resend", lambda url: Resend(SECRET, base_url=url), email)
    assert ours.path == theirs.path
    assert ours.headers["idempotency-key"] == theirs.headers["idempotency-key"]
    bodies = [asked.json for asked in (ours, theirs)]
    for body in bodies:
        body |= {name: unquoted(body[name]) for name in ("from", "to", "cc", "bcc", "reply_to")}
    assert bodies[0] == bodies[1]
