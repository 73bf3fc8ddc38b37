"""AWS Signature Version 4. Source: IAM User Guide, "Create a signed AWS API request"."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

import httpx

from vero_deliver.errors import ConfigError
from vero_deliver.secret import Secret, reveal

_REGION = re.compile(r"[a-z]{2}(?:-[a-z0-9]+)+")
_ALGORITHM = "AWS4-HMAC-SHA256"
_SIGNED = ("content-type", "host", "x-amz-date", "x-amz-security-token")


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs, and where. ConfigError that names the channel where `region` is none."""

    channel: str
    access_key: str
    secret_key: str | Secret = field(repr=False)
    session_token: str | Secret = field(repr=False)
    region: str

    def __post_init__(self) -> None:
        if not _REGION.fullmatch(self.region):
            raise ConfigError(f"channel {self.channel!r}: region is a name like eu-west-1")

    @property
    def secrets(self) -> list[str | Secret]:
        """What no error may show."""
        return [secret for secret in (self.secret_key, self.session_token) if secret]

    def signed(self, request: httpx.Request, service: str) -> httpx.Request:
        """The request signed for this moment."""
        sign(
            request,
            access_key=self.access_key,
            secret_key=self.secret_key,
            session_token=self.session_token,
            region=self.region,
            service=service,
            now=datetime.now(UTC),
        )
        return request


def sign(
    request: httpx.Request,
    *,
    access_key: str,
    secret_key: str | Secret,
    session_token: str | Secret = "",
    region: str,
    service: str,
    now: datetime,
) -> None:
    """Add X-Amz-Date, the session's token and Authorization to a request without a query."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    request.headers["x-amz-date"] = stamp
    if session_token:
        request.headers["x-amz-security-token"] = reveal(session_token)
    names = [name for name in _SIGNED if name in request.headers]
    canonical = "\n".join(
        [
            request.method,
            quote(request.url.path, safe="/-_.~"),
            "",  # the query
            *(f"{name}:{' '.join(request.headers[name].split())}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(request.content).hexdigest(),
        ]
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{reveal(secret_key)}".encode()
    for word in scope.split("/"):
        key = _hmac(key, word)
    signature = _hmac(key, f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashed}").hex()
    request.headers["authorization"] = (
        f"{_ALGORITHM} Credential={access_key}/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}"
    )


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
