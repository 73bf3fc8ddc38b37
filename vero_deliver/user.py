"""Somebody to reach, and the devices to reach them on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Platform = Literal["ios", "android", "web"]


class Device(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One app or browser that receives push.

    token: APNs device token, FCM registration token, or a browser's subscription as
    JSON.stringify gives it: {"endpoint": "https://...", "keys": {"p256dh": "...", "auth": "..."}}.
    """

    token: str
    platform: Platform


class User(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to reach. Templates see one flat `user`: these fields and the attributes.

    phone: E.164, "+420601000001".
    locale: BCP 47, "cs" or "en-GB"; empty means the message's own.
    timezone: IANA name, "Europe/Prague"; empty means UTC.
    attributes: everything else, reached as `user.first_name`.
    """

    id: str = ""
    email: str = ""
    phone: str = ""
    locale: str = ""
    timezone: str = ""
    devices: tuple[Device, ...] = ()
    attributes: Mapping[str, Any] = {}

    @classmethod
    def from_dict(cls, flat: Mapping[str, Any]) -> User:
        """A user from a flat mapping: known names become fields, the rest attributes.

        `id` may be an int; null means absent. Raises msgspec.ValidationError on a wrong type.
        """
        fields = {k: v for k, v in flat.items() if k in cls.__struct_fields__ and v is not None}
        rest = {k: v for k, v in flat.items() if k not in cls.__struct_fields__}
        if type(fields.get("id")) is int:
            fields["id"] = str(fields["id"])
        if isinstance(fields.get("attributes", {}), Mapping):
            fields["attributes"] = {**rest, **fields.get("attributes", {})}
        return msgspec.convert(fields, cls)

    def to_dict(self) -> dict[str, Any]:
        """What templates see as `user`: attributes first, the fields above them."""
        return {
            **self.attributes,
            "id": self.id,
            "email": self.email,
            "phone": self.phone,
            "locale": self.locale,
            "timezone": self.timezone,
            "devices": [msgspec.to_builtins(device) for device in self.devices]
            if self.devices
            else [],
        }
