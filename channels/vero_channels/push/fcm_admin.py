"""Firebase Cloud Messaging through Google's own library, firebase-admin (an extra).

For whom its credentials or its proxies matter more than speed; `fcm` needs a fraction of its CPU.
It sends in a thread, repeats by itself what failed to connect or got 500 or 503, and takes only
the fields that its classes have.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, ClassVar, Final

import httpx

from vero_channels.push.payload import fcm_message
from vero_channels.transport.fcm_errors import Said, refusal
from vero_channels.transport.fcm_message import checked_message
from vero_channels.transport.http_answers import problem, retry_after, shortened, verdict
from vero_channels.transport.keys import wire_key
from vero_deliver.channel import Receipt
from vero_deliver.errors import (
    ConfigError,
    Deferred,
    DeliveryError,
    Misconfigured,
    MissingExtra,
    Refused,
    Uncertain,
)
from vero_deliver.push_reports import checked, make_token
from vero_deliver.rendered import ContentName, RenderedPush
from vero_deliver.secret import Secret, reveal

_OTHER_NAMES: Final = {  # of AndroidNotification
    "notification_priority": "priority",
    "event_time": "event_timestamp",
    "vibrate_timings": "vibrate_timings_millis",
}


class FcmAdmin:
    """One Firebase project.

    credentials: the JSON key of a service account, or in Python an object of
    firebase_admin.credentials. timeout: seconds for each try. The others as for `Fcm`.
    """

    contents: ClassVar[tuple[ContentName, ...]] = ("push",)

    def __init__(
        self,
        credentials: str | Secret | Any,
        *,
        project_id: str = "",
        data_only: bool = False,
        validate_only: bool = False,
        report_secret: str | Secret | None = None,
        timeout: float = 30.0,
        name: str = "fcm-admin",
    ) -> None:
        try:
            self._firebase: Any = import_module("firebase_admin")
            self._messaging: Any = import_module("firebase_admin.messaging")
            self._auth_errors: Any = import_module("google.auth.exceptions")
        except ModuleNotFoundError:
            raise MissingExtra("the driver fcm-admin", "fcm-admin") from None
        self._name, self._data_only, self._validate_only = name, data_only, validate_only
        self._report_secret = checked(report_secret) if report_secret else None
        options = {"httpTimeout": timeout} | ({"projectId": project_id} if project_id else {})
        credential = self._credential(credentials)
        try:
            self._app = self._firebase.initialize_app(
                credential, options, name=f"vero-deliver-{uuid.uuid4()}"
            )
        except ValueError as error:
            raise ConfigError(f"channel {name!r}: {error}") from None
        if not self._app.project_id:
            raise ConfigError(f"channel {name!r}: give project_id")

    def __repr__(self) -> str:
        return f"FcmAdmin(name={self._name!r}, project_id={self._app.project_id!r})"

    @property
    def name(self) -> str:
        """The configured name."""
        return self._name

    @property
    def idempotent(self) -> bool:
        """False: a push that is sent twice is shown twice."""
        return False

    async def send(self, rendered: RenderedPush, key: str) -> Receipt:
        """Hand over to Google. The receipt's provider_id is the message's name."""
        try:
            message = self._message(rendered, key)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Refused(f"this cannot be sent: {error}", channel=self._name) from None
        name = await asyncio.to_thread(self._sent, message)
        return Receipt(self._name, name, datetime.now(UTC))

    async def aclose(self) -> None:
        """Nothing to close: its connections end with the process."""

    def _sent(self, message: Any) -> str:
        try:
            return str(self._messaging.send(message, dry_run=self._validate_only, app=self._app))
        except ValueError as error:
            raise Refused(f"this cannot be sent: {error}", channel=self._name) from None
        except self._auth_errors.TransportError as error:
            raise Deferred(shortened(str(error)), channel=self._name) from None
        except self._auth_errors.GoogleAuthError as error:
            raise Misconfigured(shortened(str(error)), channel=self._name) from None
        except self._firebase.exceptions.FirebaseError as error:
            raise self._error(error) from None

    def _error(self, error: Any) -> DeliveryError:
        answer = error.http_response
        if answer is None:
            detail = f"{shortened(str(error))}; it may have been accepted"
            return Uncertain(detail, channel=self._name, code=str(error.code))
        response = httpx.Response(
            answer.status_code, headers=_fields(answer), content=answer.content
        )
        found = refusal(
            response.status_code,
            Said(response.content),
            channel=self._name,
            shown=shortened,
            wait=lambda: retry_after(response),
        )
        return found or verdict(response, problem(response), channel=self._name)

    def _message(self, rendered: RenderedPush, key: str) -> Any:
        if rendered.device is None:
            raise ValueError("the push has no device")
        report = ""
        if self._report_secret is not None:
            named = wire_key(key)
            report = make_token(self._report_secret, channel=self._name, key=named, at=rendered.at)
        fields = fcm_message(rendered, key, report=report, data_only=self._data_only)
        checked_message(fields, rendered.device.token)
        made = self._messaging
        if notification := fields.get("notification"):
            fields["notification"] = made.Notification(**notification)
        if android := fields.get("android"):
            fields["android"] = self._android(android)
        if apns := fields.get("apns"):
            payload = made.APNSPayload(made.Aps())
            payload.custom_data = apns["payload"]  # its `aps` too: the class lacks most of Apple's
            fields["apns"] = made.APNSConfig(headers=apns["headers"], payload=payload)
        if webpush := fields.get("webpush"):
            fields["webpush"] = self._webpush(webpush)
        return made.Message(**fields)

    def _android(self, config: Mapping[str, Any]) -> Any:
        made = self._messaging
        fields: dict[str, Any] = dict(config)
        if "priority" in fields:
            fields["priority"] = fields["priority"].lower()
        if "ttl" in fields:
            fields["ttl"] = float(str(fields["ttl"]).removesuffix("s"))
        if notification := fields.get("notification"):
            fields["notification"] = made.AndroidNotification(**_renamed(notification))
        if options := fields.get("fcm_options"):
            fields["fcm_options"] = made.AndroidFCMOptions(**options)
        return made.AndroidConfig(**fields)

    def _webpush(self, config: Mapping[str, Any]) -> Any:
        made, fields = self._messaging, dict(config)
        if notification := fields.get("notification"):
            fields["notification"] = made.WebpushNotification(**notification)
        if options := fields.get("fcm_options"):
            fields["fcm_options"] = made.WebpushFCMOptions(**options)
        return made.WebpushConfig(**fields)

    def _credential(self, given: Any) -> Any:
        if not isinstance(given, (str, Secret)):
            return given
        try:
            return self._firebase.credentials.Certificate(json.loads(reveal(given)))
        except (ValueError, TypeError, RecursionError):
            detail = "credentials: no JSON key of a service account"
            raise ConfigError(f"channel {self._name!r}: {detail}") from None


def _renamed(notification: Mapping[str, Any]) -> dict[str, Any]:
    return {_OTHER_NAMES.get(name, name): value for name, value in notification.items()}


def _fields(answer: Any) -> dict[str, str]:
    """Header fields of an answer that requests has decoded already."""
    return {n: v for n, v in answer.headers.items() if n.lower() != "content-encoding"}
