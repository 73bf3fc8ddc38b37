"""Apple Push Notification service, over HTTP/2 connections that are kept.

A device whose token is `/channels/ID` stands for all who follow a broadcast channel, see
transport/apns_broadcast.py.

Sources, all of developer.apple.com/documentation/usernotifications: "Sending notification
requests to APNs", "Establishing a token-based connection to APNs", "Handling notification
responses from APNs".
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from vero_channels.push.payload import APNS_LIMIT, apns_headers, apns_payload
from vero_channels.transport.apns_account import load_certificate, provider_token
from vero_channels.transport.apns_broadcast import (
    LIMIT,
    broadcast_headers,
    broadcast_path,
    channel_id,
)
from vero_channels.transport.apns_reasons import ADVICE, EXPIRED, REASONS, Said, refusal
from vero_channels.transport.http2_exchange import Answer, Http2Error
from vero_channels.transport.http2_fields import Fields, literal
from vero_channels.transport.keys import key_uuid, wire_key
from vero_channels.transport.push_api import PushApi, encoded
from vero_deliver.channel import Receipt
from vero_deliver.errors import (
    ConfigError,
    DeliveryError,
    Gone,
    Misconfigured,
    Refused,
)
from vero_deliver.push_reports import checked, make_token
from vero_deliver.rendered import RenderedPush
from vero_deliver.secret import Secret, reveal

HOSTS: Final = {"production": "api.push.apple.com", "sandbox": "api.sandbox.push.apple.com"}
VOIP_LIMIT: Final = 5120  # octets of JSON
MAX_COLLAPSE: Final = 64  # octets of apns-collapse-id

TOPIC_SUFFIXES: Final = {
    "alert": "",
    "background": "",
    "mdm": "",  # the topic is the UID attribute of the MDM certificate's subject
    "voip": ".voip",
    "complication": ".complication",
    "fileprovider": ".pushkit.fileprovider",
    "location": ".location-query",
    "liveactivity": ".push-type.liveactivity",
    "pushtotalk": ".voip-ptt",
    "controls": ".push-type.controls",
    "widgets": ".push-type.widgets",
}
"""What follows the bundle ID in apns-topic, by apns-push-type."""

# what APNs says of every token where the environment or the topic is not the app's
_OF_ANOTHER_APP: Final = ("BadDeviceToken", "DeviceTokenNotForTopic")
_MASS: Final = 20  # of those in a row before anything was accepted: it is us
_HEX: Final = re.compile(r"[0-9A-Fa-f]{2,1000}")
_FIELDS: Final = (
    "apns-collapse-id", "apns-expiration", "apns-priority", "apns-push-type", "apns-topic",
)  # fmt: skip
_SETS: Final = 200  # of topic, push type and priority that are kept
_REMEMBERED: Final = 50_000  # dead tokens
_FORGET: Final = 3600.0  # seconds


# path; token; topic, push type and priority; the other fields; the body; apns-id
_Asked = tuple[bytes, str, tuple[str, str, str], bytes, bytes, str]


class Apns(PushApi):
    """One app, by its bundle ID, in one environment of one team.

    topic: the bundle ID; what a push type appends to it is added. key, key_id, team_id: the text
    of a .p8 file, its ID and the team's. certificate: in place of those, a PEM file of the
    certificate and its private key. report_secret: signs the tokens with which the app reports
    (`vero_deliver.push_reports`); none, no reports. host, port: 443 or 2197. clock: seconds
    since the epoch. PushApi has the others.
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
        report_secret: str | Secret | None = None,
        connections: int = 2,
        timeout: float = 30.0,
        host: str = "",
        port: int = 443,
        ca_file: str | Path | None = None,
        name: str = "apns",
        clock: Callable[[], float] = time.time,
    ) -> None:
        if environment not in HOSTS:
            raise ConfigError(f"channel {name!r}: environment is production or sandbox")
        super().__init__(
            name=name,
            host=host or HOSTS[environment],
            port=port,
            timeout=timeout,
            connections=connections,
            ca_file=ca_file,
        )
        self._topic, self._environment, self._clock = topic, environment, clock
        self._report_secret = checked(report_secret) if report_secret else None
        try:
            self._token = provider_token(key, key_id, team_id, certificate, clock)
            if certificate:
                load_certificate(self._context, certificate, reveal(certificate_password))
        except ValueError as error:
            raise self._wrong(str(error)) from None
        self._fields: dict[tuple[str, str, str], Fields] = {}  # with the token below
        self._signed: Secret | None = None
        self._dead: OrderedDict[tuple[str, str], tuple[float, Gone]] = OrderedDict()
        self._strange = 0  # tokens in a row that are of another app; -1 once one was accepted
        try:
            self._shared(topic, "alert", "10")
        except ValueError:
            raise self._wrong(f"topic {topic!r} is no bundle ID") from None

    def __repr__(self) -> str:
        return f"Apns({self._topic!r}, name={self._name!r}, environment={self._environment!r})"

    async def send(self, rendered: RenderedPush, key: str) -> Receipt:
        """Hand over to Apple. provider_id is apns-id, of a broadcast apns-request-id: by the key.

        Gone: the token is dead; `since` when Apple was certain. It is not asked about that token
        again for an hour, since every refusal slows the connection down.
        """
        try:
            path, token, headers, extra, body, apns_id = self._request(rendered, key)
            fields = self._shared(*headers)
        except ValueError as error:
            raise Refused(f"this cannot be sent: {error}", channel=self._name) from None
        if self._dead:
            self._check_dead(token, headers[0])
        try:
            answer = await self._http2.request(fields, path, extra, body)
            if answer.status == 403 and Said.of(answer).reason == EXPIRED and self._renewed(fields):
                answer = await self._http2.request(self._shared(*headers), path, extra, body)
        except Http2Error as fault:
            raise self._fault(fault) from None
        if answer.status != 200:
            raise self._refusal(answer, token, headers[0])
        self._strange = -1
        return Receipt(self._name, apns_id, datetime.now(UTC))

    def _request(self, rendered: RenderedPush, key: str) -> _Asked:
        device = rendered.device
        if device is None:
            raise ValueError("the push has no device")
        if device.platform != "ios":
            raise ValueError(f"the device's platform is {device.platform}, and this reaches ios")
        if not _HEX.fullmatch(device.token):
            channel = channel_id(device.token)
            if channel:
                return self._broadcast(rendered, key, device.token, channel)
            raise ValueError("the device's token is not hexadecimal: it is of another service")
        headers = apns_headers(rendered)
        kind, priority = headers["apns-push-type"], headers["apns-priority"]
        suffix = TOPIC_SUFFIXES.get(kind)
        if suffix is None:
            raise ValueError(f"apns-push-type {kind!r} is none of {', '.join(TOPIC_SUFFIXES)}")
        _check_priority(headers)
        topic = headers.get("apns-topic") or self._topic + suffix
        apns_id = key_uuid(key)
        extra = literal("apns-id", apns_id)
        if len(headers) > 2:
            extra += _other(headers)
        payload = apns_payload(rendered, key, report=self._report(rendered, key))
        body = encoded(payload, VOIP_LIMIT if kind == "voip" else APNS_LIMIT, "payload")
        path = literal(":path", f"/3/device/{device.token}")
        return path, device.token, (topic, kind, priority), extra, body, apns_id

    def _broadcast(self, rendered: RenderedPush, key: str, token: str, channel: str) -> _Asked:
        """To all who follow a channel; it is the same for all, so nobody can report."""
        headers = apns_headers(rendered)
        _check_priority(headers)
        _other(headers)
        headers = broadcast_headers(headers, channel)
        kind, priority = headers.pop("apns-push-type"), headers.pop("apns-priority")
        request_id = headers["apns-request-id"] = key_uuid(key)
        extra = b"".join(literal(name, value) for name, value in headers.items())
        body = encoded(apns_payload(rendered, key), LIMIT, "payload")
        path = literal(":path", broadcast_path(self._topic))
        return path, token, ("", kind, priority), extra, body, request_id

    def _report(self, rendered: RenderedPush, key: str) -> str:
        if self._report_secret is None:
            return ""
        named = wire_key(key)
        return make_token(self._report_secret, channel=self._name, key=named, at=rendered.at)

    def _shared(self, topic: str, kind: str, priority: str) -> Fields:
        """The fields that pushes share. ValueError where the topic cannot be one."""
        signed = self._token.current() if self._token else None
        if signed is not self._signed or len(self._fields) >= _SETS:
            self._signed, self._fields = signed, {}
        found = self._fields.get((topic, kind, priority))
        if found is None:
            regular = [("apns-push-type", kind), ("apns-priority", priority)]
            if topic:
                regular.insert(0, ("apns-topic", topic))
            if signed is not None:
                regular.append(("authorization", f"bearer {signed.reveal()}"))
            found = self._fields[topic, kind, priority] = Fields(self._authority, regular)
        return found

    def _renewed(self, refused: Fields) -> bool:
        """True where there is another provider token than those fields hold."""
        if self._token is None or self._signed is None:
            return False
        if refused not in self._fields.values():  # a request refused before has made one
            return True
        return self._token.renew(self._signed)

    def _refusal(self, answer: Answer, token: str, topic: str) -> DeliveryError:
        said = Said.of(answer)
        kind = REASONS.get(said.reason)
        if kind is Gone or (kind is None and answer.status == 410):
            return self._gone(answer, said, token, topic)
        return refusal(answer, said, self._name) or self._verdict(answer)

    def _gone(self, answer: Answer, said: Said, token: str, topic: str) -> DeliveryError:
        code = said.reason or str(answer.status)
        if said.reason in _OF_ANOTHER_APP and self._strange >= 0:
            self._strange += 1
            if self._strange > _MASS:
                detail = f"none of {_MASS} tokens is of {topic}: check topic and environment"
                return Misconfigured(detail, channel=self._name, code=code)
        detail = ADVICE.get(said.reason, "the device's token is dead")
        error = Gone(detail, channel=self._name, code=code, since=said.since)
        self._dead[token, topic] = self._clock() + _FORGET, error
        if len(self._dead) > _REMEMBERED:
            self._dead.popitem(last=False)
        return error

    def _check_dead(self, token: str, topic: str) -> None:
        until, known = self._dead.get((token, topic), (0.0, None))
        if known is None:
            return
        if self._clock() < until:
            detail = f"{known.detail}, as APNs said within the hour"
            raise Gone(detail, channel=self._name, code=known.code, since=known.since)
        del self._dead[token, topic]


def _check_priority(headers: Mapping[str, str]) -> None:
    kind, priority = headers["apns-push-type"], headers["apns-priority"]
    if priority not in ("10", "5", "1") or (kind == "background" and priority == "10"):
        raise ValueError(f"apns-priority {priority!r}: 10, 5 or 1; of background 5 or 1")


def _other(headers: Mapping[str, str]) -> bytes:
    """The fields that pushes do not share. ValueError where one of `ios` is none of Apple's."""
    for name in headers:
        if name not in _FIELDS:
            raise ValueError(f"{name} is none of {', '.join(_FIELDS)}")
    collapse = headers.get("apns-collapse-id", "")
    if len(collapse) > MAX_COLLAPSE:
        detail = f"apns-collapse-id has {len(collapse)} bytes and may have {MAX_COLLAPSE}"
        raise ValueError(detail)
    until = headers.get("apns-expiration", "")
    if until and not (until.isascii() and until.isdigit()):
        raise ValueError(f"apns-expiration {until!r} is no moment in seconds since the epoch")
    named = {"apns-expiration": until, "apns-collapse-id": collapse}
    return b"".join(literal(name, value) for name, value in named.items() if value)
