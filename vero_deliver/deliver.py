"""The desk: take a message and a user, render, send, and say what became of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Literal, TypedDict, Unpack

from vero_deliver.channel import Channel, Receipt
from vero_deliver.errors import (
    DataError,
    Deferred,
    DeliveryError,
    Gone,
    Misconfigured,
    Refused,
    RenderError,
    Uncertain,
)
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
from vero_deliver.user import User

State = Literal[
    "accepted", "skipped", "unrendered", "gone", "refused", "deferred", "misconfigured", "uncertain"
]
Outcome = Receipt | Skipped | RenderError | DeliveryError

_STATES: tuple[tuple[type[object], State], ...] = (
    (Receipt, "accepted"),
    (Skipped, "skipped"),
    (RenderError, "unrendered"),
    (Gone, "gone"),
    (Refused, "refused"),
    (Deferred, "deferred"),
    (Misconfigured, "misconfigured"),
    (Uncertain, "uncertain"),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One content of one message to one user, and what became of it."""

    key: str
    content: ContentName
    user: User
    outcome: Outcome

    @property
    def state(self) -> State:
        """The outcome in one word."""
        return next(state for kind, state in _STATES if isinstance(self.outcome, kind))

    @property
    def receipt(self) -> Receipt | None:
        """The channel's receipt, where it accepted."""
        return self.outcome if isinstance(self.outcome, Receipt) else None

    @property
    def detail(self) -> str:
        """Why, in words; the provider's id where it was accepted."""
        match self.outcome:
            case Receipt(provider_id=provider_id):
                return provider_id
            case Skipped(reason=reason):
                return reason
            case error:
                return str(error)


class Channels(TypedDict, total=False):
    """The channel that carries each content; a content without one is skipped."""

    email: Channel[RenderedEmail]
    push: Channel[RenderedPush]
    sms: Channel[RenderedSms]
    http: Channel[RenderedHttp]


class Deliverer:
    """Sends messages over one channel per content.

    A context manager: leaving it closes the channels.
    """

    def __init__(self, renderer: Renderer | None = None, **channels: Unpack[Channels]) -> None:
        refuse_unknown(channels, Channels.__annotations__, "Deliverer")
        if renderer is not None and not hasattr(renderer, "render"):
            raise TypeError("channels are given by content: Deliverer(email=channel)")
        self.renderer = renderer or Renderer()
        self.channels: Mapping[ContentName, Channel[Any]] = dict(channels)  # type: ignore[arg-type]

    async def send(
        self,
        message: Message,
        user: User,
        *,
        contents: Sequence[ContentName] | None = None,
        **about: Unpack[About],
    ) -> list[Delivery]:
        """Send the message's contents (all, unless `contents` names some) to one user, now.

        Gives one Delivery per content, and per device for push; a failure is an outcome, never
        an exception. about["key"] names the deliveries; left out, it derives from message, user
        and data. Raises MessageError where the message itself is broken; nothing is sent then.
        """
        rendered = list(self.render(message, user, contents=contents, **about))
        return [await self._deliver(user, *one) for one in rendered]

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
            yield content, key, Skipped("the user has no device")
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
        """Close every channel. Idempotent."""
        async with AsyncExitStack() as stack:  # one that fails to close keeps none open
            for channel in self.channels.values():
                stack.push_async_callback(channel.aclose)

    async def __aenter__(self) -> Deliverer:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
