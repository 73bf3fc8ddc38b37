"""The desk: take a message and a user, render, send, and say what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, cast

from vero_deliver.channel import Channel
from vero_deliver.delivery import Delivery
from vero_deliver.errors import ConfigError, DataError, DeliveryError, RenderError
from vero_deliver.keys import delivery_key, derive_key
from vero_deliver.message import Message
from vero_deliver.plain import refuse_unknown
from vero_deliver.render import About, Renderer
from vero_deliver.render.given import check_call
from vero_deliver.render.many import fit_to_send
from vero_deliver.rendered import (
    ContentName,
    Rendered,
    RenderedEmail,
    RenderedHttp,
    RenderedPush,
    RenderedSms,
    Skipped,
)
from vero_deliver.states import UNREACHABLE
from vero_deliver.user import User

if TYPE_CHECKING:
    from vero_deliver.desk.policy import Policy
    from vero_deliver.desk.sending import Desk
    from vero_deliver.outbox.records import Order
    from vero_deliver.outbox.store import Outbox

Choose = Literal["all", "first"]
NO_DEVICE = "the user has no device"  # why a push is skipped
_HOW = ("contents", "choose", "expires")  # of Sending, beside About


class Channels(TypedDict, total=False):
    """The channel that carries each content; a content without one is skipped."""

    email: Channel[RenderedEmail]
    push: Channel[RenderedPush]
    sms: Channel[RenderedSms]
    http: Channel[RenderedHttp]


class Sending(About, total=False):
    """What a sending is about, and how it is to be carried out.

    contents: which of the message's, and in which order; all where left out.
    choose: "all" sends each of them; "first" the first that reaches the user: the next is tried
    where one is skipped or gone.
    expires: the latest moment, or how long it may take; only with an outbox, whose Policy decides
    where it is left out.
    """

    contents: Sequence[ContentName]
    choose: Choose
    expires: datetime | timedelta


class Deliverer:
    """Sends messages over one channel per content.

    outbox: records every delivery before it is sent, and what became of it; a key is then sent
    once, however often it is given. policy: what is sent again, and when.

    A context manager: leaving it closes the channels and the outbox.
    """

    def __init__(
        self,
        renderer: Renderer | None = None,
        *,
        outbox: Outbox | None = None,
        policy: Policy | None = None,
        **channels: Unpack[Channels],
    ) -> None:
        refuse_unknown(channels, Channels.__annotations__, "Deliverer")
        if renderer is not None and not hasattr(renderer, "render"):
            raise TypeError("channels are given by content: Deliverer(email=channel)")
        self.renderer = renderer or Renderer()
        self.channels: Mapping[ContentName, Channel[Any]] = dict(channels)  # type: ignore[arg-type]
        self.outbox = outbox
        self._policy = policy
        self._desk: Desk | None = None
        self._sound: set[tuple[str, str]] = set()  # versions that were rendered once

    @property
    def policy(self) -> Policy:
        """What is sent again, and when: the given one, else the defaults."""
        from vero_deliver.desk.policy import Policy  # what it stands beside is an extra

        if self._policy is None:
            self._policy = Policy()
        return self._policy

    async def send(
        self, message: Message, user: User, **sending: Unpack[Sending]
    ) -> list[Delivery]:
        """Send the message's contents to one user, now.

        Gives one Delivery per content, and per device for push; a failure is an outcome, never
        an exception. sending["key"] names the deliveries; left out, it derives from message, user
        and data. Raises MessageError where the message itself is broken; nothing is sent then.

        With an outbox: what it has under that key already is not sent again but told as it stands;
        what ends deferred waits there for a worker. Raises OutboxError where the database fails:
        a delivery that had left by then will be uncertain.
        """
        contents, about = self._given(message, user, sending)
        if self.outbox is not None:
            from vero_deliver.desk.direct import send
            from vero_deliver.desk.sending import Desk

            orders = self._orders(message, user, sending)
            if isinstance(orders, DataError):
                keys = self.render(message, user, contents=contents, **about)
                return [Delivery(key, content, user, orders) for content, key, _ in keys]
            self._desk = self._desk or Desk(self, self.outbox, self.policy)
            return await send(self._desk, message, user, orders)
        if "expires" in sending:
            raise TypeError("expires needs an outbox: Deliverer(outbox=...)")
        made = list(self.render(message, user, contents=contents, **about))
        deliveries: list[Delivery] = []
        for content in dict.fromkeys(contents):
            own = [await self._deliver(user, *one) for one in made if one[0] == content]
            deliveries += own
            reached = any(delivery.state not in UNREACHABLE for delivery in own)
            if reached and sending.get("choose") == "first":
                break
        return deliveries

    async def enqueue(
        self,
        message: Message,
        user: User,
        *,
        into: Any = None,
        not_before: datetime | None = None,
        **sending: Unpack[Sending],
    ) -> list[Delivery]:
        """Record what a worker is to send.

        into: a connection or session of SQLAlchemy, async or not, to the outbox's own database:
        the deliveries are then part of its transaction, and are sent if that is committed.
        not_before: the earliest moment. Gives what send() does; new deliveries are "queued".
        Raises DataError where key, user or data cannot be kept, MessageError, OutboxError.
        """
        record = self.recording(message, user, not_before=not_before, **sending)
        if into is None:
            return await asyncio.to_thread(record, None)
        if hasattr(into, "run_sync"):
            deliveries: list[Delivery] = await into.run_sync(record)
            return deliveries
        return record(into)

    def recording(
        self,
        message: Message,
        user: User,
        *,
        not_before: datetime | None = None,
        **sending: Unpack[Sending],
    ) -> Callable[[Any], list[Delivery]]:
        """enqueue() in two: a blocking function that takes the connection or None, and records."""
        from vero_deliver.desk.direct import record

        if self.outbox is None:
            raise ConfigError("enqueue needs an outbox: Deliverer(outbox=...)")
        self._given(message, user, sending)
        orders = self._orders(message, user, sending, not_before)
        if isinstance(orders, DataError):
            raise orders
        return partial(record, self.outbox, message, user, orders)

    def _given(
        self, message: Message, user: User, sending: Sending
    ) -> tuple[Sequence[ContentName], About]:
        """Which contents, and what it is about. Raises TypeError and MessageError."""
        about = cast(About, {k: v for k, v in sending.items() if k not in _HOW})
        check_call(message, user, about)
        contents = sending.get("contents")
        contents = message.contents if contents is None else contents
        sound: set[tuple[str, str]] = {(message.version, content) for content in contents}
        if self.outbox is not None and not sound <= self._sound:
            list(self.render(message, user, contents=contents, **about))  # before it is promised
            self._sound |= sound
        return contents, about

    def _orders(
        self,
        message: Message,
        user: User,
        sending: Sending,
        not_before: datetime | None = None,
    ) -> list[Order] | DataError:
        from vero_deliver.desk.orders import Terms, orders

        assert self.outbox is not None  # noqa: S101  # the callers have looked
        contents, about = self._given(message, user, sending)
        terms = Terms.of(
            self.outbox.now(),
            choose=sending.get("choose", "all"),
            not_before=not_before,
            expires=sending.get("expires", self.policy.expires),
        )
        try:
            return orders(message, user, contents, about, terms)
        except DataError as error:
            return error

    def render(
        self,
        message: Message,
        user: User,
        *,
        contents: Sequence[ContentName] | None = None,
        **about: Unpack[About],
    ) -> Iterator[tuple[ContentName, str, Rendered | Skipped | RenderError]]:
        """What send() would hand over: content, delivery key, and the rendered (or why not)."""
        check_call(message, user, about)
        chosen = contents if contents is not None else message.contents
        try:
            key = about.get("key") or derive_key(
                message,
                user,
                data=about.get("data"),
                event=about.get("event"),
                campaign=about.get("campaign"),
            )
        except DataError as error:
            key = derive_key(message, user)
            for content in chosen:
                yield content, delivery_key(key, content), error
            return
        for content in chosen:
            yield from self._render(message, user, content, key, about)

    def _render(
        self, message: Message, user: User, content: ContentName, base: str, about: About
    ) -> Iterator[tuple[ContentName, str, Rendered | Skipped | RenderError]]:
        key = delivery_key(base, content)
        its_own: About = {**about, "key": key}
        try:
            rendered = self.renderer.render(message, user, content, **its_own)
        except RenderError as error:
            yield content, key, error
            return
        if not isinstance(rendered, RenderedPush):
            yield content, key, fit_to_send(rendered, key)
            return
        if not user.devices:
            yield content, key, Skipped(NO_DEVICE)
        for device in user.devices:
            yield content, delivery_key(base, content, device), replace(rendered, device=device)

    async def _deliver(
        self, user: User, content: ContentName, key: str, rendered: Rendered | Skipped | RenderError
    ) -> Delivery:
        if isinstance(rendered, (Skipped, RenderError)):
            return Delivery(key, content, user, rendered)
        channel = self.channels.get(content)
        if channel is None:
            return Delivery(key, content, user, Skipped(f"no channel carries {content}"))
        try:
            return Delivery(key, content, user, await channel.send(rendered, key))
        except DeliveryError as error:
            return Delivery(key, content, user, error)

    async def aclose(self) -> None:
        """Close every channel, and the outbox. Idempotent."""
        async with AsyncExitStack() as stack:  # one that fails to close keeps none open
            for channel in self.channels.values():
                stack.push_async_callback(channel.aclose)
            if self.outbox is not None:
                stack.callback(self.outbox.close)

    async def __aenter__(self) -> Deliverer:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
