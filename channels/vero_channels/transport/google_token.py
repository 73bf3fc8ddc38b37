"""Google's access tokens: by a service account, or by a credentials object of google-auth.

Source: "Using OAuth 2.0 for server to server applications", developers.google.com.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from importlib import import_module
from typing import Any, Final, Protocol

import httpx

from vero_channels.transport.jwt import SigningKey, load_key, signed
from vero_deliver.secret import Secret, reveal

EARLY: Final = 300.0  # seconds before its end a token is replaced
_LIFE: Final = 3600  # seconds, the most that Google gives
_TIMEOUT: Final = 30.0  # seconds
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_URI: Final = re.compile(r"https://[^\s@]+|http://(?:127\.0\.0\.1|localhost)(?::\d+)?/\S*")


class TokenError(Exception):
    """There is no access token. ours: since the account is wrong, not since Google is away."""

    def __init__(self, detail: str, *, ours: bool) -> None:
        super().__init__(detail)
        self.ours = ours


class TokenSource(Protocol):
    """What makes access tokens."""

    @property
    def project_id(self) -> str:
        """Whose it is; empty where it does not know."""
        ...

    async def fetch(self, context: ssl.SSLContext) -> tuple[Secret, float]:
        """A new token, and the seconds that it lives. TokenError."""
        ...


class AccessTokens:
    """The token of now: fetched once however many ask, and replaced before it ends."""

    def __init__(
        self, source: TokenSource, context: ssl.SSLContext, clock: Callable[[], float]
    ) -> None:
        self._source, self._context, self._clock = source, context, clock
        self.token = Secret("")
        self._ends = self._fetch_at = 0.0
        self._fetching: asyncio.Task[None] | None = None

    @property
    def fresh(self) -> bool:
        """True where `token` may be used without asking."""
        return self._clock() < self._fetch_at

    async def current(self) -> Secret:
        """A token that Google takes. TokenError; not while the former one still lives."""
        if not self.fresh:
            try:
                await self._fetched()
            except TokenError:
                if not self.token or self._clock() >= self._ends:
                    raise
                self._fetch_at = min(self._clock() + EARLY / 10, self._ends)
        return self.token

    def refused(self, token: Secret) -> None:
        """Google does not take that one."""
        if token is self.token:
            self.token, self._ends, self._fetch_at = Secret(""), 0.0, 0.0

    async def _fetched(self) -> None:
        task = self._fetching
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            task = self._fetching = asyncio.ensure_future(self._fetch())
        await asyncio.shield(task)  # a caller that is cancelled does not end it for the others

    async def _fetch(self) -> None:
        token, life = await self._source.fetch(self._context)
        now = self._clock()
        self.token, self._ends = token, now + life
        self._fetch_at = now + max(life - EARLY, life / 2)


@dataclass(frozen=True, slots=True, repr=False)
class ServiceAccount:
    """A service account's key, as the JSON file of Google's console has it."""

    email: str
    key_id: str
    key: SigningKey
    token_uri: str
    project_id: str
    scope: str
    clock: Callable[[], float] = time.time

    @classmethod
    def read(
        cls, text: str | Secret, scope: str, clock: Callable[[], float] = time.time
    ) -> ServiceAccount:
        """Out of the file's text. ValueError, which shows nothing of it."""
        try:
            found = json.loads(reveal(text))
            if found["type"] != "service_account":
                raise ValueError
            email, key, uri = found["client_email"], found["private_key"], found["token_uri"]
            key_id, project = found.get("private_key_id", ""), found.get("project_id", "")
            if not all(isinstance(each, str) for each in (email, key, uri, key_id, project)):
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ValueError("no JSON key of a service account") from None
        if not _URI.fullmatch(uri):
            raise ValueError("its token_uri is no https:// URL")
        return cls(email, key_id, load_key(key), uri, project, scope, clock)

    async def fetch(self, context: ssl.SSLContext) -> tuple[Secret, float]:
        """A new token, for a JWT that this account has signed."""
        now = int(self.clock())
        moment = {"iat": now, "exp": now + _LIFE}
        claims = {"iss": self.email, "scope": self.scope, "aud": self.token_uri, **moment}
        assertion = signed({"typ": "JWT", "kid": self.key_id}, claims, self.key)
        form = {"grant_type": _GRANT, "assertion": assertion}
        try:
            async with httpx.AsyncClient(verify=context, timeout=_TIMEOUT) as client:
                response = await client.post(self.token_uri, data=form)
        except httpx.HTTPError as fault:
            raise TokenError(f"{self._at}: {type(fault).__name__}: {fault}", ours=False) from None
        return self._read(response)

    @property
    def _at(self) -> str:
        return httpx.URL(self.token_uri).host

    def _read(self, response: httpx.Response) -> tuple[Secret, float]:
        try:
            found = response.json()
            if response.is_success:
                return Secret(str(found["access_token"])), float(found["expires_in"])
            said = f"{found.get('error')}: {found.get('error_description')}"
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            said = "no answer that can be read"
        detail = f"{self._at}: HTTP {response.status_code}, no access token: {said[:200]}"
        status = response.status_code
        raise TokenError(detail, ours=400 <= status < 500 and status not in (408, 429))


class GoogleAuth:
    """A credentials object of google-auth, whatever kind: it is refreshed in a thread."""

    def __init__(self, credentials: Any, scope: str) -> None:
        if getattr(credentials, "requires_scopes", False):
            credentials = credentials.with_scopes([scope])
        self._credentials = credentials
        self.project_id = str(getattr(credentials, "project_id", "") or "")

    async def fetch(self, context: ssl.SSLContext) -> tuple[Secret, float]:
        """A new token."""
        known = _exceptions()
        try:
            await asyncio.to_thread(self._credentials.refresh, _Requests(context))
        except known.TransportError as error:
            raise TokenError(f"google-auth: {str(error)[:200]}", ours=False) from None
        except known.GoogleAuthError as error:
            ours = not getattr(error, "retryable", False)
            raise TokenError(f"google-auth: {str(error)[:200]}", ours=ours) from None
        expiry = self._credentials.expiry  # UTC without saying so
        life = expiry.replace(tzinfo=UTC).timestamp() - time.time() if expiry else float(_LIFE)
        return Secret(self._credentials.token), life


def _exceptions() -> Any:
    """Of google-auth, which whoever has such credentials has installed."""
    return import_module("google.auth.exceptions")


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    data: bytes


@dataclass(frozen=True, slots=True)
class _Requests:
    """How google-auth asks, over httpx (google.auth.transport.Request)."""

    context: ssl.SSLContext

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> _Answer:
        try:
            with httpx.Client(verify=self.context, timeout=timeout or _TIMEOUT) as client:
                found = client.request(method, url, content=body, headers=headers)
        except httpx.HTTPError as fault:
            raise _exceptions().TransportError(f"{type(fault).__name__}: {fault}") from fault
        return _Answer(found.status_code, found.headers, found.content)
