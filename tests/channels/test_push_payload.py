"""The payload contract: one set of keys on every platform, and the provider's body around it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vero_channels.push.payload import (
    WEBPUSH_LIMIT,
    apns_headers,
    apns_payload,
    contract,
    encoded,
    fcm_message,
    merged,
    short_name,
    webpush_headers,
    webpush_payload,
)
from vero_deliver.rendered import Action, RenderedPush
from vero_deliver.testing import HOSTILE_KEYS, sample_push
from vero_deliver.user import Device

IPHONE = Device(token="ab" * 32, platform="ios")
BROWSER = Device(token="https://push.example.net/x", platform="web")


def rich(**changes: Any) -> RenderedPush:
    """A push that uses every field."""
    fields: dict[str, Any] = {
        "subtitle": "Order 1001",
        "image": "https://shop.example.com/parcel.jpg",
        "link": "shop://orders/1001",
        "data": {"order": "1001"},
        "badge": 0,
        "sound": "chime.wav",
        "collapse": "order-1001",
        "ttl": 3600,
        "category": "orders",
        "actions": (
            Action("track", "Track it", "https://shop.example.com/t"),
            Action("no", "No"),
        ),
    }
    return sample_push(**(fields | changes))


def test_the_contract_is_the_same_everywhere() -> None:
    """iOS, Android in both ways and the web carry the same keys with the same values."""
    push = rich()
    keys = contract(push, "k-1", report="t.s")
    bodies = [
        apns_payload(push, "k-1", report="t.s"),
        fcm_message(push, "k-1", report="t.s")["data"],
        fcm_message(push, "k-1", report="t.s", data_only=True)["data"],
        webpush_payload(push, "k-1", report="t.s"),
    ]
    for body in bodies:
        assert {name: body[name] for name in keys} == keys


def test_every_value_is_a_string() -> None:
    """FCM takes nothing else in data, so nothing else is anywhere; nothing empty either."""
    for push in (rich(), sample_push()):
        for value in webpush_payload(push, "k").values():
            assert isinstance(value, str)
            assert value


def test_keys_of_the_contract() -> None:
    """The names are a promise to apps that are installed already."""
    keys = webpush_payload(rich(), "k-1", report="t.s")
    assert keys == {
        "order": "1001",
        "vd_v": "1",
        "vd_id": "k-1",
        "vd_report": "t.s",
        "vd_link": "shop://orders/1001",
        "vd_image": "https://shop.example.com/parcel.jpg",
        "vd_category": "orders",
        "vd_collapse": "order-1001",
        "vd_actions": '[{"id":"track","title":"Track it","link":"https://shop.example.com/t"},'
        '{"id":"no","title":"No"}]',
        "vd_title": "On its way",
        "vd_subtitle": "Order 1001",
        "vd_body": "Your order has left us.",
        "vd_sound": "chime.wav",
        "vd_badge": "0",
    }


def test_apple_gets_aps() -> None:
    """Texts, badge, sound and category are Apple's own keys; pictures need the extension."""
    assert apns_payload(rich(), "k")["aps"] == {
        "alert": {
            "title": "On its way",
            "subtitle": "Order 1001",
            "body": "Your order has left us.",
        },
        "badge": 0,
        "sound": "chime.wav",
        "category": "orders",
        "mutable-content": 1,
    }
    assert apns_payload(sample_push(body=""), "k")["aps"] == {"alert": {"title": "On its way"}}
    assert apns_payload(sample_push(), "k", report="t")["aps"]["mutable-content"] == 1


def test_apple_headers() -> None:
    """Priority, expiration in Unix time, and a collapse id of at most 64 octets."""
    assert apns_headers(rich()) == {
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(int(rich().at.timestamp()) + 3600),
        "apns-collapse-id": "order-1001",
    }
    assert apns_headers(rich(priority="normal", ttl=0, collapse="")) == {
        "apns-push-type": "alert",
        "apns-priority": "5",
        "apns-expiration": "0",
    }
    long = apns_headers(rich(collapse="ž" * 64))["apns-collapse-id"]
    assert len(long.encode()) <= 64


@pytest.mark.parametrize(
    ("aps", "kind"),
    [
        ({"alert": None, "content-available": 1}, "background"),
        ({"alert": None, "content-available": 1, "badge": 2}, "alert"),
        ({"content-available": 1}, "alert"),
        (None, "alert"),
    ],
)
def test_a_push_that_shows_nothing_is_background(aps: Any, kind: str) -> None:
    """Apple refuses a background push of priority 10."""
    headers = apns_headers(sample_push(ios={"aps": aps}))
    assert headers["apns-push-type"] == kind
    assert headers["apns-priority"] == ("5" if kind == "background" else "10")


