"""APNs as its documentation has it: what it takes, and the reason where it does not.

Clients that nobody here wrote are tested against it as well, see test_push_peers.py.
"""

from __future__ import annotations

import json
import re
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from push_server import Answer, Asked

TOPIC, KEY_ID, TEAM_ID = "com.example.shop", "ABC123DEFG", "DEF123GHIJ"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SUFFIXES = {
    "alert": "", "background": "", "voip": ".voip", "complication": ".complication",
    "fileprovider": ".pushkit.fileprovider", "mdm": "", "location": ".location-query",
    "liveactivity": ".push-type.liveactivity", "pushtotalk": ".voip-ptt",
    "controls": ".push-type.controls", "widgets": ".push-type.widgets",
}  # fmt: skip


def new_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


def p8(key: EllipticCurvePrivateKey) -> str:
    """As Apple's download has it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass
class FakeApns:
    """Answers as APNs does. tokens: what each provider token was, in order of appearance.

    dead: device tokens that it refuses, with status and body. certificate: none is needed.
    """

    key: EllipticCurvePrivateKey = field(default_factory=new_key)
    clock: Callable[[], float] = time.time
    certificate: bool = False
    dead: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    accepted: list[Asked] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        headers = {"apns-id": asked.headers.get("apns-id", "made-by-apns")}
        found = self._refusal(asked)
        if found is None:
            self.accepted.append(asked)
            return Answer(200, headers=headers)
        return Answer(found[0], found[1], headers)

    def _refusal(self, asked: Asked) -> tuple[int, dict[str, Any]] | None:
        path = re.fullmatch(r"/3/device/([0-9a-fA-F]*)", asked.path)
        if path is None:
            return 404, {"reason": "BadPath"}
        reason = "" if self.certificate else self._provider(asked.headers.get("authorization", ""))
        if reason:
            return 403, {"reason": reason}
        if not path[1]:
            return 400, {"reason": "MissingDeviceToken"}
        if path[1] in self.dead:
            return self.dead[path[1]]
        reason = self._headers(asked.headers)
        if reason:
            return 400, {"reason": reason}
        if not asked.body:
            return 400, {"reason": "PayloadEmpty"}
        limit = 5120 if asked.headers.get("apns-push-type") == "voip" else 4096
        if len(asked.body) > limit:
            return 413, {"reason": "PayloadTooLarge"}
        assert isinstance(json.loads(asked.body), dict)
        return None

    def _provider(self, authorization: str) -> str:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return "MissingProviderToken"
        if token not in self.tokens:
            self.tokens.append(token)
        try:
            head, claims, signature = token.split(".")
            octets = _octets(signature)
            r, s = int.from_bytes(octets[:32]), int.from_bytes(octets[32:])
            self.key.public_key().verify(
                encode_dss_signature(r, s), f"{head}.{claims}".encode(), ECDSA(SHA256())
            )
            found, said = json.loads(_octets(head)), json.loads(_octets(claims))
        except (ValueError, InvalidSignature):
            return "InvalidProviderToken"
        if (found["alg"], found["kid"], said["iss"]) != ("ES256", KEY_ID, TEAM_ID):
            return "InvalidProviderToken"
        return "" if abs(self.clock() - said["iat"]) <= 3600 else "ExpiredProviderToken"

    def _headers(self, headers: dict[str, str]) -> str:
        kind, topic = headers.get("apns-push-type", "alert"), headers.get("apns-topic", "")
        if kind not in SUFFIXES:
            return "InvalidPushType"
        if not topic:
            return "MissingTopic"
        if topic != TOPIC + SUFFIXES[kind]:
            return "DeviceTokenNotForTopic" if topic.startswith(TOPIC) else "TopicDisallowed"
        if not UUID.fullmatch(headers.get("apns-id", "0" * 8 + "-0000-0000-0000-" + "0" * 12)):
            return "BadMessageId"
        if not headers.get("apns-expiration", "0").isdigit():
            return "BadExpirationDate"
        priority = headers.get("apns-priority", "10")
        if priority not in ("10", "5", "1") or (kind == "background" and priority == "10"):
            return "BadPriority"
        return "BadCollapseId" if len(headers.get("apns-collapse-id", "")) > 64 else ""


def _octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
