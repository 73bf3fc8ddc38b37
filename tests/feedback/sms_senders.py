"""Providers of text messages as senders of webhooks: each signs as its documentation says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from webhook_secrets import NOON, SECONDS

from vero_channels.transport.webhooks import Post

URL: Final = "https://hooks.example.com/sms"
QUERY: Final = "shop=1&vero_key=order-1"


def mac(secret: str, signed: str | bytes, digest: str = "sha256") -> str:
    octets = signed if isinstance(signed, bytes) else signed.encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.new(secret.encode(), octets, digest).digest()).decode()


def fields(event: Any) -> list[tuple[str, str]]:
    """An event as the fields of a form: texts as they are, anything else as JSON."""
    if not isinstance(event, Mapping):
        return [("value", json.dumps(event))]
    return [
        (clean(name), clean(value if isinstance(value, str) else json.dumps(value)))
        for name, value in event.items()
    ]


def clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def twilio(events: Sequence[Any], secret: str, *, url: str = URL, query: str = QUERY) -> Post:
    pairs = fields(events[0])
    signed = url + (f"?{query}" if query else "") + "".join(n + v for n, v in sorted(pairs))
    signature = mac(secret, signed, "sha1")
    headers = {"X-Twilio-Signature": signature}
    return Post.of(urlencode(pairs).encode(), headers, NOON, query=query)


def plivo(events: Sequence[Any], secret: str, *, url: str = URL, nonce: str = "n-1") -> Post:
    headers = {
        "X-Plivo-Signature-V2": mac(secret, url + nonce),
        "X-Plivo-Signature-V2-Nonce": nonce,
    }
    return Post.of(urlencode(fields(events[0])).encode(), headers, NOON, query=QUERY)


def encoded(part: Any) -> str:
    octets = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")


def token(body: bytes, secret: str, *, alg: str = "HS256", at: str = SECONDS, **claims: Any) -> str:
    payload = {
        "iat": int(at), "jti": "j", "iss": "Vonage", "api_key": "a1b2c3",
        "payload_hash": hashlib.sha256(body).hexdigest(), **claims,
    }  # fmt: skip
    signed = f"{encoded({'alg': alg, 'typ': 'JWT'})}.{encoded(payload)}"
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{encoded(digest)}"


def vonage(events: Sequence[Any], secret: str) -> Post:
    body = json.dumps(events[0]).encode()
    return Post.of(body, {"Authorization": f"Bearer {token(body, secret)}"}, NOON)


def sinch(events: Sequence[Any], secret: str) -> Post:
    body = json.dumps(events[0]).encode()
    headers = {
        "X-Sinch-Webhook-Signature": mac(secret, body + f".n-1.{SECONDS}".encode()),
        "X-Sinch-Webhook-Signature-Nonce": "n-1",
        "X-Sinch-Webhook-Signature-Timestamp": SECONDS,
        "X-Sinch-Webhook-Signature-Algorithm": "HmacSHA256",
    }
    return Post.of(body, headers, NOON)


def telnyx_key(secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(secret.encode()[:32])


def telnyx_public(secret: str) -> str:
    return base64.b64encode(telnyx_key(secret).public_key().public_bytes_raw()).decode()


def telnyx(events: Sequence[Any], secret: str) -> Post:
    body = json.dumps(events[0]).encode()
    signature = telnyx_key(secret).sign(f"{SECONDS}|".encode() + body)
    headers = {
        "telnyx-signature-ed25519": base64.b64encode(signature).decode(),
        "telnyx-timestamp": SECONDS,
    }
    return Post.of(body, headers, NOON, query=QUERY)


def bird(events: Sequence[Any], secret: str) -> Post:
    body = json.dumps(events[0]).encode()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": SECONDS,
        "webhook-signature": f"v1,{mac(secret, f'msg_1.{SECONDS}.'.encode() + body)}",
    }
    return Post.of(body, headers, NOON)
