"""Request bodies against the specifications that providers publish.

PROVIDER_SPECS names a folder with Twilio's mail-send specification (sendgrid-mail-send.json) and
Resend's (resend.yaml); without it these are skipped. SES is held to botocore's model elsewhere.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from email_apis import BILL, SECRET, full_email

from vero_channels.email.resend import Resend
from vero_channels.email.sendgrid import SendGrid
from vero_channels.transport.email_api import EmailApi
from vero_deliver.rendered import RenderedEmail
from vero_deliver.testing import sample_email

ANY_TRACKING: dict[str, Any] = {"track_opens": None, "track_clicks": None}
EMAILS = {
    "plain": sample_email(),
    "text only": sample_email(html=""),
    "html only": sample_email(text=""),
    "full": full_email(**ANY_TRACKING),
    "file": sample_email(attachments=(BILL,)),
    "evil": sample_email(subject='"\r\nBcc: x', headers={"X-A": "\r\nB: c"}),
}


def schema(file: str, path: str) -> dict[str, Any]:
    """The part of a specification at a JSON pointer, with what it refers to."""
    found = Path(os.environ.get("PROVIDER_SPECS", "")) / file
    if not os.environ.get("PROVIDER_SPECS") or not found.exists():
        pytest.skip(f"PROVIDER_SPECS names no folder with {file}")
    if found.suffix == ".json":
        document = json.loads(found.read_text("utf-8"))
    else:
        document = pytest.importorskip("yaml").safe_load(found.read_text("utf-8"))
    return {**document, "$ref": path}


def check(channel: EmailApi, email: RenderedEmail, wanted: dict[str, Any]) -> None:
    body = json.loads(channel.request(email, "key-1").content)
    jsonschema.Draft202012Validator(wanted).validate(body)


@pytest.mark.parametrize("name", EMAILS)
def test_sendgrid(name: str) -> None:
    """Nothing is unknown to it, missing or of another type."""
    body = "#/components/requestBodies/PostMailSend/content/application~1json/schema"
    wanted = schema("sendgrid-mail-send.json", body)
    check(SendGrid(SECRET, sandbox=True, ip_pool="xy"), EMAILS[name], wanted)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(wanted).validate({"personalizations": [{"to": []}]})


@pytest.mark.parametrize("name", EMAILS)
def test_resend(name: str) -> None:
    """The same for Resend; its specification lets unknown properties pass, so they are listed."""
    wanted = schema("resend.yaml", "#/components/schemas/SendEmailRequest")
    channel = Resend(SECRET)
    check(channel, EMAILS[name], wanted)
    body = json.loads(channel.request(EMAILS[name], "key-1").content)
    assert set(body) <= set(wanted["components"]["schemas"]["SendEmailRequest"]["properties"])
