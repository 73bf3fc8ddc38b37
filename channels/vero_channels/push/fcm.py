"""Firebase Cloud Messaging, the HTTP v1 API, over HTTP/2 connections that are kept.

Sources, all of firebase.google.com/docs: "REST Resource: projects.messages", "ErrorCode",
"Send messages at scale", "Throttling and quotas".
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from vero_channels.push.payload import fcm_message
from vero_channels.transport.fcm_errors import MISMATCH, Said, refusal
from vero_channels.transport.fcm_message import checked_message
from vero_channels.transport.google_token import (
    AccessTokens,
    GoogleAuth,
    ServiceAccount,
    TokenError,
    TokenSource,
)
from vero_channels.transport.http2_exchange import Answer, Http2Error
from vero_channels.transport.http2_fields import Fields, literal
from vero_channels.transport.http_answers import retry_after
from vero_channels.transport.keys import wire_key
from vero_channels.transport.push_api import PushApi, as_response, encoded
from vero_deliver.channel import Receipt
from vero_deliver.errors import (
    Deferred,
    DeliveryError,
    Misconfigured,
    Refused,
    Uncertain,
)
from vero_deliver.push_reports import checked, make_token
from vero_deliver.rendered import RenderedPush
from vero_deliver.secret import Secret

HOST: Final = "fcm.googleapis.com"
SCOPE: Final = "https://www.googleapis.com/auth/firebase.messaging"
_PROJECT: Final = re.compile(r"[a-z0-9.:-]{1,63}")
_REQUEST: Final = 1_000_000  # octets of JSON, far above what Google's own limits allow
_MASS: Final = 20  # tokens of another project in a row before anything was accepted: it is us


class _Accepted(msgspec.Struct):
    name: str = ""


class Fcm(PushApi):
    """One Firebase project.

    credentials: the JSON key of a service account, or in Python a credentials object of
    google-auth. project_id: where the credentials do not know it. data_only: the Android app
    shows pushes itself, in code. validate_only: Google checks and does not deliver.
    report_secret: signs the tokens with which the app reports (`vero_deliver.push_reports`);
    none, no reports. clock: seconds since the epoch. PushApi has the others.

    A device's token is a registration token, or "/topics/news", or a condition:
    "'news' in topics && 'cs' in topics".
    """

    def __init__(
        self,
        credentials: str | Secret | Any,
        *,
        project_id: str = "",
        data_only: bool = False,
        validate_only: bool = False,
        report_secret: str | Secret | None = None,
        connections: int = 2,
        timeout: float = 30.0,
        host: str = HOST,
        port: int = 443,
        ca_file: str | Path | None = None,
        name: str = "fcm",
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(
            name=name,
            host=host,
            port=port,
            timeout=timeout,
            connections=connections,
            ca_file=ca_file,
        )
        source = self._source(credentials, clock)
        self._project = project_id or source.project_id
        if not _PROJECT.fullmatch(self._project):
            raise self._wrong(f"project_id {self._project!r} is none")
        self._path = literal(":path", f"/v1/projects/{quote(self._project)}/messages:send")
        self._tokens = AccessTokens(source, self._tls(), clock)
        self._data_only, self._validate_only, self._clock = data_only, validate_only, clock
        self._report_secret = checked(report_secret) if report_secret else None
        self._shared: tuple[Secret, Fields] | None = None
        self._paused = 0.0  # until when the project's quota is used up
        self._strange = 0  # tokens in a row of another project; -1 once one was accepted

    def __repr__(self) -> str:
        return f"Fcm(name={self._name!r}, project_id={self._project!r})"

    async def send(self, rendered: RenderedPush, key: str) -> Receipt:
        """Hand over to Google. The receipt's provider_id is the message's name.

        Once the project's quota is used up, everything is Deferred until Google takes more.
        """
        try:
            body = self.body(rendered, key)
        except ValueError as error:
            raise Refused(f"this cannot be sent: {error}", channel=self._name) from None
        if self._paused:
            self._check_paused()
        token, fields = self._fields() if self._tokens.fresh else await self._new_fields()
        try:
            answer = await self._http2.request(fields, self._path, b"", body)
            if answer.status == 401 and not Said(answer.body).code:
                self._tokens.refused(token)
                token, fields = await self._new_fields()
                answer = await self._http2.request(fields, self._path, b"", body)
        except Http2Error as fault:
            raise self._fault(fault) from None
        if answer.status != 200:
            raise self._refusal(answer)
        self._strange = -1
        return Receipt(self._name, self._provider_id(answer), datetime.now(UTC))

    def body(self, rendered: RenderedPush, key: str) -> bytes:
        """What is sent. ValueError where Google would refuse it."""
        device = rendered.device
        if device is None:
            raise ValueError("the push has no device")
        report = ""
        if self._report_secret is not None:
            named = wire_key(key)
            report = make_token(self._report_secret, channel=self._name, key=named, at=rendered.at)
        message = fcm_message(rendered, key, report=report, data_only=self._data_only)
        checked_message(message, device.token)
        request: dict[str, Any] = {"message": message}
        if self._validate_only:
            request["validate_only"] = True
        return encoded(request, _REQUEST, "message")

    def _fields(self) -> tuple[Secret, Fields]:
        token = self._tokens.token
        if self._shared is None or self._shared[0] is not token:
            regular = [
                ("authorization", f"Bearer {token.reveal()}"),
                ("content-type", "application/json"),
            ]
            self._shared = token, Fields(self._authority, regular)
        return self._shared

    async def _new_fields(self) -> tuple[Secret, Fields]:
        try:
            await self._tokens.current()
            return self._fields()
        except TokenError as error:
            kind = Misconfigured if error.ours else Deferred
            raise kind(self._shown(str(error)), channel=self._name) from None
        except ValueError:
            detail = "the access token cannot be in a header field"
            raise Misconfigured(detail, channel=self._name) from None

    def _provider_id(self, answer: Answer) -> str:
        try:
            name = _DECODER.decode(answer.body).name
        except (msgspec.DecodeError, UnicodeDecodeError):
            name = ""
        if not name:
            detail = "HTTP 200 without a name; it may have been accepted"
            raise Uncertain(detail, channel=self._name, code="200")
        return name

    def _refusal(self, answer: Answer) -> DeliveryError:
        said = Said(answer.body)
        error = refusal(
            answer.status,
            said,
            channel=self._name,
            shown=self._shown,
            wait=lambda: retry_after(as_response(answer)),
        )
        if error is None:
            return self._verdict(answer, said.status)
        if isinstance(error, Deferred) and answer.status == 429 and not said.narrow:
            self._paused = max(self._paused, self._clock() + (error.retry_after or 0.0))
        if said.code == MISMATCH and self._strange >= 0:
            self._strange += 1
            if self._strange > _MASS:
                detail = f"none of {_MASS} tokens is of {self._project}: check credentials"
                return Misconfigured(detail, channel=self._name, code=said.code)
        return error

    def _check_paused(self) -> None:
        wait = self._paused - self._clock()
        if wait > 0:
            detail = f"the quota of {self._project} is used up"
            raise Deferred(detail, channel=self._name, code="QUOTA_EXCEEDED", retry_after=wait)
        self._paused = 0.0

    def _source(self, credentials: Any, clock: Callable[[], float]) -> TokenSource:
        if hasattr(credentials, "refresh"):
            return GoogleAuth(credentials, SCOPE)
        if not isinstance(credentials, (str, Secret)):
            raise self._wrong("credentials is the text of a JSON key, or an object of google-auth")
        try:
            return ServiceAccount.read(credentials, SCOPE, clock)
        except ValueError as error:
            raise self._wrong(f"credentials: {error}") from None


_DECODER: Final = msgspec.json.Decoder(_Accepted)
