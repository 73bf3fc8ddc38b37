"""Pushes through FCM: what is asked, what each answer means, whose access token it is."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import http_server
import push_server
import pytest
from fcm_fake import (
    PATH,
    PROJECT,
    UNREGISTERED,
    FakeFcm,
    account,
    error,
    fcm_error,
    new_key,
    pem,
)
from push_server import Answer, Handler, authority

from vero_channels.push.fcm import Fcm
from vero_channels.transport.fcm_errors import CODES
from vero_channels.transport.fcm_message import LIMIT, TOPIC_LIMIT
from vero_deliver.channel import Channel
from vero_deliver.errors import (
    ConfigError,
    Deferred,
    DeliveryError,
    Gone,
    Misconfigured,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import RenderedPush
from vero_deliver.secret import Secret
from vero_deliver.testing import ChannelContract, sample_push
from vero_deliver.user import Device

KEY = new_key()


def push(
    token: str = "fXy:APA91b-token", platform: Any = "android", **changes: Any
) -> RenderedPush:
    return sample_push(device=Device(token=token, platform=platform), **changes)


@pytest.fixture(autouse=True)
def trusted(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority().cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


@asynccontextmanager
async def channel(
    answer: Handler | None = None,
    *,
    token: http_server.Handler | None = None,
    fake: FakeFcm | None = None,
    **options: Any,
) -> AsyncIterator[tuple[Fcm, push_server.Server, http_server.Server]]:
    fake = fake or FakeFcm(KEY)
    async with (
        http_server.serving(token or fake.token) as tokens,
        push_server.serving(answer or fake) as server,
    ):
        credentials = Secret(account(KEY, f"{tokens.url}/token"))
        options = {"credentials": credentials, **options}
        made = Fcm(host="127.0.0.1", port=server.port, **options)
        try:
            yield made, server, tokens
        finally:
            await made.aclose()


async def outcome(answer: Answer, **options: Any) -> DeliveryError:
    """The error that this answer stands for."""
    async with channel(lambda _: answer, **options) as (made, *_):
        with pytest.raises(DeliveryError) as caught:
            await made.send(push(), "k")
    return caught.value


class TestFcm(ChannelContract[RenderedPush]):
    secrets = (pem(KEY), pem(KEY).splitlines()[1])

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedPush]]:
        self.fake = FakeFcm(KEY)
        async with channel(fake=self.fake) as (made, *_):
            yield made

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedPush]]:
        async with channel(fake=FakeFcm(new_key())) as (made, *_):
            yield made

    def sample(self, key: str) -> RenderedPush:
        return push(body=f"This is {key!r}.")

    def arrived(self) -> int:
        return len(self.fake.accepted)


@pytest.mark.anyio
async def test_request_is_the_documented_one() -> None:
    """Path, fields and body; the receipt has the message's name."""
    rich = push(ttl=60, collapse="order-1001", data={"order": "1001"}, priority="normal")
    async with channel() as (made, server, _):
        receipt = await made.send(rich, "key-1")
    [asked] = server.asked
    assert asked.path == PATH
    assert asked.headers["authorization"].startswith("Bearer ya29.")
    assert receipt.provider_id.startswith(f"projects/{PROJECT}/messages/")
    message = asked.json["message"]
    assert message["token"] == "fXy:APA91b-token"
    assert message["notification"] == {"title": rich.title, "body": rich.body}
    assert message["data"]["order"] == "1001"
    assert message["android"]["ttl"] == "60s"
    assert message["android"]["priority"] == "NORMAL"


@pytest.mark.anyio
async def test_topics_and_conditions() -> None:
    """They stand in the place of a device's token."""
    condition = "'news' in topics && ('cs' in topics || 'sk' in topics)"
    async with channel() as (made, server, _):
        await made.send(push("/topics/news"), "k-1")
        await made.send(push(condition), "k-2")
        for wrong in ("/topics/", "/topics/a b", "/other/x", "'' in topics"):
            with pytest.raises(Refused, match="topics"):
                await made.send(push(wrong), "k-3")
    sent = [asked.json["message"] for asked in server.asked]
    assert [each.get("topic") for each in sent] == ["news", None]
    assert [each.get("condition") for each in sent] == [None, condition]
    assert not [each for each in sent if "token" in each]


@pytest.mark.anyio
async def test_options_of_the_channel() -> None:
    """validate_only asks for no delivery; data_only leaves the showing to the app; reports."""
    secret = "a secret of 16 characters"
    options: dict[str, Any] = {"validate_only": True, "data_only": True, "report_secret": secret}
    async with channel(**options) as (made, server, _):
        await made.send(push(), "k")
    request = server.asked[0].json
    assert request["validate_only"] is True
    assert "notification" not in request["message"]
    assert request["message"]["data"]["vd_report"]


