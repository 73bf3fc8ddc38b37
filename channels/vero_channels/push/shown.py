"""The request that a push becomes, as text: for preview, `render -f http` and golden payloads.

What is not known is written in braces: {topic}, {project_id}, {signature}. A
browser's body is shown as its service worker reads it, before it is encrypted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote, urlsplit

from vero_channels.push.payload import (
    APNS_LIMIT,
    WEBPUSH_LIMIT,
    apns_headers,
    apns_payload,
    encoded,
    fcm_message,
    webpush_headers,
    webpush_payload,
)
from vero_channels.transport.apns_broadcast import (
    LIMIT,
    broadcast_headers,
    broadcast_path,
    channel_id,
)
from vero_channels.transport.fcm_message import checked_message
from vero_channels.transport.keys import key_uuid
from vero_deliver.rendered import RenderedPush

_DRIVERS: Final = {"ios": "apns", "android": "fcm", "web": "webpush"}
_APNS: Final = {"production": "api.push.apple.com", "sandbox": "api.sandbox.push.apple.com"}
_BARE: Final = ("alert", "background")  # push types whose topic is the bundle ID itself


def request(
    rendered: RenderedPush, key: str, settings: Mapping[str, Any] = MappingProxyType({})
) -> bytes:
    """What the driver of the settings sends, else Apple's, Google's or the browser's by platform.

    settings: of the channel, as vero-deliver.toml has them. ValueError where it cannot be sent,
    as for the drivers.
    """
    platform = rendered.device.platform if rendered.device else "android"
    makers = {"apns": _to_apple, "fcm": _to_fcm, "fcm-admin": _to_fcm, "webpush": _to_browser}
    make = makers.get(settings.get("driver", "")) or makers[_DRIVERS[platform]]
    token = rendered.device.token if rendered.device else "{token}"
    return make(rendered, key, token, settings)


def _to_apple(rendered: RenderedPush, key: str, token: str, settings: Mapping[str, Any]) -> bytes:
    fields = apns_headers(rendered)
    host = _APNS.get(settings.get("environment", ""), _APNS["production"])
    channel = channel_id(token)
    if channel:
        path = broadcast_path(_setting(settings, "topic"))
        headers = {"authorization": "bearer {signature}", **broadcast_headers(fields, channel)}
        headers["apns-request-id"] = key_uuid(key)
        return _text(host, path, headers, encoded(apns_payload(rendered, key), LIMIT))
    topic = _setting(settings, "topic") if fields["apns-push-type"] in _BARE else "{topic}"
    headers = {
        "authorization": "bearer {signature}",
        "apns-topic": topic,
        "apns-id": key_uuid(key),
        **fields,
    }
    body = encoded(apns_payload(rendered, key), APNS_LIMIT)
    return _text(host, f"/3/device/{quote(token, safe='')}", headers, body)


def _to_fcm(rendered: RenderedPush, key: str, token: str, settings: Mapping[str, Any]) -> bytes:
    message = fcm_message(rendered, key, data_only=settings.get("data_only") is True)
    headers = {"authorization": "Bearer {signature}", "content-type": "application/json"}
    path = f"/v1/projects/{_setting(settings, 'project_id')}/messages:send"
    message = {"token": token, **message}
    checked_message(message, token)
    request = {"message": message}
    body = json.dumps(request, ensure_ascii=False, separators=(",", ":")).encode()
    return _text("fcm.googleapis.com", path, headers, body)


def _to_browser(rendered: RenderedPush, key: str, token: str, settings: Mapping[str, Any]) -> bytes:
    del settings  # they have only secrets
    endpoint = urlsplit(_endpoint(token))
    headers = {
        "authorization": "vapid t={signature}, k={public_key}",
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        **webpush_headers(rendered),
    }
    path = (endpoint.path or "/") + (f"?{endpoint.query}" if endpoint.query else "")
    body = encoded(webpush_payload(rendered, key), WEBPUSH_LIMIT)
    return _text(endpoint.netloc, path, headers, body)


def _setting(settings: Mapping[str, Any], name: str) -> str:
    """A setting that is no secret; in braces where it is not there."""
    found = settings.get(name)
    return quote(found, safe="") if isinstance(found, str) and found else f"{{{name}}}"


def _endpoint(token: str) -> str:
    """Of a subscription, or a bare one, which can be shown but not sent to."""
    try:
        found = json.loads(token)["endpoint"]
    except (ValueError, TypeError, KeyError):
        found = token
    return found if isinstance(found, str) else token


def _text(host: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/2", *(f"{n}: {v}" for n, v in {"host": host, **headers}.items())]
    head = "\r\n".join([*lines, "", ""])
    return head.encode() + body + b"\n"
