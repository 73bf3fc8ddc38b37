"""The drivers `slack`, `discord` and `teams` against fakes of their webhooks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from http_server import Answer, Asked, serving

from vero_channels.chat.discord import Discord
from vero_channels.chat.slack import Slack
from vero_channels.chat.teams import Teams
from vero_channels.transport.incoming_webhook import IncomingWebhook
from vero_deliver.channel import Channel
from vero_deliver.errors import (
    ConfigError,
    Deferred,
    DeliveryError,
    Misconfigured,
    Refused,
    Uncertain,
)
from vero_deliver.rendered import RenderedHttp
from vero_deliver.secret import Secret
from vero_deliver.testing import ChannelContract, sample_http

SECRET = "/services/T000/B000/sekret-0123456789"
DRIVERS = (Slack, Discord, Teams)


class Fake:
    """Slack says ok, Discord gives a message, Teams says 1."""

    def __init__(self, driver: type[IncomingWebhook]) -> None:
        self.driver, self.count = driver, 0

    def answer(self, asked: Asked) -> Answer:
        self.count += 1
        if self.driver is Discord:
            assert asked.path == f"{SECRET}?wait=true"
            return Answer(200, {"id": f"1{self.count:018}", "content": asked.json["content"]})
        assert asked.path == SECRET
        return Answer(200, text="ok" if self.driver is Slack else "1")


class ChatContract(ChannelContract[RenderedHttp]):
    secrets = (SECRET,)
    driver: Any

    @asynccontextmanager
    async def make(self) -> AsyncIterator[Channel[RenderedHttp]]:
        self.fake = Fake(self.driver)
        async with serving(self.fake.answer) as server:
            channel = self.driver(Secret(server.url + SECRET))
            yield channel
            await channel.aclose()

    def sample(self, key: str) -> RenderedHttp:
        return text(f"This is {hash(key)}.")

    def arrived(self) -> int:
        return self.fake.count

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[Channel[RenderedHttp]]:
        async with serving(lambda asked: Answer(404, text=f"no_team {asked.path}")) as server:
            yield self.driver(server.url + SECRET)


class TestSlack(ChatContract):
    driver = Slack


class TestDiscord(ChatContract):
    driver = Discord


class TestTeams(ChatContract):
    driver = Teams


def text(body: str) -> RenderedHttp:
    return sample_http(url="", headers={"Content-Type": "text/plain"}, body=body.encode())


async def outcome(driver: Any, answer: Answer, request: RenderedHttp) -> tuple[Any, list[Asked]]:
    """The receipt or the error, and what was asked."""
    async with serving(lambda _: answer) as server:
        channel = driver(server.url + SECRET)
        try:
            found: Any = await channel.send(request, "key-1")
        except DeliveryError as error:
            found = error
        await channel.aclose()
    return found, server.asked


@pytest.mark.parametrize(
    ("driver", "wrapped"),
    [
        (Slack, {"text": "1 &lt; 2 &amp; &lt;!channel&gt;"}),
        (Discord, {"content": "1 < 2 & <!channel>", "allowed_mentions": {"parse": []}}),
    ],
)
@pytest.mark.anyio
async def test_plain_text_is_wrapped(driver: Any, wrapped: dict[str, Any]) -> None:
    """As the provider has it; markup in data calls nobody."""
    _, [asked] = await outcome(driver, Answer(200), text("1 < 2 & <!channel>"))
    assert asked.json == wrapped
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.anyio
async def test_teams_gets_an_adaptive_card() -> None:
    """One text block, wrapped."""
    found, [asked] = await outcome(Teams, Answer(202), text("Hello"))
    [attachment] = asked.json["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert attachment["content"]["body"] == [{"type": "TextBlock", "text": "Hello", "wrap": True}]
    assert found.provider_id


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.anyio
async def test_json_goes_as_it_is(driver: Any) -> None:
    """A body of the provider's own is not touched; a URL in the message is not used."""
    body = b'{"text": "x", "content": "x", "blocks": [1]}'
    _, [asked] = await outcome(driver, Answer(200), sample_http(body=body))
    assert asked.json == {"text": "x", "content": "x", "blocks": [1]}


@pytest.mark.parametrize(
    ("driver", "answer", "kind"),
    [
        (Slack, Answer(404, text="channel_not_found"), Misconfigured),
        (Slack, Answer(410, text="channel_is_archived"), Misconfigured),
        (Slack, Answer(403, text="action_prohibited"), Misconfigured),
        (Slack, Answer(400, text="invalid_payload"), Refused),
        (Slack, Answer(500, text="rollup_error"), Uncertain),
        (Slack, Answer(429, headers={"retry-after": "30"}), Deferred),
        (Slack, Answer(200, text="<html>"), Uncertain),
        (Discord, Answer(404, {"message": "Unknown Webhook", "code": 10015}), Misconfigured),
        (Discord, Answer(401, {"message": "Invalid Webhook Token", "code": 50027}), Misconfigured),
        (Discord, Answer(400, {"message": "Cannot send an empty message", "code": 50006}), Refused),
        (Discord, Answer(204), Uncertain),
        (Teams, Answer(200, text="Summary or Text is required."), Uncertain),
        (Teams, Answer(200, text="Webhook message delivery failed with error: Microsoft Teams"
            " endpoint returned HTTP error 429 with ContextId x"), Deferred),
        (Teams, Answer(200, text="... returned HTTP error 413 with ContextId x"), Refused),
        (Teams, Answer(404, text="x"), Misconfigured),
        (Teams, Answer(413, text="x"), Refused),
    ],
)  # fmt: skip
@pytest.mark.anyio
async def test_answers(driver: Any, answer: Answer, kind: type[DeliveryError]) -> None:
    """The provider's own words decide."""
    found, _ = await outcome(driver, answer, text("Hello"))
    assert type(found) is kind


@pytest.mark.anyio
async def test_discord_says_how_long_to_wait() -> None:
    """To the millisecond, in the body."""
    said = {"message": "You are being rate limited.", "retry_after": 0.337, "global": False}
    found, _ = await outcome(Discord, Answer(429, said, {"retry-after": "1"}), text("Hello"))
    assert found.retry_after == 0.337


@pytest.mark.parametrize(
    ("driver", "body"),
    [(Slack, "x" * 40_001), (Discord, "x" * 2_001), (Teams, "x" * 28_700), (Slack, "  "),
     (Discord, "[" * 100_000)],
)  # fmt: skip
@pytest.mark.anyio
async def test_limits(driver: Any, body: str) -> None:
    """What the provider would not take is refused before it is sent."""
    found, asked = await outcome(driver, Answer(200), text(body))
    assert type(found) is Refused
    assert not asked


@pytest.mark.parametrize("url", ["", "sekret-url", "https://hooks.slack.com/", "ftp://x/sekret"])
def test_a_url_that_is_none(url: str) -> None:
    """The error does not show it."""
    with pytest.raises(ConfigError) as caught:
        Slack(Secret(url))
    assert "sekret" not in str(caught.value)


def test_request_shows_no_secret() -> None:
    """What a preview shows has the host, not the path or the query."""
    channel = Teams(Secret("https://prod.example.com/workflows/abc?sig=sekret"))
    assert str(channel.request(text("x"), "key-1").url) == "https://prod.example.com/***"
