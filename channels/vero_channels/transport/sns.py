"""Messages of Amazon SNS over HTTP: who signed them, and for which topic.

Source: "Verifying the signatures of Amazon SNS messages", docs.aws.amazon.com. Version 1 signs
with SHA-1, version 2 with SHA-256.
"""

from __future__ import annotations

import asyncio
import re
import urllib.request
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from vero_channels.transport import webhook_json as json
from vero_channels.transport.webhooks import Post, of_base64
from vero_deliver.errors import NotAuthentic

_NOTIFICATION: Final = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION: Final = (
    "Message",
    "MessageId",
    "SubscribeURL",
    "Timestamp",
    "Token",
    "TopicArn",
    "Type",
)
_SIGNED: Final[dict[str, tuple[str, ...]]] = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_HEADERS: Final = {
    "x-amz-sns-message-type": "Type",
    "x-amz-sns-message-id": "MessageId",
    "x-amz-sns-topic-arn": "TopicArn",
}
_HASHES: Final[dict[str, type[SHA1] | type[SHA256]]] = {"1": SHA1, "2": SHA256}
_HOST = r"https://sns\.[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}\.amazonaws\.com(?:\.cn)?"
_AMAZON = re.compile(rf"{_HOST}/[!-~]*")
_CERTIFICATE = re.compile(rf"{_HOST}/SimpleNotificationService-[0-9a-zA-Z]{{1,80}}\.pem")

_TIMEOUT = 10.0  # seconds
_LARGEST = 64 * 1024  # octets of a certificate


def check_envelope(
    envelope: Mapping[str, Any], post: Post, topics: Sequence[str], channel: str
) -> None:
    """Raises NotAuthentic unless headers and body say the same, and name one of the topics."""
    for name, field in _HEADERS.items():
        if post.headers.get(name, "") != json.text(envelope, field):
            raise NotAuthentic(f"its header {name} is not its {field}", channel=channel)
    if json.text(envelope, "TopicArn") not in topics:
        raise NotAuthentic("it comes from a topic that is not ours", channel=channel)
    if json.text(envelope, "Type") not in _SIGNED:
        raise NotAuthentic("SNS signs no message of its type", channel=channel)


def certificate_url(envelope: Mapping[str, Any], channel: str) -> str:
    """Where its certificate is. Raises NotAuthentic where that is not at AWS."""
    url = json.text(envelope, "SigningCertURL")
    if not _CERTIFICATE.fullmatch(url):
        raise NotAuthentic("its SigningCertURL is no certificate of SNS", channel=channel)
    return url


def amazon_url(url: str, channel: str) -> str:
    """The URL itself. Raises NotAuthentic where it does not lead to SNS."""
    if not _AMAZON.fullmatch(url):
        raise NotAuthentic("its SubscribeURL does not lead to SNS", channel=channel)
    return url


def check_signature(envelope: Mapping[str, Any], key: RSAPublicKey | None, channel: str) -> None:
    """Raises NotAuthentic unless the key has signed the message."""
    digest = _HASHES.get(json.text(envelope, "SignatureVersion"))
    if key is None or digest is None:
        raise NotAuthentic("its certificate or signature version is none", channel=channel)
    signature = of_base64(json.text(envelope, "Signature"))
    try:
        key.verify(signature, canonical(envelope), PKCS1v15(), digest())
    except InvalidSignature:
        raise NotAuthentic("the signature does not fit", channel=channel) from None


def canonical(envelope: Mapping[str, Any]) -> bytes:
    """What is signed: name and value of the fields that count, a line each; no absent Subject."""
    lines = [
        f"{field}\n{envelope[field]}\n"
        for field in _SIGNED[envelope["Type"]]
        if isinstance(envelope.get(field), str)
    ]
    return "".join(lines).encode("utf-8", "surrogatepass")


class Certificates:
    """The keys of SNS, fetched once each."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._known: dict[str, x509.Certificate] = {}

    async def get(
        self, url: str, fetch: Callable[[str], Awaitable[bytes]], at: datetime
    ) -> RSAPublicKey | None:
        """The certificate's key; None where it is none, or not valid at that moment."""
        found = self._known.get(url) or _certificate(await fetch(url))
        if found is None or not found.not_valid_before_utc <= at <= found.not_valid_after_utc:
            self._known.pop(url, None)
            return None
        key = found.public_key()
        if not isinstance(key, RSAPublicKey):
            return None
        self._known[url] = found
        while len(self._known) > self._most:
            del self._known[next(iter(self._known))]
        return key


async def fetch(url: str) -> bytes:
    """GET from SNS, no redirects followed. Raises OSError; ValueError for any other URL."""
    if not _AMAZON.fullmatch(url):
        raise ValueError("the URL does not lead to SNS")
    return await asyncio.to_thread(_get, url)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **others: Any) -> None:
        """None: the answer becomes an HTTPError."""


def _get(url: str) -> bytes:
    with urllib.request.build_opener(_NoRedirect).open(url, timeout=_TIMEOUT) as answer:
        return bytes(answer.read(_LARGEST))


def _certificate(pem: bytes) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(pem)
    except (ValueError, UnsupportedAlgorithm):
        return None
