"""Why FCM refuses a message: the error of its answer, and what each code means.

Sources: "ErrorCode" of the FCM v1 reference, "FCM error codes", firebase.google.com.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from vero_deliver.errors import Deferred, DeliveryError, Gone, Misconfigured, Refused

CODES: Final[Mapping[str, type[DeliveryError]]] = {
    "INVALID_ARGUMENT": Refused,  # Gone where it is the token that is invalid
    "UNREGISTERED": Gone,
    "SENDER_ID_MISMATCH": Gone,  # a token of another project
    "QUOTA_EXCEEDED": Deferred,
    "UNAVAILABLE": Deferred,
    "INTERNAL": Deferred,
    "THIRD_PARTY_AUTH_ERROR": Misconfigured,  # the APNs or Web Push key in Firebase
}
"""Every documented code of FcmError but UNSPECIFIED_ERROR, and the error that it is."""

ADVICE: Final = {
    "SENDER_ID_MISMATCH": "the token is of another project",
    "THIRD_PARTY_AUTH_ERROR": "check the APNs or Web Push key in the Firebase console",
}
MISMATCH: Final = "SENDER_ID_MISMATCH"
QUOTA_PAUSE: Final = 60.0  # seconds, where Google does not say
_FCM_ERROR: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_INVALID_TOKEN: Final = "not a valid FCM registration token"  # noqa: S105  # words of Google's
_NARROW: Final = ("device", "topic")  # what a quota is of, if not of the whole project


class _Detail(msgspec.Struct):
    type: str = msgspec.field(default="", name="@type")
    error_code: str = msgspec.field(default="", name="errorCode")
    field_violations: list[dict[str, Any]] = msgspec.field(
        default_factory=list, name="fieldViolations"
    )


class _Error(msgspec.Struct):
    message: str = ""
    status: str = ""
    details: list[_Detail] = []


class _Body(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)


class Said:
    """What an answer says went wrong; everything empty where it is not of FCM's form."""

    def __init__(self, body: bytes) -> None:
        try:
            error = _DECODER.decode(body).error
        except (msgspec.DecodeError, UnicodeDecodeError):
            error = _Error()
        self.message, self.status = error.message, error.status
        codes = [each.error_code for each in error.details if each.type == _FCM_ERROR]
        self.code = codes[0] if codes else ""
        self._fields = [
            str(violation.get("field"))
            for each in error.details
            for violation in each.field_violations
        ]

    @property
    def invalid_token(self) -> bool:
        """True where the device's token is none at all."""
        return "message.token" in self._fields or _INVALID_TOKEN in self.message

    @property
    def narrow(self) -> bool:
        """True where a quota of one device or topic is used up, not the project's."""
        return any(word in self.message.lower() for word in _NARROW)


def refusal(
    status: int,
    said: Said,
    *,
    channel: str,
    shown: Callable[[str], str],
    wait: Callable[[], float | None],
) -> DeliveryError | None:
    """The error that an answer stands for; None where only its status counts.

    wait: the answer's Retry-After, in seconds. shown: the text without credentials.
    """
    kind = CODES.get(said.code)
    detail = ADVICE.get(said.code) or shown(said.message) or "FCM refused the message"
    if said.invalid_token:
        kind, detail = Gone, "the device's token is none of FCM's"
    elif kind is None and status == 404 and said.status:
        kind, detail = Misconfigured, f"check project_id: {detail}"
    code = said.code or said.status or str(status)
    if status == 429:
        return Deferred(detail, channel=channel, code=code, retry_after=wait() or QUOTA_PAUSE)
    if kind is Deferred:
        return Deferred(detail, channel=channel, code=code, retry_after=wait())
    return kind(detail, channel=channel, code=code) if kind else None


_DECODER: Final = msgspec.json.Decoder(_Body)
