"""The channels that broadcasts of Live Activities go to: make, read, list and delete them.

Source: "Sending channel management requests to APNs", developer.apple.com.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from vero_channels.transport.apns_account import load_certificate, provider_token
from vero_channels.transport.apns_broadcast import channel_id
from vero_channels.transport.apns_reasons import Said, refusal
from vero_channels.transport.http2_exchange import Answer, Http2Error
from vero_channels.transport.http2_fields import Fields, literal
from vero_channels.transport.push_api import PushApi
from vero_deliver.errors import ConfigError, Uncertain
from vero_deliver.secret import Secret, reveal

HOSTS: Final = {
    "production": ("api-manage-broadcast.push.apple.com", 2196),
    "sandbox": ("api-manage-broadcast.sandbox.push.apple.com", 2195),
}


class ApnsChannels(PushApi):
    """Those of one app, in one environment: at most 10,000. The options are those of `Apns`.

    Channels are named by what `Device(token=..., platform="ios")` takes: "/channels/ID". Every
    method raises DeliveryError: Gone where there is no such channel, Uncertain where no answer
    came.
    """

    def __init__(
        self,
        topic: str,
        *,
        key: str | Secret = "",
        key_id: str = "",
        team_id: str = "",
        certificate: str | Path | None = None,
        certificate_password: str | Secret = "",
        environment: Literal["production", "sandbox"] = "production",
        timeout: float = 30.0,
        host: str = "",
        port: int = 0,
        ca_file: str | Path | None = None,
        name: str = "apns-channels",
        clock: Callable[[], float] = time.time,
    ) -> None:
        if environment not in HOSTS:
            raise ConfigError(f"channel {name!r}: environment is production or sandbox")
        its_host, its_port = HOSTS[environment]
        super().__init__(
            name=name,
            host=host or its_host,
            port=port or its_port,
            timeout=timeout,
            connections=1,
            ca_file=ca_file,
        )
        try:
            self._token = provider_token(key, key_id, team_id, certificate, clock)
            if certificate:
                load_certificate(self._context, certificate, reveal(certificate_password))
            self._path = f"/1/apps/{topic}"
            literal(":path", self._path)
        except ValueError as error:
            raise self._wrong(str(error)) from None

    async def create(self, *, stored: bool = False) -> str:
        """Make a channel; its ID is Apple's choice, and so is a second one where this is repeated.

        stored: the latest push is kept for devices that are not reached at once, at most 8 hours;
        without it more pushes are allowed, and none may have a ttl.
        """
        body = {"message-storage-policy": int(stored), "push-type": "LiveActivity"}
        answer = await self._ask("POST", "/channels", 201, body=body)
        made = answer.headers.get("apns-channel-id", "")
        if not made:
            raise Uncertain("a channel was made, and not named: list them", channel=self._name)
        return f"/channels/{made}"

    async def is_stored(self, channel: str) -> bool:
        """Whether it was made with `stored`."""
        answer = await self._ask("GET", "/channels", 200, channel=channel)
        policy: int = self._field(answer, "message-storage-policy", int)
        return policy == 1

    async def delete(self, channel: str) -> None:
        """Delete it for good. What was pushed may still be shown."""
        await self._ask("DELETE", "/channels", 204, channel=channel)

    async def list(self) -> list[str]:
        """All channels of the app."""
        answer = await self._ask("GET", "/all-channels", 200)
        return [f"/channels/{each}" for each in self._field(answer, "channels", list[str])]

    async def _ask(
        self, method: str, path: str, expected: int, *, channel: str = "", body: Any = None
    ) -> Answer:
        regular = [("content-type", "application/json")] if body else []
        if channel:
            regular.append(("apns-channel-id", self._id(channel)))
        if self._token is not None:
            regular.append(("authorization", f"bearer {self._token.current().reveal()}"))
        fields = Fields(self._authority, regular, method)
        octets = msgspec.json.encode(body) if body else b""
        try:
            answer = await self._http2.request(
                fields, literal(":path", self._path + path), b"", octets
            )
        except Http2Error as fault:
            raise self._fault(fault) from None
        if answer.status != expected:
            raise refusal(answer, Said.of(answer), self._name) or self._verdict(answer)
        return answer

    def _id(self, channel: str) -> str:
        try:
            found = channel_id(channel)
        except ValueError as error:
            raise self._wrong(str(error)) from None
        if not found:
            raise self._wrong(f"{channel[:80]!r} is no channel: /channels/ID")
        return found

    def _field(self, answer: Answer, name: str, kind: Any) -> Any:
        try:
            found = msgspec.json.decode(answer.body, type=dict[str, Any])
            return msgspec.convert(found[name], kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, KeyError):
            raise Uncertain(f"the answer has no {name}", channel=self._name) from None
