"""Providers as senders: each signs events as its documentation says, with code of its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from vero_channels.feedback.brevo import Brevo
from vero_channels.feedback.mailgun import Mailgun
from vero_channels.feedback.mailjet import Mailjet
from vero_channels.feedback.mandrill import Mandrill
from vero_channels.feedback.postmark import Postmark
from vero_channels.feedback.resend import Resend
from vero_channels.feedback.sendgrid import SendGrid
from vero_channels.feedback.ses import Ses
from vero_channels.feedback.sparkpost import SparkPost
from vero_channels.transport.webhooks import Access, Post, Reader
from vero_deliver.secret import Secret

NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECONDS: Final = str(int(NOON.timestamp()))
TOPIC: Final = "arn:aws:sns:us-east-1:123456789012:ses-events"
CERTIFICATE_URL: Final = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b.pem"
MANDRILL_URL: Final = "https://hook:pass@example.com/mandrill?a=1"

NEW: Final = "new-secret-new-secret-new-secret"
OLD: Final = "old-secret-old-secret-old-secret"
FOREIGN: Final = "foreign-secret-foreign-secret-00"


@dataclass(frozen=True)
class Sender:
    """make: a reader that knows NEW and OLD. sign: a post of the events, signed with a secret."""

    make: Callable[[], Reader]
    sign: Callable[[Sequence[Any], str], Post]
    event: Mapping[str, Any]
    unknown: Mapping[str, Any]
    batches: bool = True
    covers_body: bool = True


def ec_key(secret: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(secret.encode()[:31]), ec.SECP256R1())


def public_key(secret: str) -> str:
    der = (
        ec_key(secret)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return base64.b64encode(der).decode()


def sendgrid(events: Sequence[Any], secret: str, *, at: str = SECONDS) -> Post:
    # SendGrid's own layout: an event a line
    body = b"[" + b",\r\n".join(json.dumps(e).encode() for e in events) + b"]\r\n"
    signature = ec_key(secret).sign(at.encode() + body, ec.ECDSA(hashes.SHA256()))
    return Post.of(
        body,
        {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": at,
        },
        NOON,
    )


def mailgun(
    events: Sequence[Any], secret: str, *, at: str = SECONDS, token: str = "f00d" * 12
) -> Post:
    signature = hmac.new(secret.encode(), (at + token).encode(), hashlib.sha256).hexdigest()
    signed = {"timestamp": at, "token": token, "signature": signature}
    wholes = [{"signature": signed, "event-data": event} for event in events]
    return Post.of(json.dumps(wholes[0] if len(wholes) == 1 else wholes).encode(), {}, NOON)


def basic(events: Sequence[Any], secret: str) -> Post:
    given = base64.b64encode(f"vero:{secret}".encode()).decode()
    body = json.dumps(events[0] if len(events) == 1 else list(events)).encode()
    return Post.of(body, {"Authorization": f"Basic {given}"}, NOON)


def sparkpost(events: Sequence[Any], secret: str) -> Post:
    wrapped = [{"msys": {"message_event": event}} for event in events]
    body = json.dumps(wrapped).encode()
    return Post.of(body, {"Authorization": f"Bearer {secret}"}, NOON)


def whsec(secret: str) -> str:
    return "whsec_" + base64.b64encode(secret.encode()).decode()


def resend(events: Sequence[Any], secret: str, *, at: str = SECONDS) -> Post:
    body = json.dumps(events[0] if len(events) == 1 else list(events)).encode()
    signed = f"msg_1.{at}.".encode() + body
    mac = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()
    return Post.of(
        body,
        {"svix-id": "msg_1", "svix-timestamp": at, "svix-signature": f"v1a,xx v1,{mac}"},
        NOON,
    )


def mandrill(events: Sequence[Any], secret: str, *, url: str = MANDRILL_URL) -> Post:
    written = json.dumps(list(events))
    signed = f"{url}mandrill_events{written}".encode()
    mac = base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha1).digest()).decode()
    body = urlencode({"mandrill_events": written}).encode()
    return Post.of(body, {"X-Mandrill-Signature": mac}, NOON)


_RSA: dict[str, rsa.RSAPrivateKey] = {}


def rsa_key(secret: str) -> rsa.RSAPrivateKey:
    return _RSA.setdefault(secret, rsa.generate_private_key(65537, 2048))


def certificate(secret: str, *, days: int = 30) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(rsa_key(secret).public_key())
        .serial_number(1)
        .not_valid_before(NOON - timedelta(days=60))
        .not_valid_after(NOON + timedelta(days=days))
        .sign(rsa_key(secret), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def envelope(message: Any, **changes: Any) -> dict[str, Any]:
    return {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-11-24T11:59:58.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE_URL,
        **changes,
    }


def sns(sent: Mapping[str, Any], secret: str = NEW) -> Post:
    """Signed with SHA-256, or SHA-1 where SignatureVersion is 1."""
    names = ["Message", "MessageId"]
    if sent["Type"] == "Notification":
        names += ["Subject"] * ("Subject" in sent) + ["Timestamp", "TopicArn", "Type"]
    else:
        names += ["SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    signed = "".join(f"{name}\n{sent.get(name)}\n" for name in names).encode()
    digest = hashes.SHA1() if sent["SignatureVersion"] == "1" else hashes.SHA256()
    signature = rsa_key(secret).sign(signed, padding.PKCS1v15(), digest)
    body = {**sent, "Signature": base64.b64encode(signature).decode()}
    headers = {
        "x-amz-sns-message-type": str(sent["Type"]),
        "x-amz-sns-message-id": str(sent["MessageId"]),
        "x-amz-sns-topic-arn": str(sent["TopicArn"]),
        "Content-Type": "text/plain; charset=UTF-8",
    }
    return Post.of(json.dumps(body).encode(), headers, NOON)


def ses(events: Sequence[Any], secret: str) -> Post:
    # after a rotation SNS names another certificate
    url = CERTIFICATE_URL if secret != OLD else CERTIFICATE_URL.replace("0a1b", "dead")
    return sns(
        envelope(events[0] if len(events) == 1 else list(events), SigningCertURL=url), secret
    )


async def at_aws(url: str) -> bytes:
    """What AWS would give: a certificate for each of the two keys."""
    return certificate(OLD if "dead" in url else NEW)


def access() -> Access:
    return Access(
        basic=[("vero", Secret(NEW)), ("vero", Secret(OLD))], bearer=[Secret(NEW), Secret(OLD)]
    )


BOTH: Final = (Secret(NEW), Secret(OLD))

SENDERS: Final[dict[str, Sender]] = {
    "sendgrid": Sender(
        lambda: SendGrid(public_keys=[public_key(NEW), public_key(OLD)]),
        sendgrid,
        {"event": "delivered", "email": "ada@example.org", "vero_key": "order-1"},
        {"event": "teleported", "email": "ada@example.org"},
    ),
    "mailgun": Sender(
        lambda: Mailgun(signing_keys=BOTH),
        mailgun,
        {
            "event": "delivered",
            "recipient": "ada@example.org",
            "user-variables": {"vero_key": "order-1"},
        },
        {"event": "teleported", "recipient": "ada@example.org"},
        batches=False,
        covers_body=False,
    ),
    "mailjet": Sender(
        lambda: Mailjet(access=access()),
        basic,
        {"event": "sent", "email": "ada@example.org", "Payload": '{"vero_key": "order-1"}'},
        {"event": "teleported", "email": "ada@example.org"},
        covers_body=False,
    ),
    "ses": Sender(
        lambda: Ses(topics=[TOPIC], fetch=at_aws),
        ses,
        {
            "eventType": "Delivery",
            "mail": {"messageId": "m-1", "tags": {"vero_key": ["order-1"]}},
            "delivery": {"recipients": ["ada@example.org"]},
        },
        {"eventType": "Teleport", "mail": {"destination": ["ada@example.org"]}},
        batches=False,
    ),
    "postmark": Sender(
        lambda: Postmark(access=access()),
        basic,
        {
            "RecordType": "Delivery",
            "Recipient": "ada@example.org",
            "Metadata": {"vero_key": "order-1"},
        },
        {"RecordType": "Teleport", "Recipient": "ada@example.org"},
        covers_body=False,
    ),
    "sparkpost": Sender(
        lambda: SparkPost(access=access()),
        sparkpost,
        {
            "type": "delivery",
            "raw_rcpt_to": "ada@example.org",
            "rcpt_meta": {"vero_key": "order-1"},
        },
        {"type": "teleport", "raw_rcpt_to": "ada@example.org"},
        covers_body=False,
    ),
    "brevo": Sender(
        lambda: Brevo(access=access()),
        basic,
        {
            "event": "delivered",
            "email": "ada@example.org",
            "X-Mailin-custom": '{"vero_key": "order-1"}',
        },
        {"event": "teleported", "email": "ada@example.org"},
        covers_body=False,
    ),
    "resend": Sender(
        lambda: Resend(signing_secrets=[Secret(whsec(NEW)), Secret(whsec(OLD))]),
        resend,
        {
            "type": "email.delivered",
            "data": {"to": ["Ada <ada@example.org>"], "tags": {"vero_key": "order-1"}},
        },
        {"type": "email.teleported", "data": {"to": ["ada@example.org"]}},
        batches=False,
    ),
    "mandrill": Sender(
        lambda: Mandrill(keys=BOTH, urls=[MANDRILL_URL]),
        mandrill,
        {
            "event": "delivered",
            "msg": {"email": "ada@example.org", "metadata": {"vero_key": "order-1"}},
        },
        {"event": "teleported", "msg": {"email": "ada@example.org"}},
    ),
}


def changed(post: Post, **changes: Any) -> Post:
    return replace(post, **changes)