@pytest.mark.anyio
async def test_size_is_checked_with_its_figure() -> None:
    """4,096 bytes of keys and values, 2,048 to a topic; what goes to Apple has Apple's limit."""
    for token, limit in (("a:b", LIMIT), ("/topics/news", TOPIC_LIMIT)):
        async with channel() as (made, server, _):
            await made.send(push(token, data={"x": "é"}), "k")
            message = server.asked[0].json["message"]
            used = sum(
                len(name) + len(value.encode())
                for part in ("data", "notification")
                for name, value in message[part].items()
            )
            fits = push(token, data={"x": "y" * (limit - used + 2)})
            await made.send(fits, "k")
            with pytest.raises(Refused, match=f"{limit + 1} bytes and may have {limit}"):
                await made.send(push(token, data={"x": "y" * (limit - used + 3)}), "k")
    async with channel() as (made, server, _):
        with pytest.raises(Refused, match="for Apple"):
            await made.send(push(platform="ios", body="x" * 4096), "k")
        assert not server.asked


@pytest.mark.anyio
@pytest.mark.parametrize(
    "case", [sample_push(device=None), push(""), push(" "), push("x" * 20_000)]
)
async def test_what_google_would_refuse_is_not_sent(case: RenderedPush) -> None:
    """Refused, and no request leaves."""
    async with channel() as (made, server, tokens):
        with pytest.raises(Refused, match="cannot be sent"):
            await made.send(case, "k")
    assert not server.asked
    assert not tokens.asked


