"""The request that a push becomes, as text: for preview, `render -f http` and golden payloads.

What only a channel's settings know is written in braces: {topic}, {project_id}, {signature}. A
browser's body is shown as its service worker reads it, before it is encrypted.
"""

from __future__ import annotations

import json
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
from vero_deliver.rendered import RenderedPush


def request(rendered: RenderedPush, key: str) -> bytes:
    """To Apple for ios, to FCM for android and without a device, to the push service for web.

    ValueError where it cannot be sent, as for the drivers.
    """
    platform = rendered.device.platform if rendered.device else "android"
    token = rendered.device.token if rendered.device else "{token}"
    if platform == "ios":
        body = encoded(apns_payload(rendered, key), APNS_LIMIT)
        headers = {"authorization": "bearer {signature}", "apns-topic": "{topic}"}
        headers |= {"content-type": "application/json", **apns_headers(rendered)}
        return _text("api.push.apple.com", f"/3/device/{quote(token, safe='')}", headers, body)
    if platform == "android":
        message = {"message": {"token": token, **fcm_message(rendered, key)}}
        headers = {"authorization": "Bearer {signature}", "content-type": "application/json"}
        path = "/v1/projects/{project_id}/messages:send"
        body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()
        return _text("fcm.googleapis.com", path, headers, body)
    endpoint = urlsplit(_endpoint(token))
    headers = {
        "authorization": "vapid t={signature}, k={public_key}",
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        **webpush_headers(rendered),
    }
    body = encoded(webpush_payload(rendered, key), WEBPUSH_LIMIT)
    path = (endpoint.path or "/") + (f"?{endpoint.query}" if endpoint.query else "")
    return _text(endpoint.netloc, path, headers, body)


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
