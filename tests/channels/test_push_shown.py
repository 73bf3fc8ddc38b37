"""A push as the request that it becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vero_channels.push.payload import apns_payload, fcm_message, webpush_payload
from vero_channels.push.shown import request
from vero_deliver.rendered import RenderedPush
from vero_deliver.testing import sample_push
from vero_deliver.user import Device

IPHONE = sample_push(device=Device(token="ab" * 32, platform="ios"), ttl=60)
BROWSER = sample_push(
    device=Device(token='{"endpoint": "https://push.example.net/x?y"}', platform="web")
)


def parts(push: RenderedPush) -> tuple[str, dict[str, str], Any]:
    """The first line, the header fields and the body."""
    head, _, body = request(push, "key-1").decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), json.loads(body)


def test_to_apple() -> None:
    """Path, headers and body; the topic and the signature are the channel's."""
    first, headers, body = parts(IPHONE)
    assert first == f"POST /3/device/{'ab' * 32} HTTP/2"
    assert (headers["host"], headers["apns-topic"]) == ("api.push.apple.com", "{topic}")
    assert headers["apns-push-type"] == "alert"
    assert "apns-expiration" in headers
    assert body == apns_payload(IPHONE, "key-1")


def test_to_fcm() -> None:
    """The message in its envelope; also for a push without a device."""
    first, headers, body = parts(sample_push())
    assert first == "POST /v1/projects/{project_id}/messages:send HTTP/2"
    assert headers["authorization"] == "Bearer {signature}"
    assert body == {"message": fcm_message(sample_push(), "key-1")}
    assert parts(sample_push(device=None))[2]["message"]["token"] == "{token}"


def test_to_a_browser() -> None:
    """The endpoint's host and path, and the JSON before it is encrypted."""
    first, headers, body = parts(BROWSER)
    assert first == "POST /x?y HTTP/2"
    assert headers["host"] == "push.example.net"
    assert (headers["TTL"], headers["content-encoding"]) == ("2419200", "aes128gcm")
    assert body == webpush_payload(BROWSER, "key-1")


def test_a_token_cannot_begin_a_header() -> None:
    """Whatever a token holds, it stays in its place."""
    for push in (IPHONE, BROWSER):
        assert push.device
        evil = Device(token="x\r\nevil: 1\r\n\r\n", platform=push.device.platform)
        first, headers, _ = parts(sample_push(device=evil))
        assert "evil" not in headers
        assert first.startswith("POST ")


def test_to_a_topic() -> None:
    """Addressed as the driver addresses it."""
    to_topic = sample_push(device=Device(token="/topics/news", platform="android"))
    message = parts(to_topic)[2]["message"]
    assert (message["topic"], "token" in message) == ("news", False)


def test_too_long_for_fcm() -> None:
    """What the driver refuses is not shown as if it were sent."""
    with pytest.raises(ValueError, match="bytes and may have 4096"):
        request(sample_push(body="x" * 4100), "key-1")
