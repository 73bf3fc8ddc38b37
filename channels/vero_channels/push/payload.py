"""The payload contract: what an app finds in a push, the same on iOS, Android and the web.

Every value is a string, every key of ours begins with `vd_` (push_guide/payload.md has them all),
and the message's own `data` stands beside. Apple's `aps`, FCM's `notification` and the like are
made of the same fields. `ios`, `android` and `web` of the message come last, as RFC 7396 merges:
a table goes into the table that is there, null removes, anything else replaces.

Sources: Apple "Generating a remote notification"; Google "REST Resource: projects.messages" (v1).
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

from vero_channels.transport.keys import wire_key
from vero_deliver.rendered import Action, RenderedPush

VERSION: Final = "1"
PREFIX: Final = "vd_"
LONGEST_KEY: Final = 128  # characters of vd_id

APNS_LIMIT: Final = 4096  # octets of JSON
WEBPUSH_LIMIT: Final = 3993  # octets of JSON; encrypted they are 4096 (RFC 8291 section 4)

_TAKEN: Final = {"aps", "from", "message_type", "collapse_key"}  # Apple's; the others FCM's
_TAKEN_PREFIXES: Final = (PREFIX, "google", "gcm")
_APNS_FIELD: Final = "apns-"  # how the names of Apple's header fields begin
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")


def contract(rendered: RenderedPush, key: str, *, report: str = "") -> dict[str, str]:
    """The message's data and the keys that every platform gets; empty ones are left out.

    report: the token with which the app may tell what became of the push
    (`vero_deliver.push_reports`). Raises ValueError where a name in `data` is taken.
    """
    ours = {**_free(rendered.data), "vd_v": VERSION, "vd_id": wire_key(key, LONGEST_KEY)}
    if report:
        ours["vd_report"] = report
    if rendered.link:
        ours["vd_link"] = rendered.link
    if rendered.image:
        ours["vd_image"] = rendered.image
    if rendered.category:
        ours["vd_category"] = rendered.category
    if rendered.collapse:
        ours["vd_collapse"] = rendered.collapse
    if rendered.actions:
        ours["vd_actions"] = _json([_action(action) for action in rendered.actions])
    return ours


def shown_by_app(rendered: RenderedPush, key: str, *, report: str = "") -> dict[str, str]:
    """The contract with the texts, for a push that the app or service worker itself shows."""
    texts = {
        "title": rendered.title,
        "subtitle": rendered.subtitle,
        "body": rendered.body,
        "sound": rendered.sound,
        "badge": "" if rendered.badge is None else str(rendered.badge),
    }
    return contract(rendered, key, report=report) | _named(texts)


def apns_payload(rendered: RenderedPush, key: str, *, report: str = "") -> dict[str, Any]:
    """The body of Apple's request.

    `mutable-content` is set where the app's Notification Service Extension has something to do:
    a picture, buttons, a report of the delivery.
    """
    alert = {"title": rendered.title} if rendered.title else {}
    if rendered.subtitle:
        alert["subtitle"] = rendered.subtitle
    if rendered.body:
        alert["body"] = rendered.body
    aps: dict[str, Any] = {"alert": alert}
    if rendered.badge is not None:
        aps["badge"] = rendered.badge
    if rendered.sound:
        aps["sound"] = rendered.sound
    if rendered.category:
        aps["category"] = rendered.category
    if rendered.image or rendered.actions or report:
        aps["mutable-content"] = 1
    payload = {"aps": aps, **contract(rendered, key, report=report)}
    if not rendered.ios:
        return payload
    extras = {name: value for name, value in rendered.ios.items() if name[:5] != _APNS_FIELD}
    return merged(payload, extras)


def apns_headers(rendered: RenderedPush) -> dict[str, str]:
    """The header fields of Apple's request that the message decides; topic and id are the driver's.

    A push that shows nothing (`ios` removes the alert, say) is a background push: priority 5.
    Names in `ios` that begin with `apns-` are header fields and come last: "apns-push-type".
    """
    background = bool(rendered.ios) and _in_background(rendered)
    headers = {
        "apns-push-type": "background" if background else "alert",
        "apns-priority": "10" if rendered.priority == "high" and not background else "5",
    }
    if rendered.ttl is not None:
        # 0: tried once, not kept
        until = int(rendered.at.timestamp()) + rendered.ttl if rendered.ttl else 0
        headers["apns-expiration"] = str(until)
    if rendered.collapse:
        headers["apns-collapse-id"] = short_name(rendered.collapse, 64)
    if rendered.ios:
        headers |= {n: str(v) for n, v in rendered.ios.items() if n[:5] == _APNS_FIELD}
    return headers


def _in_background(rendered: RenderedPush) -> bool:
    aps = merged({"aps": {"alert": rendered.title}}, rendered.ios).get("aps")
    if not isinstance(aps, Mapping):
        return False
    return "content-available" in aps and not {"alert", "badge", "sound"} & aps.keys()


def fcm_message(
    rendered: RenderedPush, key: str, *, report: str = "", data_only: bool = False
) -> dict[str, Any]:
    """The `message` of FCM's request, for the device's platform; Android where there is none.

    data_only: the Android app shows it itself, in code (push_guide/android): only so does it
    have buttons, and can the app report the delivery. Otherwise the system shows it while the
    app is in the background. A browser always shows it in code. `android` is merged into the
    message's `android`, `web` into its `webpush`, `ios` into the payload for Apple.
    """
    device = rendered.device
    platform = device.platform if device else "android"
    message: dict[str, Any] = {"token": device.token} if device else {}
    if platform == "ios":
        payload = apns_payload(rendered, key, report=report)
        return message | {"apns": {"headers": apns_headers(rendered), "payload": payload}}
    if platform == "web":
        message["data"] = shown_by_app(rendered, key, report=report)
        message["webpush"] = merged({"headers": webpush_headers(rendered)}, rendered.web)
        return message
    if data_only:
        message["data"] = shown_by_app(rendered, key, report=report)
    else:
        texts = {"title": rendered.title, "body": rendered.body, "image": rendered.image}
        message["data"] = contract(rendered, key, report=report)
        message["notification"] = _given(texts)
    # an `android.notification` would make it one that the system shows
    extras = {n: v for n, v in rendered.android.items() if n != "notification" or not data_only}
    return message | {"android": merged(_android(rendered, data_only), extras)}


def _android(rendered: RenderedPush, data_only: bool) -> dict[str, Any]:
    notification: dict[str, Any] = {
        "channel_id": rendered.category,
        "tag": rendered.collapse,
        "sound": rendered.sound,
        "notification_count": rendered.badge,
    }
    config: dict[str, Any] = {
        "priority": rendered.priority.upper(),
        "ttl": None if rendered.ttl is None else f"{rendered.ttl}s",
        "collapse_key": rendered.collapse,
        "notification": None if data_only else _given(notification) or None,
    }
    return _given(config)


def webpush_payload(rendered: RenderedPush, key: str, *, report: str = "") -> dict[str, Any]:
    """The JSON that a service worker gets.

    `web` may hold a table `notification`: more options for showNotification, such as an icon.
    """
    return merged(shown_by_app(rendered, key, report=report), rendered.web)


def webpush_headers(rendered: RenderedPush) -> dict[str, str]:
    """TTL, Urgency and Topic (RFC 8030 section 5), without which a push service keeps nothing.

    A message without a ttl is kept four weeks, as FCM and APNs do unasked.
    """
    headers = {
        "TTL": str(2_419_200 if rendered.ttl is None else rendered.ttl),
        "Urgency": rendered.priority,
    }
    return headers | ({"Topic": short_name(rendered.collapse, 32)} if rendered.collapse else {})


def encoded(payload: Mapping[str, Any], limit: int) -> bytes:
    """The payload as the shortest JSON. ValueError where it is longer than `limit` octets."""
    octets = _json(payload).encode()
    if len(octets) > limit:
        raise ValueError(
            f"the payload has {len(octets)} bytes and may have {limit}: shorten the body, the link "
            "or data"
        )
    return octets


def short_name(name: str, limit: int) -> str:
    """The name where it fits into `limit` base64url characters, else a digest of it that does."""
    if len(name) <= limit and _PLAIN.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return urlsafe_b64encode(digest).decode().rstrip("=")[:limit]


def merged(body: Mapping[str, Any], extras: Mapping[str, Any]) -> dict[str, Any]:
    """The body with the extras in it, as RFC 7396 says."""
    result = dict(body)
    for name, value in extras.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            below = result.get(name)
            result[name] = merged(below if isinstance(below, Mapping) else {}, value)
        else:
            result[name] = value
    return result


def _action(action: Action) -> dict[str, str]:
    told = {"id": action.id, "title": action.title}
    return told | {"link": action.link} if action.link else told


def _free(data: Mapping[str, str]) -> dict[str, str]:
    for name in data:
        if name in _TAKEN or name.startswith(_TAKEN_PREFIXES):
            raise ValueError(f"push.data.{name}: the name is taken; choose another one")
    return dict(data)


def _named(values: Mapping[str, str]) -> dict[str, str]:
    return {f"{PREFIX}{name}": value for name, value in values.items() if value}


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those that say something; a badge of 0 does."""
    return {name: value for name, value in values.items() if value is not None and value != ""}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
