"""The driver `ses`: botocore agrees with the signature and with the body."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import botocore.session
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.validate import ParamValidator
from email_apis import SECRET, EmailApiContract, Fake, full_email
from http_server import Answer, Asked

from vero_channels.email.ses import Ses
from vero_channels.transport.sigv4 import sign
from vero_deliver.errors import Deferred, DeliveryError, Misconfigured, Refused
from vero_deliver.testing import sample_email

MODEL = botocore.session.get_session().get_service_model("sesv2")
SHAPE = MODEL.operation_model("SendEmail").input_shape


class FakeSes(Fake):
    """200 with a MessageId, for a body that botocore's model of SendEmail takes."""

    def answer(self, asked: Asked) -> Answer:
        assert asked.path == "/v2/email/outbound-emails"
        assert asked.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
        report = ParamValidator().validate(asked.json, SHAPE)
        assert not report.has_errors(), report.generate_report()
        return Answer(200, {"MessageId": self.new_id()})


class TestSes(EmailApiContract):
    fake = FakeSes

    def channel(self, url: str, **options: Any) -> Ses:
        return Ses("AKIDEXAMPLE", SECRET, "eu-west-1", base_url=url, **options)

    @pytest.mark.anyio
    async def test_body(self) -> None:
        """Every field of the email is where SES reads it."""
        body = (await self.sent(full_email(), configuration_set="news")).json
        simple = body.pop("Content")["Simple"]
        bill, logo = simple.pop("Attachments")
        assert (bill["ContentDisposition"], logo["ContentId"]) == ("ATTACHMENT", "logo@shop")
        assert {
            "Name": "List-Unsubscribe-Post",
            "Value": "List-Unsubscribe=One-Click",
        } in simple.pop("Headers")
        assert simple == {
            "Subject": {"Data": "Objednávka č. 1", "Charset": "UTF-8"},
            "Body": {
                "Text": {"Data": "Ahoj", "Charset": "UTF-8"},
                "Html": {"Data": '<p>Ahoj <img src="cid:logo@shop"></p>', "Charset": "UTF-8"},
            },
        }
        assert body.pop("FromEmailAddress").isascii()
        assert body == {
            "Destination": {
                "ToAddresses": ['"Ada, Countess" <ada@example.org>'],
                "CcAddresses": ["cy@example.org"],
                "BccAddresses": ["Bo <bo@example.org>"],
            },
            "ReplyToAddresses": ["Help <help@example.com>"],
            "EmailTags": [
                {"Name": "order", "Value": "1001"},
                {"Name": "tag", "Value": "receipt"},
                {"Name": "vero_key", "Value": "key-1"},
            ],
            "ConfigurationSetName": "news",
            "ConfigurationOverrides": {
                "Tracking": {"OpenTrackingEnabled": "ENABLED", "ClickTrackingEnabled": "DISABLED"}
            },
        }

    @pytest.mark.parametrize("token", ["", "session/token+=="])
    def test_signature_is_botocores(self, token: str) -> None:
        """The same request, moment and credentials give the same Authorization."""
        now = datetime(2026, 3, 1, 9, 30, 15, tzinfo=UTC)
        url = "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails"
        ours = httpx.Request("POST", url, json={"a": "č"})
        sign(
            ours, access_key="AKIDEXAMPLE", secret_key=SECRET, session_token=token,
            region="eu-west-1", service="ses", now=now,
        )  # fmt: skip
        headers = {"content-type": "application/json", "host": "email.eu-west-1.amazonaws.com"}
        theirs = AWSRequest("POST", url, headers=headers, data=ours.content)
        signer = SigV4Auth(Credentials("AKIDEXAMPLE", SECRET, token or None), "ses", "eu-west-1")
        theirs.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
        theirs.headers["X-Amz-Date"] = theirs.context["timestamp"]
        if token:
            theirs.headers["X-Amz-Security-Token"] = token
        canonical = signer.canonical_request(theirs)
        signature = signer.signature(signer.string_to_sign(theirs, canonical), theirs)
        assert ours.headers["authorization"].endswith(f"Signature={signature}")
        assert (
            f"SignedHeaders={signer.signed_headers(signer.headers_to_sign(theirs))},"
            in (ours.headers["authorization"])
        )

    @pytest.mark.parametrize(
        ("kind", "text", "error"),
        [
            ("ThrottlingException", "Maximum sending rate exceeded.", Deferred),
            ("LimitExceededException", "Daily message quota exceeded.", Deferred),
            ("AccountSuspendedException", "suspended", Misconfigured),
            ("MessageRejected:http://internal.amazon.com/", "Email address is not verified. The "
             "following identities failed the check in region EU-WEST-1: x", Misconfigured),
            ("MessageRejected", "Email contains a virus", Refused),
            ("BadRequestException", "Missing final '@domain'", Refused),
        ],
    )  # fmt: skip
    @pytest.mark.anyio
    async def test_kinds_of_errors(self, kind: str, text: str, error: type[DeliveryError]) -> None:
        """The header x-amzn-errortype decides; all of these are HTTP 400."""
        found = await self.error(Answer(400, {"message": text}, {"x-amzn-errortype": kind}))
        assert type(found) is error
        assert found.code == kind.partition(":")[0]

    @pytest.mark.anyio
    async def test_odd_keys_travel_as_a_hash(self) -> None:
        """A message tag holds few characters; two keys never share a tag."""
        tags = [
            json.dumps((await self.sent(sample_email(), key)).json["EmailTags"])
            for key in ("order:1", "order/1", "order 1")
        ]
        assert len(set(tags)) == 3
        assert all("sha256-" in tag for tag in tags)

    @pytest.mark.anyio
    async def test_what_a_tag_cannot_hold_is_refused(self) -> None:
        """Metadata is never dropped."""
        channel = self.channel("http://127.0.0.1:9")
        with pytest.raises(Refused, match="letters, digits"):
            await channel.send(sample_email(metadata={"order": "č. 1"}), "key-1")