VIOLATION = {
    "@type": "type.googleapis.com/google.rpc.BadRequest",
    "fieldViolations": [{"field": "message.token", "description": "Invalid registration token"}],
}
OTHER_VIOLATION = {
    "@type": "type.googleapis.com/google.rpc.BadRequest",
    "fieldViolations": [{"field": "message.data[0].value", "description": "Invalid value"}],
}
INVALID = "INVALID_ARGUMENT"
NONE_AT_ALL = "The registration token is not a valid FCM registration token"
ANSWERS: dict[str, tuple[Answer, type[DeliveryError], str]] = {
    "unregistered": (UNREGISTERED, Gone, "UNREGISTERED"),
    "not found": (error(404, "NOT_FOUND", "Not found."), Misconfigured, "NOT_FOUND"),
    "token": (error(400, INVALID, NONE_AT_ALL, fcm_error(INVALID)), Gone, INVALID),
    "token field": (error(400, INVALID, "x", VIOLATION), Gone, INVALID),
    "argument": (error(400, INVALID, "x", OTHER_VIOLATION), Refused, INVALID),
    "too large": (error(400, INVALID, "Message too big"), Refused, INVALID),
    "sender": (
        error(403, "PERMISSION_DENIED", "x", fcm_error("SENDER_ID_MISMATCH")),
        Gone,
        "SENDER_ID_MISMATCH",
    ),
    "permission": (error(403, "PERMISSION_DENIED", "x"), Misconfigured, "PERMISSION_DENIED"),
    "quota": (
        error(429, "RESOURCE_EXHAUSTED", "x", fcm_error("QUOTA_EXCEEDED")),
        Deferred,
        "QUOTA_EXCEEDED",
    ),
    "unavailable": (
        error(503, "UNAVAILABLE", "x", fcm_error("UNAVAILABLE")),
        Deferred,
        "UNAVAILABLE",
    ),
    "internal": (error(500, "INTERNAL", "x", fcm_error("INTERNAL")), Deferred, "INTERNAL"),
    "third party": (
        error(401, "UNAUTHENTICATED", "x", fcm_error("THIRD_PARTY_AUTH_ERROR")),
        Misconfigured,
        "THIRD_PARTY_AUTH_ERROR",
    ),
    "unauthenticated": (error(401, "UNAUTHENTICATED", "x"), Misconfigured, "UNAUTHENTICATED"),
    "HTML": (Answer(502, text="<html>Error 502</html>"), Uncertain, "502"),
    "internal, plain": (error(500, "INTERNAL", "x"), Uncertain, "INTERNAL"),
    "no JSON": (Answer(404, text="x"), Refused, "404"),
    "another form": (Answer(400, {"error": ["x"]}), Refused, "400"),
    "no name": (Answer(200, {}), Uncertain, "200"),
    "no JSON at all": (Answer(200, text="<html>"), Uncertain, "200"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("name", ANSWERS)
async def test_every_answer_has_a_meaning(name: str) -> None:
    """The code is Google's own word; the error is what happens next."""
    answer, kind, code = ANSWERS[name]
    found = await outcome(answer)
    assert type(found) is kind
    assert found.code == code


def test_every_documented_code_is_there() -> None:
    """Those of FcmError but UNSPECIFIED_ERROR are answered above."""
    assert set(CODES) <= {code for _, _, code in ANSWERS.values()}


@pytest.mark.anyio
async def test_used_up_quota_pauses_the_project() -> None:
    """Nothing is sent until Retry-After is over; a device's or topic's quota pauses nobody else."""
    now = [1_800_000_000.0]
    answers = [
        error(429, "RESOURCE_EXHAUSTED", "Message rate exceeded", fcm_error("QUOTA_EXCEEDED")),
        error(429, "RESOURCE_EXHAUSTED", "Device message rate exceeded"),
    ]
    for answer, asked in zip(answers, (1, 3), strict=True):
        answer.headers["retry-after"] = "30"
        async with channel(partial(told, answer), clock=lambda: now[0], token=plain_token) as (
            made,
            server,
            _,
        ):
            for _ in range(3):
                with pytest.raises(Deferred) as caught:
                    await made.send(push(), "k")
                assert caught.value.retry_after == 30
            assert len(server.asked) == asked
            now[0] += 31
            with pytest.raises(Deferred):
                await made.send(push(), "k")
            assert len(server.asked) == asked + 1


def told(answer: Answer, asked: push_server.Asked) -> Answer:
    return answer


def plain_token(asked: http_server.Asked) -> http_server.Answer:
    return http_server.Answer(200, {"access_token": "ya29.x", "expires_in": 3599})


@pytest.mark.anyio
async def test_tokens_of_another_project_mean_another_account() -> None:
    """After twenty of them and nothing accepted ever, users are no longer called gone."""
    answer = error(403, "PERMISSION_DENIED", "x", fcm_error("SENDER_ID_MISMATCH"))
    async with channel(lambda _: answer) as (made, *_):
        kinds = []
        for number in range(23):
            with pytest.raises(DeliveryError) as caught:
                await made.send(push(f"a:{number}"), "k")
            kinds.append(type(caught.value))
    assert kinds == [Gone] * 20 + [Misconfigured] * 3


@pytest.mark.anyio
async def test_access_token_is_fetched_once_and_early() -> None:
    """Many sends at once ask for one; five minutes before its end comes another."""
    now = [1_800_000_000.0]
    fake = FakeFcm(KEY, clock=lambda: now[0])
    async with channel(fake=fake, clock=lambda: now[0]) as (made, _, tokens):
        await asyncio.gather(*(made.send(push(), f"k-{n}") for n in range(50)))
        assert len(tokens.asked) == 1
        now[0] += 3298
        await made.send(push(), "k")
        assert len(tokens.asked) == 1
        now[0] += 2
        await made.send(push(), "k")
        assert len(tokens.asked) == 2


@pytest.mark.anyio
async def test_token_that_google_no_longer_takes_is_fetched_anew_once() -> None:
    """401 without a code of FCM's: one new token for all that were in flight."""
    fake = FakeFcm(KEY)
    async with channel(fake=fake) as (made, _, tokens):
        await made.send(push(), "k")
        fake.tokens = dict.fromkeys(fake.tokens, 0.0)
        await asyncio.gather(*(made.send(push(), f"k-{n}") for n in range(30)))
        assert len(tokens.asked) == 2
        assert len(fake.accepted) == 31


@pytest.mark.anyio
async def test_former_token_serves_while_it_lives() -> None:
    """The endpoint is away when the token should be replaced: pushes go on, then are Deferred."""
    now = [1_800_000_000.0]
    fake = FakeFcm(KEY, clock=lambda: now[0])
    away: list[int] = []

    def token(asked: http_server.Asked) -> http_server.Answer:
        return http_server.Answer(503, {"error": "busy"}) if away else fake.token(asked)

    async with channel(fake=fake, token=token, clock=lambda: now[0]) as (made, _, tokens):
        await made.send(push(), "k")
        away.append(1)
        now[0] += 3400
        await made.send(push(), "k")
        await made.send(push(), "k")
        assert len(tokens.asked) == 2
        now[0] += 300
        with pytest.raises(Deferred, match="503"):
            await made.send(push(), "k")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http_server.Answer(400, {"error": "invalid_grant"}), Misconfigured),
        (http_server.Answer(429, {"error": "x"}), Deferred),
        (http_server.Answer(500, text="x"), Deferred),
        (http_server.Answer(200, {"access_token": "a\r\nb: c", "expires_in": 1}), Misconfigured),
        (http_server.Answer(200, text="x"), Deferred),
        (http_server.Answer(200, close="now"), Deferred),
    ],
)
async def test_without_an_access_token_nothing_is_sent(
    answer: http_server.Answer, kind: type[DeliveryError]
) -> None:
    """Whether the account is wrong or Google is away."""
    async with channel(token=lambda _: answer) as (made, server, _):
        with pytest.raises(kind) as caught:
            await made.send(push(), "k")
    assert type(caught.value) is kind
    assert not server.asked


