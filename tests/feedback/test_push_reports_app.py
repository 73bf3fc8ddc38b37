"""What apps report about pushes, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from http.client import HTTPConnection
from typing import Any

import pytest
from test_feedback_app import Desk, serving

from vero_channels.feedback.app import App
from vero_channels.feedback.push import PushReports
from vero_channels.transport.keys import wire_key
from vero_channels.transport.webhooks import Post
from vero_deliver.errors import ConfigError, NotAuthentic, NotUnderstood
from vero_deliver.feedback import Feedback
from vero_deliver.mime import key_digest
from vero_deliver.push_reports import make_token
from vero_deliver.secret import Secret
from vero_deliver.testing import NOON

SECRET, FORMER = Secret("a-secret-for-push-reports"), Secret("the-secret-of-last-year")
READER = PushReports(secrets=(SECRET, FORMER))
LATER = NOON + timedelta(hours=2)


def token(key: str = "order-1-push", secret: Secret = SECRET) -> str:
    return make_token(secret, channel="fcm", key=key, at=NOON)


def report(event: Any = "opened", **changes: Any) -> dict[str, Any]:
    return {"token": token(), "event": event, "at": LATER.timestamp() - 60} | changes


async def read(*reports: Any) -> Sequence[Feedback]:
    return await READER.read(Post(json.dumps(reports).encode(), {}, LATER))


@pytest.mark.anyio
async def test_reports_are_feedback() -> None:
    """Each names the push's channel and key, what happened, when, and the button."""
    shown, opened = await read(report("delivered"), report(action="track"))
    assert (shown.kind, shown.channel, shown.key) == ("delivered", "fcm", "order-1-push")
    assert shown.at == LATER - timedelta(seconds=60)
    assert (opened.kind, opened.metadata, opened.machine) == ("opened", {"action": "track"}, False)
    assert "token" not in opened.raw
    assert shown.id != opened.id


@pytest.mark.anyio
async def test_a_key_that_had_no_room_is_a_digest() -> None:
    """As of every other provider: `mime.key_digest` of the delivery's key."""
    [long] = await read(report(token=token(wire_key("k" * 500))))
    assert (long.key, long.digest) == ("", key_digest("k" * 500))
    [short] = await read(report())
    assert short.digest == key_digest("order-1-push")


@pytest.mark.anyio
async def test_a_repeated_report_is_the_same() -> None:
    """An app repeats what it does not know to have arrived; another moment changes no id."""
    [first], [again] = await read(report()), await read(report(at=1))
    assert first.id == again.id
    [other] = await read(report(token=token("order-2-push")))
    assert other.id != first.id


@pytest.mark.parametrize(
    ("at", "taken"),
    [
        (1, NOON),
        (LATER.timestamp() + 1e9, LATER),
        ("yesterday", LATER),
        (None, LATER),
        (1e300, LATER),
        (NOON.timestamp() + 5, NOON + timedelta(seconds=5)),
    ],
)
@pytest.mark.anyio
async def test_clocks_of_devices(at: Any, taken: Any) -> None:
    """No report is from before the push, nor from tomorrow."""
    [found] = await read(report(at=at))
    assert found.at == taken


@pytest.mark.anyio
async def test_forged_reports_are_left_out() -> None:
    """One that is forged does not take the others with it; none but such are refused."""
    forged = report(token=token(secret=Secret("somebody else's secret")))
    [kept] = await read(forged, report(token=token(secret=FORMER)), report(token=None))
    assert kept.key == "order-1-push"
    with pytest.raises(NotAuthentic, match="not signed with our secret"):
        await read(forged)


@pytest.mark.anyio
async def test_what_a_later_app_says_is_left_out() -> None:
    """An event that this version has no word for is no error: the app would repeat it."""
    assert await read(report("dismissed"), report(event=7)) == []


@pytest.mark.parametrize("reports", [[], [1], [report()] * 101], ids=["none", "number", "101"])
@pytest.mark.anyio
async def test_what_is_no_report_is_not_understood(reports: list[Any]) -> None:
    """A post has 1 to 100 reports."""
    with pytest.raises(NotUnderstood):
        await read(*reports)


def test_secrets_are_needed() -> None:
    """Without a secret anybody could report anything."""
    with pytest.raises(ConfigError):
        PushReports(secrets=())
    with pytest.raises(ConfigError, match="less than 16 characters"):
        PushReports(secrets=(Secret("short"),))


def test_the_app_answers_every_origin() -> None:
    """A service worker of any origin may post, and learns from the status what to do next."""
    desk = Desk()
    bodies = [
        (json.dumps([report()]), 200),
        (json.dumps([report(token="x.y")]), 403),
        ("no JSON", 400),
    ]
    with serving(App({"push/reports": READER}, desk.take, clock=lambda: LATER)) as port:
        for body, status in bodies:
            asking = HTTPConnection("127.0.0.1", port, timeout=10)
            asking.request("POST", "/push/reports", body, {"Origin": "https://shop.example.com"})
            answer = asking.getresponse()
            answer.read()
            asking.close()
            assert answer.status == status
            assert answer.getheader("access-control-allow-origin") == "*"
    assert [each.kind for each in desk.taken] == ["opened"]
