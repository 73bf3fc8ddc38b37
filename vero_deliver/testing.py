"""For tests: what every channel must do, and samples to do it with (needs the extra `testing`).

A driver's own test module, complete:

    class TestEml(ChannelContract[RenderedEmail]):
        @asynccontextmanager
        async def make(self) -> AsyncIterator[Channel[RenderedEmail]]:
            with TemporaryDirectory() as self.folder:
                yield Eml(self.folder)

        def sample(self, key: str) -> RenderedEmail:
            return sample_email(text=f"This is {key!r}.")

        def arrived(self) -> int:
            return len(list(Path(self.folder).glob("*.eml")))

`failing`, `secrets` and `arrived` may be left out; the cases that need them are then skipped.
Code that sends is tested with `vero_channels.memory.Memory`.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from vero_deliver.channel import Channel
from vero_deliver.errors import DeliveryError, MissingExtra
from vero_deliver.rendered import (
    Address,
    Rendered,
    RenderedEmail,
    RenderedHttp,
    RenderedPush,
    RenderedSms,
)
from vero_deliver.user import Device

try:
    import pytest
except ModuleNotFoundError:
    raise MissingExtra("vero_deliver.testing", "testing") from None

R = TypeVar("R", bound=Rendered)

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)

HOSTILE_KEYS = (
    "../../etc/passwd",
    "a/b\\c",
    "A/B\\C",  # the same file where case is ignored
    "nul\0byte",
    "two\r\nlines",
    "%2e%2e",
    "con",
    " ",
    "příliš-žluťoučký-🐎",
    "lone-\udc80",
    "k" * 2000,
    "k" * 1999 + "K",
)


def sample_email(**changes: Any) -> RenderedEmail:
    """An email from shop@example.com to ada@example.org; `changes` replace its fields."""
    email = RenderedEmail(
        from_=Address("shop@example.com", "Vero Shop"),
        to=(Address("ada@example.org", "Ada"),),
        subject="Your order is on its way",
        at=NOON,
        html="<p>Hello Ada</p>",
        text="Hello Ada",
    )
    return replace(email, **changes)


def sample_push(**changes: Any) -> RenderedPush:
    """A push to an Android device; `changes` replace its fields."""
    push = RenderedPush(
        title="On its way",
        body="Your order has left us.",
        at=NOON,
        device=Device(token="sample-token", platform="android"),  # noqa: S106  # no secret
    )
    return replace(push, **changes)


def sample_sms(**changes: Any) -> RenderedSms:
    """A text message; `changes` replace its fields."""
    return replace(RenderedSms(to="+420601000001", body="On its way", at=NOON), **changes)


def sample_http(**changes: Any) -> RenderedHttp:
    """A POST of a JSON body; `changes` replace its fields."""
    request = RenderedHttp(
        method="POST",
        url="https://example.com/hook",
        at=NOON,
        headers={"Content-Type": "application/json"},
        body=b'{"order": 1001}',
    )
    return replace(request, **changes)


class ChannelContract(Generic[R]):
    """What holds for every channel. Subclass it in a test module: see the module's docstring.

    secrets: credentials given to the channels that `make` and `failing` make.
    carriers: for a channel made of channels, their names; receipts and errors may carry one.
    """

    secrets: tuple[str, ...] = ()
    carriers: tuple[str, ...] = ()

    def make(self) -> AbstractAsyncContextManager[Channel[R]]:
        """A channel that accepts messages, ready for one test."""
        raise NotImplementedError

    def sample(self, key: str) -> R:
        """Something to send, different for each key."""
        raise NotImplementedError

    def failing(self) -> AbstractAsyncContextManager[Channel[R]]:
        """A channel whose sends all fail."""
        pytest.skip("this contract has no failing()")

    def arrived(self) -> int:
        """How many messages the far end of the last made channel holds."""
        pytest.skip("this contract has no arrived()")

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.mark.anyio
    async def test_receipt_names_channel_id_and_moment(self) -> None:
        """A receipt has the channel's name, the provider's id and the moment in UTC."""
        async with self.make() as channel:
            receipt = await channel.send(self.sample("key-1"), "key-1")
            known = (channel.name, *self.carriers)
            assert receipt.channel in known, "the receipt names another channel"
        assert receipt.provider_id, "the receipt has no provider_id"
        assert receipt.accepted_at.utcoffset() == timedelta(0), "accepted_at is not in UTC"

    @pytest.mark.anyio
    async def test_name_and_idempotent_are_constant(self) -> None:
        """Sending changes neither name nor idempotent."""
        async with self.make() as channel:
            before = (channel.name, channel.idempotent)
            await channel.send(self.sample("key-1"), "key-1")
            assert (channel.name, channel.idempotent) == before, "they changed"
        assert before[0], "the name is empty"

    @pytest.mark.anyio
    async def test_aclose_is_idempotent(self) -> None:
        """A channel may be closed unused, and twice after use."""
        async with self.make() as channel:
            await channel.aclose()
        async with self.make() as channel:
            await channel.send(self.sample("key-1"), "key-1")
            await channel.aclose()
            await channel.aclose()

    @pytest.mark.anyio
    async def test_one_send_delivers_one_message(self) -> None:
        """What was accepted has arrived, once."""
        async with self.make() as channel:
            await channel.send(self.sample("key-1"), "key-1")
            assert self.arrived() == 1, "one send, but not one message"

    @pytest.mark.anyio
    async def test_idempotent_is_the_truth(self) -> None:
        """A repeated key is delivered once by an idempotent channel, and again by any other."""
        async with self.make() as channel:
            first = await channel.send(self.sample("key-1"), "key-1")
            second = await channel.send(self.sample("key-1"), "key-1")
            assert self.arrived() == (1 if channel.idempotent else 2), "idempotent is not true"
        if channel.idempotent:
            assert first.provider_id == second.provider_id, "the repeated key got another id"

    @pytest.mark.anyio
    async def test_concurrent_sends_all_arrive(self) -> None:
        """Sends that run at the same time neither disturb nor replace each other."""
        keys = [f"key-{number}" for number in range(20)]
        async with self.make() as channel:
            receipts = await asyncio.gather(*(channel.send(self.sample(k), k) for k in keys))
            assert len({r.provider_id for r in receipts}) == len(keys), "ids are not distinct"
            assert self.arrived() == len(keys), "not every message arrived"

    @pytest.mark.anyio
    async def test_hostile_keys_stay_apart(self) -> None:
        """Keys with slashes, NUL, line ends or 2,000 characters are sent, none as another."""
        async with self.make() as channel:
            receipts = [await channel.send(self.sample(key), key) for key in HOSTILE_KEYS]
            assert len({r.provider_id for r in receipts}) == len(HOSTILE_KEYS), "keys collide"
            assert self.arrived() == len(HOSTILE_KEYS), "not every message arrived"

    @pytest.mark.anyio
    async def test_repr_shows_no_secret(self) -> None:
        """A channel can be printed."""
        async with self.make() as channel:
            shown = repr(channel)
        assert not [s for s in self.secrets if s in shown], "the repr shows a secret"

    @pytest.mark.anyio
    async def test_failure_is_a_delivery_error_with_the_name(self) -> None:
        """A failed send raises a DeliveryError that names the channel and shows no secret."""
        async with self.failing() as channel:
            with pytest.raises(DeliveryError) as caught:
                await channel.send(self.sample("key-1"), "key-1")
            known = (channel.name, *self.carriers)
            assert caught.value.channel in known, "the error names another channel"
        shown = f"{caught.value!s} {caught.value!r}"
        assert not [s for s in self.secrets if s in shown], "the error shows a secret"
