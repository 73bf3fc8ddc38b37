"""FCM v1 and Google's token endpoint as their documentation has them.

Clients that nobody here wrote are tested against it as well, see test_push_peers.py.
"""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import http_server
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from push_server import Answer, Asked

PROJECT = "shop-1a2b3"
SCOPES = {  # either will do
    "https://www.googleapis.com/auth/firebase.messaging",
    "https://www.googleapis.com/auth/cloud-platform",
}
PATH = f"/v1/projects/{PROJECT}/messages:send"
EMAIL = f"push@{PROJECT}.iam.gserviceaccount.com"


def new_key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def account(key: RSAPrivateKey, token_uri: str, **changes: Any) -> str:
    """The JSON key of a service account."""
    fields = {
        "type": "service_account", "project_id": PROJECT, "private_key_id": "0a1b",
        "private_key": pem(key), "client_email": EMAIL, "client_id": "1", "token_uri": token_uri,
    }  # fmt: skip
    return json.dumps(fields | changes)


def error(status: int, name: str, message: str, *details: dict[str, Any]) -> Answer:
    """An error as Google writes it."""
    body = {"code": status, "message": message, "status": name}
    return Answer(status, {"error": body | ({"details": list(details)} if details else {})})


def fcm_error(code: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}


UNREGISTERED = error(404, "NOT_FOUND", "Requested entity was not found.", fcm_error("UNREGISTERED"))


@dataclass
class FakeFcm:
    """Answers as FCM does. tokens: the access tokens given out; life: seconds that they live.

    dead: registration tokens, with the answer that each gets.
    """

    key: RSAPrivateKey = field(default_factory=new_key)
    clock: Callable[[], float] = time.time
    life: int = 3599
    tokens: dict[str, float] = field(default_factory=dict)
    dead: dict[str, Answer] = field(default_factory=dict)
    accepted: list[Asked] = field(default_factory=list)

    def token(self, asked: http_server.Asked) -> http_server.Answer:
        """The token endpoint: takes a JWT that the service account has signed."""
        form = parse_qs(asked.body.decode())
        try:
            assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
            head, claims, signature = form["assertion"][0].split(".")
            text = f"{head}.{claims}".encode()
            self.key.public_key().verify(_octets(signature), text, PKCS1v15(), SHA256())
            said = json.loads(_octets(claims))
            assert json.loads(_octets(head))["alg"] == "RS256"
            assert said["iss"] == EMAIL
            assert SCOPES & set(said["scope"].split())
            assert said["exp"] - said["iat"] <= 3600
            assert abs(self.clock() - said["iat"]) < 300
        except (AssertionError, KeyError, ValueError, InvalidSignature):
            refusal = {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            return http_server.Answer(400, refusal)
        made = f"ya29.{len(self.tokens)}-{'x' * 180}"
        self.tokens[made] = self.clock() + self.life
        body = {"access_token": made, "expires_in": self.life, "token_type": "Bearer"}
        return http_server.Answer(200, body)

    def __call__(self, asked: Asked) -> Answer:
        if asked.path != PATH:
            return error(404, "NOT_FOUND", "Requested entity was not found.")
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or self.tokens.get(token, 0) <= self.clock():
            return error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        try:
            request = asked.json
            message = request["message"]
            assert set(request) <= {"message", "validate_only", "validateOnly"}
            assert len({"token", "topic", "condition"} & set(message)) == 1
            assert all(isinstance(value, str) for value in message.get("data", {}).values())
            assert asked.headers["content-type"].startswith("application/json")
        except (AssertionError, KeyError, TypeError, ValueError):
            return error(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")
        if message.get("token") in self.dead:
            return self.dead[message["token"]]
        self.accepted.append(asked)
        return Answer(200, {"name": f"projects/{PROJECT}/messages/0:{len(self.accepted)}%1bd1"})


def _octets(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
