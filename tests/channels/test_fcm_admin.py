"""Pushes through firebase-admin, where it is installed: the same outcomes as through our own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import http_server
import pytest
from fcm_fake import PATH, PROJECT, UNREGISTERED, FakeFcm, account, error, fcm_error, new_key, pem
from push_server import Answer, Asked

from vero_channels.push.fcm_admin import FcmAdmin
from vero_deliver.channel import Channel
from vero_deliver.errors import (
    ConfigError,
    Deferred,
    DeliveryError,
    Gone,
    Misconfigured,
    MissingExtra,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import RenderedPush
from vero_deliver.testing import ChannelContract, sample_push
from vero_deliver.user import Device

KEY = new_key()
URI = "https://oauth2.example.com/token"


def push(token: str = "a:b", platform: Any = "android", **changes: Any) -> RenderedPush:
    return sample_push(device=Device(token=token, platform=platform), **changes)


def test_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the driver needs it."""
    monkeypatch.setitem(sys.modules, "firebase_admin", None)
    with pytest.raises(MissingExtra, match=r"vero-deliver\[fcm-admin\]"):
        FcmAdmin(account(KEY, URI))


@asynccontextmanager
async def channel(
    fake: FakeFcm, answer: Answer | None = None, **options: Any
) -> AsyncIterator[tuple[FcmAdmin, list[Asked]]]:
    messaging = pytest.importorskip("firebase_admin.messaging")
    asked: list[Asked] = []

    def serve(request: http_server.Asked) -> http_server.Answer:
        if request.path == "/token":
            return fake.token(request)
        asked.append(Asked(request.path, request.headers, request.body, 0))
        found = answer or fake(asked[-1])
        return http_server.Answer(found.status, found.json, found.headers, found.text)

    async with http_server.serving(serve) as server:
        with pytest.MonkeyPatch.context() as patched:
            url = f"{server.url}/v1/projects/{{0}}/messages:send"
            patched.setattr(messaging._MessagingService, "FCM_URL", url)
            made = FcmAdmin(account(KEY, f"{server.url}/token"), **options)
            yield made, asked
            await made.aclose()


@pytest.mark.filterwarnings("ignore")
class TestFcmAdmin(ChannelContract[RenderedPush]):
    secrets = (pem(KEY), pem(KEY).splitlines()[1])

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedPush]]:
        self.fake = FakeFcm(KEY)
        async with channel(self.fake) as (made, _):
            yield made

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedPush]]:
        async with channel(FakeFcm(new_key())) as (made, _):
            yield made

    def sample(self, key: str) -> RenderedPush:
        return push(body=f"This is {key!r}.")

    def arrived(self) -> int:
        return len(self.fake.accepted)


PUSHES = {
    "android": push(ttl=60, collapse="c", category="orders", badge=1, image="https://x/y.jpg"),
    "ios": push(platform="ios", badge=0, ios={"aps": {"thread-id": "t"}}),
    "web": push(platform="web", ttl=60),
    "topic": push("/topics/news"),
}


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PUSHES)
async def test_the_message_is_the_same(name: str) -> None:
    """What its classes write is what our own driver sends, but for the case of an enumerator."""
    from vero_channels.push.fcm import Fcm

    async with channel(FakeFcm(KEY)) as (made, asked):
        receipt = await made.send(PUSHES[name], "key-1")
    assert receipt.provider_id.startswith(f"projects/{PROJECT}/messages/")
    assert asked[0].path == PATH
    ours = Asked("", {}, Fcm(account(KEY, URI)).body(PUSHES[name], "key-1"), 0).json["message"]
    if "priority" in ours.get("android", {}):
        ours["android"]["priority"] = ours["android"]["priority"].lower()
    assert asked[0].json["message"] == ours


OUTCOMES: dict[str, tuple[Answer, type[DeliveryError]]] = {
    "unregistered": (UNREGISTERED, Gone),
    "quota": (error(429, "RESOURCE_EXHAUSTED", "x", fcm_error("QUOTA_EXCEEDED")), Deferred),
    "sender": (error(403, "PERMISSION_DENIED", "x", fcm_error("SENDER_ID_MISMATCH")), Gone),
    "argument": (error(400, "INVALID_ARGUMENT", "x"), Refused),
    "third party": (
        error(401, "UNAUTHENTICATED", "x", fcm_error("THIRD_PARTY_AUTH_ERROR")),
        Misconfigured,
    ),
    "gateway": (Answer(502, text="<html>"), Uncertain),
}


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OUTCOMES)
async def test_answers_mean_the_same(name: str) -> None:
    """The library's exceptions, read by the answer that is in them."""
    answer, kind = OUTCOMES[name]
    async with channel(FakeFcm(KEY), answer) as (made, _):
        with pytest.raises(DeliveryError) as caught:
            await made.send(push(), "k")
    assert type(caught.value) is kind


@pytest.mark.anyio
@pytest.mark.filterwarnings("ignore")
async def test_what_its_classes_do_not_have_is_refused() -> None:
    """A field of Google's API that the library lacks; a push without a device."""
    async with channel(FakeFcm(KEY)) as (made, asked):
        for wrong in (
            push(android={"bandwidth_constrained_ok": "x", "y": 1}),
            sample_push(device=None),
        ):
            with pytest.raises(Refused, match="cannot be sent"):
                await made.send(wrong, "k")
    assert not asked


def test_wrong_credentials_are_told_at_once() -> None:
    """ConfigError, which shows no key."""
    pytest.importorskip("firebase_admin")
    for wrong in ("{", account(KEY, URI, private_key="-----BEGIN"), 7):
        with pytest.raises(ConfigError) as caught:
            FcmAdmin(wrong)
        assert pem(KEY).splitlines()[1][:20] not in str(caught.value)
