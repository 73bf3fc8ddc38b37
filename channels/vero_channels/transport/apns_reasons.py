"""Why APNs refuses a push, and what each reason means.

Source: "Handling notification responses from APNs", developer.apple.com.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vero_deliver.errors import Deferred, DeliveryError, Gone, Misconfigured, Refused

REASONS: Final[Mapping[str, type[DeliveryError]]] = {
    # the device's token
    "BadDeviceToken": Gone,
    "DeviceTokenNotForTopic": Gone,
    "ExpiredToken": Gone,
    "Unregistered": Gone,
    # this push
    "BadCollapseId": Refused,
    "BadExpirationDate": Refused,
    "BadMessageId": Refused,
    "BadPath": Refused,
    "BadPriority": Refused,
    "DuplicateHeaders": Refused,
    "InvalidPushType": Refused,
    "MethodNotAllowed": Refused,
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
    "BadCertificateEnvironment": "the certificate is of the other environment",
    "BadEnvironmentKeyIdInToken": "key is of the other environment",
    "BadEnvironmentKeyInToken": "key is of the other environment",
    "ExpiredProviderToken": "APNs calls a new token expired: check this machine's clock",
    "InvalidProviderToken": "check key, key_id and team_id",
    "TopicDisallowed": "the key or certificate may not push to this topic",
    "UnrelatedKeyIdInToken": "key is of another team or topic",
}
WAITS: Final = {"TooManyProviderTokenUpdates": 1200.0, "TooManyRequests": 60.0}  # seconds
EXPIRED: Final = "ExpiredProviderToken"
