"""The golden payloads of push_guide/payloads, made by the library.

usage: python tests/push_kit/push_golden.py    writes them anew
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from vero_channels.push.payload import apns_payload, fcm_message, webpush_payload
from vero_deliver.push_reports import make_token
from vero_deliver.rendered import Action, RenderedPush
from vero_deliver.testing import NOON, sample_push
from vero_deliver.user import Device

GUIDE: Final = Path(__file__).parents[2] / "push_guide"
PAYLOADS: Final = GUIDE / "payloads"
SECRET: Final = "not a secret: of the golden payloads"
PHONE: Final = Device(token="fcm-registration-token", platform="android")

CASES: Final[dict[str, RenderedPush]] = {
    "plain": sample_push(title="On its way", body="Your order has left us."),
    "rich": sample_push(
        title="Your parcel is on its way 🐎",
        subtitle="Order 1001",
        body="It left us this morning.\nTomorrow it is yours.",
        image="https://shop.example.com/parcel.jpg",
        link="https://shop.example.com/orders/1001",
        data={"order": "1001", "carrier": "Příliš & žluťoučký"},
        badge=3,
        sound="chime.wav",
        collapse="order-1001",
        ttl=172_800,
        category="shipping",
        actions=(
            Action("track", "Track it", "https://shop.example.com/track/1001"),
            Action("later", "Later"),
        ),
        ios={"aps": {"interruption-level": "time-sensitive"}},
        android={"notification": {"color": "#3c5a3a"}},
        web={"notification": {"requireInteraction": True}},
    ),
    "deep-link": sample_push(
        title="See your order", body="", link="shop://orders/1001", badge=0, priority="normal"
    ),
    "hostile": sample_push(
        title='<b>"Title"</b>\\',
        link="javascript:alert(1)",
        image="file:///etc/passwd",
        data={"": "", "__proto__": "x", "link": "intent://evil#Intent;end"},
        actions=(Action("same", "A", "intent://evil#Intent;end"), Action("same", "B")),
    ),
}


def payloads() -> Iterator[tuple[str, Any]]:
    """Each file's name and what it holds."""
    for name, push in CASES.items():
        key = f"{name}-push"
        report = make_token(SECRET, channel="push", key=key, at=NOON)
        phone = replace(push, device=PHONE)
        yield f"{name}.ios.json", apns_payload(push, key, report=report)
        yield f"{name}.android.json", fcm_message(phone, key, report=report, data_only=True)
        yield f"{name}.android-by-system.json", fcm_message(phone, key, report=report)
        yield f"{name}.web.json", webpush_payload(push, key, report=report)


def text(payload: Any) -> str:
    return json.dumps(payload, ensure_ascii=False, indent=2) + "\n"


def write() -> None:
    PAYLOADS.mkdir(exist_ok=True)
    for file in PAYLOADS.glob("*.json"):
        file.unlink()
    for name, payload in payloads():
        (PAYLOADS / name).write_text(text(payload), "utf-8")


if __name__ == "__main__":
    write()
