"""APNs as its documentation has it: what it takes, and the reason where it does not.

Clients that nobody here wrote are tested against it as well, see test_push_peers.py.
"""

from __future__ import annotations

import json
import re
import time
from base64 import b64encode, urlsafe_b64decode
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
    channels: of broadcasts, by ID: whether each keeps the latest push. most: how many there may be.
    """

    key: EllipticCurvePrivateKey = field(default_factory=new_key)
    clock: Callable[[], float] = time.time
    certificate: bool = False
    dead: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    accepted: list[Asked] = field(default_factory=list)
    channels: dict[str, bool] = field(default_factory=dict)
    most: int = 10_000

    def __call__(self, asked: Asked) -> Answer:
        if not asked.path.startswith("/3/"):
            return self._of_channels(asked)
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

    def _of_channels(self, asked: Asked) -> Answer:  # noqa: C901  # a table of questions
        """Broadcasts, and the channels that they go to."""
        headers = {"apns-request-id": asked.headers.get("apns-request-id", "made-by-apns")}

        def refused(status: int, reason: str) -> Answer:
            return Answer(status, {"reason": reason}, headers)

        reason = "" if self.certificate else self._provider(asked.headers.get("authorization", ""))
        if reason:
            return refused(403, reason)
        if "apns-topic" in asked.headers:
            return refused(400, "TopicDisallowed")
        channel = asked.headers.get("apns-channel-id", "")
        match asked.headers[":method"], asked.path.split(TOPIC):
            case "POST", ["/1/apps/", "/channels"]:
                reason = self._unmade(asked.json)
                if reason:
                    return refused(400, reason)
                made = b64encode(f"channel-{len(self.channels)}".encode()).decode()
                self.channels[made] = asked.json["message-storage-policy"] == 1
                return Answer(201, headers=headers | {"apns-channel-id": made})
            case "GET", ["/1/apps/", "/all-channels"]:
                return Answer(200, {"channels": list(self.channels)}, headers)
            case _ if not channel:
                return refused(400, "MissingChannelId")
            case _ if channel not in self.channels:
                return refused(400, "ChannelNotRegistered")
            case "POST", ["/4/broadcasts/apps/", ""]:
                reason = self._not_broadcast(asked, stored=self.channels[channel])
                if reason:
                    return refused(413 if reason == "PayloadTooLarge" else 400, reason)
                self.accepted.append(asked)
                return Answer(200, headers=headers | {"apns-unique-id": "made-by-apns"})
            case "DELETE", ["/1/apps/", "/channels"]:
                del self.channels[channel]
                return Answer(204, headers=headers)
            case "GET", ["/1/apps/", "/channels"]:
                policy = int(self.channels[channel])
                body = {"message-storage-policy": policy, "push-type": "LiveActivity"}
                return Answer(200, body, headers)
            case _:
                return refused(404, "BadPath")

    def _unmade(self, wanted: Any) -> str:
        if len(self.channels) >= self.most:
            return "CannotCreateChannelConfig"
        if set(wanted) != {"message-storage-policy", "push-type"}:
            return "BadRequestParams"
        return "" if wanted["push-type"].lower() == "liveactivity" else "InvalidPushType"

    def _not_broadcast(self, asked: Asked, *, stored: bool) -> str:
        said = asked.headers
        if said.get("apns-push-type", "").lower() != "liveactivity":
            return "InvalidPushType"
        if said.get("apns-priority") not in ("10", "5", "1"):
            return "BadPriority"
        until = said.get("apns-expiration", "")
        if not until.isdigit() or (until != "0" and not stored):
            return "BadExpirationDate"
        assert "aps" in json.loads(asked.body)
        return "PayloadTooLarge" if len(asked.body) > 5120 else ""

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
