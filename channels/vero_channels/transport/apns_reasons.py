"""Why APNs refuses a push, and what each reason means.

Sources: "Handling notification responses from APNs" and, for broadcasts and their channels,
"Handling error responses from Apple Push Notification service", developer.apple.com.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from vero_channels.transport.http2_exchange import Answer
from vero_channels.transport.http_answers import retry_after
from vero_channels.transport.push_api import as_response
from vero_deliver.errors import Deferred, DeliveryError, Gone, Misconfigured, Refused

REASONS: Final[Mapping[str, type[DeliveryError]]] = {
    # the device's token
    "BadDeviceToken": Gone,
    "DeviceTokenNotForTopic": Gone,
    "ExpiredToken": Gone,
    "Unregistered": Gone,
    "BadChannelId": Gone,
    "ChannelNotRegistered": Gone,
    # this push
    "BadCollapseId": Refused,
    "BadExpirationDate": Refused,
    "BadMessageId": Refused,
    "BadPath": Refused,
    "BadPriority": Refused,
    "BadRequestParams": Refused,
    "BadRequestPayload": Refused,
    "CannotCreateChannelConfig": Refused,  # there are 10,000 of them
    "DuplicateHeaders": Refused,
    "InvalidPushType": Refused,
    "MethodNotAllowed": Refused,
    "MissingChannelId": Refused,
    "MissingDeviceToken": Refused,
    "MissingPushType": Refused,
    "PayloadEmpty": Refused,
    "PayloadTooLarge": Refused,
    # our key, certificate or topic
    "BadCertificate": Misconfigured,
    "BadCertificateEnvironment": Misconfigured,
    "BadEnvironmentKeyIdInToken": Misconfigured,
    "BadEnvironmentKeyInToken": Misconfigured,  # how APNs itself writes the one above
    "BadTopic": Misconfigured,
    "ExpiredProviderToken": Misconfigured,  # once a new one was refused as well
    "FeatureNotEnabled": Misconfigured,
    "Forbidden": Misconfigured,
    "InvalidProviderToken": Misconfigured,
    "MissingProviderToken": Misconfigured,
    "MissingTopic": Misconfigured,
    "TopicDisallowed": Misconfigured,
    "TopicMismatch": Misconfigured,
    "UnrelatedKeyIdInToken": Misconfigured,
    # later
    "IdleTimeout": Deferred,
    "InternalServerError": Deferred,
    "ServiceUnavailable": Deferred,
    "Shutdown": Deferred,
    "TooManyProviderTokenUpdates": Deferred,
    "TooManyRequests": Deferred,
}
"""Every documented reason, and the error that it is."""

ADVICE: Final = {
    "BadChannelId": "there is no such channel",
    "ChannelNotRegistered": "there is no such channel, or it is of the other environment",
    "BadCertificateEnvironment": "the certificate is of the other environment",
    "BadEnvironmentKeyIdInToken": "key is of the other environment",
    "BadEnvironmentKeyInToken": "key is of the other environment",
    "ExpiredProviderToken": "APNs calls a new token expired: check this machine's clock",
    "CannotCreateChannelConfig": "the app has as many channels as it may: delete some",
    "FeatureNotEnabled": "the app lacks a capability, broadcasts for one",
    "InvalidProviderToken": "check key, key_id and team_id",
    "TopicDisallowed": "the key or certificate may not push to this topic",
    "UnrelatedKeyIdInToken": "key is of another team or topic",
}
WAITS: Final = {"TooManyProviderTokenUpdates": 1200.0, "TooManyRequests": 60.0}  # seconds
EXPIRED: Final = "ExpiredProviderToken"


class Said(msgspec.Struct):
    """The body of a refusal. timestamp: milliseconds since the epoch."""

    reason: str = ""
    timestamp: int | None = None

    @classmethod
    def of(cls, answer: Answer) -> Said:
        """What an answer says; nothing where it cannot be read."""
        try:
            return _DECODER.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return cls()

    @property
    def since(self) -> datetime | None:
        """Since when a token is dead, where Apple tells."""
        try:
            return datetime.fromtimestamp(self.timestamp / 1000, UTC) if self.timestamp else None
        except (OverflowError, ValueError, OSError):
            return None


def refusal(answer: Answer, said: Said, channel: str) -> DeliveryError | None:
    """The error that a documented reason is; None for any other."""
    kind = REASONS.get(said.reason)
    if kind is None:
        return None
    detail = ADVICE.get(said.reason, "APNs refused it")
    if kind is Deferred:
        wait = retry_after(as_response(answer)) or WAITS.get(said.reason)
        return Deferred(detail, channel=channel, code=said.reason, retry_after=wait)
    return kind(detail, channel=channel, code=said.reason)


_DECODER: Final = msgspec.json.Decoder(Said)