def test_android_by_the_system() -> None:
    """FCM's notification has the texts and the picture, android.notification the rest."""
    message = fcm_message(rich(), "k")
    assert message["token"] == "sample-token"
    assert message["notification"] == {
        "title": "On its way",
        "body": "Your order has left us.",
        "image": "https://shop.example.com/parcel.jpg",
    }
    assert message["android"] == {
        "priority": "HIGH",
        "ttl": "3600s",
        "collapse_key": "order-1001",
        "notification": {
            "channel_id": "orders",
            "tag": "order-1001",
            "sound": "chime.wav",
            "notification_count": 0,
        },
    }


def test_android_by_the_app() -> None:
    """A data message has no notification anywhere, also where the message's extras have one."""
    push = rich(android={"notification": {"color": "#3c5a3a"}, "direct_boot_ok": True})
    message = fcm_message(push, "k", data_only=True)
    assert "notification" not in message
    assert message["android"] == {
        "priority": "HIGH",
        "ttl": "3600s",
        "collapse_key": "order-1001",
        "direct_boot_ok": True,
    }
    assert message["data"]["vd_title"] == "On its way"
    assert fcm_message(push, "k")["android"]["notification"]["color"] == "#3c5a3a"


def test_fcm_wraps_what_apple_and_browsers_get() -> None:
    """A device that FCM reaches over APNs or Web Push gets the same payload."""
    ios = fcm_message(rich(device=IPHONE), "k")
    assert ios == {
        "token": IPHONE.token,
        "apns": {"headers": apns_headers(rich()), "payload": apns_payload(rich(), "k")},
    }
    web = fcm_message(rich(device=BROWSER, web={"fcm_options": {"link": "https://x.test"}}), "k")
    assert web["data"] == webpush_payload(rich(), "k")
    assert web["webpush"] == {
        "headers": webpush_headers(rich()),
        "fcm_options": {"link": "https://x.test"},
    }
    assert "token" not in fcm_message(sample_push(device=None), "k")


def test_web_headers() -> None:
    """TTL is always there; a Topic has at most 32 base64url characters (RFC 8030 section 5.4)."""
    assert webpush_headers(rich()) == {"TTL": "3600", "Urgency": "high", "Topic": "order-1001"}
    assert webpush_headers(sample_push(priority="normal")) == {
        "TTL": "2419200",
        "Urgency": "normal",
    }
    assert len(webpush_headers(rich(collapse="o" * 33))["Topic"]) == 32
    assert short_name("a b", 32) != short_name("a/b", 32)


def test_extras_come_last() -> None:
    """A table is merged, null removes, anything else replaces (RFC 7396)."""
    push = rich(ios={"aps": {"interruption-level": "time-sensitive", "sound": None}, "x": [1]})
    payload = apns_payload(push, "k")
    assert payload["aps"]["interruption-level"] == "time-sensitive"
    assert "sound" not in payload["aps"]
    assert payload["x"] == [1]


# RFC 7396 appendix A, those between two objects
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merging_is_rfc_7396(target: Any, patch: Any, result: Any) -> None:
    """The RFC's own cases."""
    before = json.dumps(target)
    assert merged(target, patch) == result
    assert json.dumps(target) == before


@pytest.mark.parametrize("name", ["aps", "from", "google.x", "gcm.n", "message_type", "vd_link"])
def test_taken_names_are_refused(name: str) -> None:
    """Data that one platform could not carry, or that is ours, is refused on all."""
    with pytest.raises(ValueError, match=f"push.data.{name}: the name is taken"):
        contract(sample_push(data={name: "1"}), "k")


def test_hostile_keys_are_told_apart() -> None:
    """An id is short, printable, and a different one for each key."""
    ids = {contract(sample_push(), key)["vd_id"] for key in HOSTILE_KEYS}
    assert len(ids) == len(HOSTILE_KEYS)
    assert all(len(each) <= 128 and each.isprintable() and each.isascii() for each in ids)


def test_a_payload_that_is_too_long_is_refused() -> None:
    """It is never cut; the error says how long it is and may be."""
    push = sample_push(body="ž" * 2000)
    with pytest.raises(ValueError, match=r"the payload has 40\d\d bytes and may have 3993"):
        encoded(webpush_payload(push, "k"), WEBPUSH_LIMIT)
    assert json.loads(encoded(webpush_payload(sample_push(), "k"), WEBPUSH_LIMIT))


def test_texts_that_are_no_unicode_are_refused() -> None:
    """A lone surrogate cannot be sent; ValueError, as all that cannot be."""
    with pytest.raises(ValueError, match="surrogate"):
        encoded(apns_payload(sample_push(title="\udc80"), "k"), 4096)