@pytest.mark.anyio
async def test_one_cancelled_caller_leaves_the_token_to_the_others() -> None:
    """The fetch goes on for whoever waits for it as well."""

    def slow(asked: http_server.Asked) -> http_server.Answer:
        return http_server.Answer(200, {"access_token": "ya29.x", "expires_in": 9}, hang=0.3)

    async with channel(lambda _: Answer(200, {"name": "projects/p/messages/1"}), token=slow) as (
        made,
        _,
        tokens,
    ):
        first = asyncio.ensure_future(made.send(push(), "k-1"))
        second = asyncio.ensure_future(made.send(push(), "k-2"))
        await asyncio.sleep(0.1)
        first.cancel()
        assert (await second).provider_id
        assert len(tokens.asked) == 1


class OfGoogleAuth:
    """What google-auth calls credentials: refreshed by a transport that it is handed."""

    def __init__(self, url: str) -> None:
        self.url, self.project_id = url, PROJECT
        self.token = ""
        self.expiry = None

    def refresh(self, request: Any) -> None:
        answer = request(url=self.url, method="POST", body=b"x=1", headers={"x": "y"})
        assert answer.status == 200
        self.token = "ya29.refreshed"
        now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        self.expiry = now + datetime.timedelta(hours=1)  # type: ignore[assignment]


@pytest.mark.anyio
async def test_credentials_object_of_google_auth() -> None:
    """It is refreshed through our transport, in a thread."""
    google_auth = pytest.importorskip("google.auth.exceptions")
    answer = Answer(200, {"name": "projects/p/messages/1"})
    async with http_server.serving(lambda _: http_server.Answer(200, {})) as tokens:
        own = OfGoogleAuth(tokens.url)
        async with channel(lambda _: answer, credentials=own) as (made, server, _):
            await made.send(push(), "k")
            await made.send(push(), "k")
        assert server.asked[0].headers["authorization"] == "Bearer ya29.refreshed"
        assert len(tokens.asked) == 1
    async with channel(credentials=own) as (made, server, _):  # nobody is there any more
        with pytest.raises(Deferred, match="ConnectError"):
            await made.send(push(), "k")

    def refuse(request: Any) -> None:
        raise google_auth.RefreshError("no such account")

    own.refresh = refuse  # type: ignore[method-assign]
    async with channel(credentials=own) as (made, server, _):
        with pytest.raises(Misconfigured, match="no such account"):
            await made.send(push(), "k")


URI = "https://oauth2.example.com/token"
WRONG: dict[str, dict[str, Any]] = {
    "no JSON": {"credentials": "{"},
    "another kind": {"credentials": account(KEY, URI, type="authorized_user")},
    "no key": {"credentials": account(KEY, URI, private_key="-----BEGIN")},
    "no URI": {"credentials": account(KEY, "ftp://x/token")},
    "a URI in the clear": {"credentials": account(KEY, "http://oauth2.example.com/token")},
    "no project": {"credentials": account(KEY, URI, project_id="")},
    "a project that is a path": {"credentials": account(KEY, URI), "project_id": "../x"},
    "a number": {"credentials": 7},
    "authorities that are not there": {"credentials": account(KEY, URI), "ca_file": "/no/ca.pem"},
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_options_are_told_at_once(name: str) -> None:
    """ConfigError, which shows no key."""
    with pytest.raises(ConfigError) as caught:
        Fcm(**WRONG[name])
    assert pem(KEY).splitlines()[1][:20] not in str(caught.value)


def test_project_in_a_file(tmp_path: Path) -> None:
    """A table of vero-deliver.toml names the JSON key by a reference."""
    from vero_deliver import Project

    (tmp_path / "key.json").write_text(account(KEY, URI))
    (tmp_path / "vero-deliver.toml").write_text(
        '[channels.android]\ndriver = "fcm"\ncredentials = { file = "key.json" }\n'
        '[env.prod]\npush = "android"\n'
    )
    made = Project.find(tmp_path, env="prod").deliverer().channels["push"]
    assert repr(made) == f"Fcm(name='android', project_id='{PROJECT}')"
