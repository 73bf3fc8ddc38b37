"""One leased delivery: render it as promised, hand it over, file what became of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol, Unpack, cast

from vero_deliver import observe
from vero_deliver.channel import Channel, Receipt, idempotency_window
from vero_deliver.delivery import Sent, Suppressed
from vero_deliver.desk.journal import Journal
from vero_deliver.desk.outcomes import result_of
from vero_deliver.desk.policy import Policy
from vero_deliver.errors import (
    DeliveryError,
    MessageError,
    Misconfigured,
    OutboxError,
    RenderError,
    Uncertain,
)
from vero_deliver.message import Message
from vero_deliver.outbox.packing import unpack, unpack_user
from vero_deliver.outbox.records import Leased, Result, Start, moment
from vero_deliver.outbox.store import Outbox
from vero_deliver.render import About
from vero_deliver.rendered import (
    ContentName,
    Rendered,
    RenderedEmail,
    RenderedPush,
    RenderedSms,
    Skipped,
    digest,
)
from vero_deliver.resource import from_resource
from vero_deliver.routes.guard import Guarded
from vero_deliver.suppression import digest_of
from vero_deliver.user import User

_KEPT: Final = 256  # messages
_MARGIN: Final = timedelta(minutes=5)  # of what a provider says about its own clock

log = logging.getLogger(__name__)


class Composer(Protocol):
    """What the desk needs of a Deliverer."""

    @property
    def channels(self) -> Mapping[ContentName, Channel[Any]]:
        """The channel that carries each content."""
        ...

    def render(
        self,
        message: Message,
        user: User,
        *,
        contents: Sequence[ContentName] | None = None,
        **about: Unpack[About],
    ) -> Iterator[tuple[ContentName, str, Rendered | Skipped | RenderError]]:
        """Content, delivery key, and the rendered or why not."""
        ...


@dataclass(frozen=True, slots=True)
class _Made:
    """What to hand over, the digest of its bytes, and the message's topic."""

    rendered: Rendered
    digest: str
    topic: str


class Desk:
    """Delivers what is leased, for any number of tasks of one event loop.

    channels: in place of the composer's own.
    patience: seconds for which a database that fails is tried again; then OutboxError is raised.
    """

    def __init__(
        self,
        composer: Composer,
        outbox: Outbox,
        policy: Policy,
        *,
        channels: Mapping[ContentName, Channel[Any]] | None = None,
        patience: float = 30.0,
    ) -> None:
        self.composer, self.outbox, self.policy = composer, outbox, policy
        self.channels = composer.channels if channels is None else channels
        self.journal = Journal(outbox, patience)
        self._messages: dict[tuple[str, str], Message] = {}

    def know(self, message: Message) -> None:
        """Spare a look into the outbox for what is at hand."""
        self._keep(message.id, message.version, message)

    async def deliver(self, leased: Leased) -> Sent | None:
        """What became of it; None where the lease was lost before it was handed over.

        A channel's failure is an outcome, never an exception.
        """
        with observe.delivering(leased.key, leased.content):
            return await self._deliver(leased)

    async def _deliver(self, leased: Leased) -> Sent | None:
        made = await self._rendered(leased)
        if not isinstance(made, _Made):
            return await self._file(leased, made)
        channel = self.channels.get(leased.content)
        if channel is None:
            return await self._file(leased, Skipped(f"no channel carries {leased.content}"))
        if isinstance(channel, Guarded) and (shut := await channel.shut()) is not None:
            return await self._file(leased, shut)
        repeats = self.policy.repeats(leased.kind)
        if leased.in_doubt and not repeats and (why := self._why_not_again(leased, channel)):
            return await self._file(leased, Uncertain(why, channel=leased.channel))
        start = Start(
            leased,
            channel.name,
            repeatable=channel.idempotent or repeats,
            recipients=_recipients(made.rendered),
            topic=made.topic,
        )
        started = await self._may_start(start)
        if isinstance(started, str):
            return await self._file(leased, Suppressed(started))
        return await self._hand_over(start, channel, made) if started else None

    def _why_not_again(self, leased: Leased, channel: Channel[Any]) -> str:
        """Why one that may have arrived is not repeated; empty where a repeat delivers nothing."""
        if leased.channel != channel.name:
            return f"{channel.name} cannot know whether {leased.channel} has delivered it"
        if not channel.idempotent:
            return f"{channel.name} would deliver it again"
        window = idempotency_window(channel)
        age = timedelta(milliseconds=self.outbox.now() - leased.rendered_for)
        if window is not None and age > window - _MARGIN:
            return f"{channel.name} may have forgotten the key, which counts for {window}"
        return ""

    async def _may_start(self, start: Start) -> bool | str:
        try:
            return await self.journal.write(start)
        except asyncio.CancelledError:  # it may be recorded, and will not happen
            leased, now = start.leased, self.outbox.now()
            self.journal.put(
                Result(
                    leased=leased,
                    state="deferred",
                    ended_at=now,
                    next_attempt_at=now,
                    channel=leased.channel,
                    in_doubt=leased.in_doubt,
                )
            )
            raise

    async def _hand_over(self, start: Start, channel: Channel[Any], made: _Made) -> Sent:
        leased = start.leased
        about: dict[str, Any] = {"channel": channel, "digest": made.digest}
        about["recipients"] = start.recipients
        about["started_at"] = self.outbox.now()
        outcome: Receipt | DeliveryError
        try:
            with observe.sending(channel.name, leased.key):
                outcome = await channel.send(made.rendered, leased.key)
        except DeliveryError as error:
            outcome = error
        except asyncio.CancelledError:
            stopped = Uncertain("stopped while it was being sent", channel=channel.name)
            self.journal.put(result_of(leased, stopped, self.outbox.now(), self.policy, **about))
            raise
        except Exception as error:  # a driver's own mistake: it may have left
            log.exception("channel %s failed on %s", channel.name, leased.key)
            outcome = Uncertain(f"broke: {type(error).__name__}", channel=channel.name)
        return await self._file(leased, outcome, **about)

    async def _file(self, leased: Leased, outcome: Sent, **about: Any) -> Sent:
        result = result_of(leased, outcome, self.outbox.now(), self.policy, **about)
        if not await self.journal.write(result):
            log.warning("%s: %s, after its lease was lost", leased.key, result.state)
        if observe.heard():
            observe.tell(_outcome(result, outcome))
        return outcome

    async def _rendered(self, leased: Leased) -> _Made | Skipped | RenderError | Misconfigured:
        """What to hand over, or why there is nothing."""
        try:
            message = await self._message(leased)
            with observe.rendering(leased.message_id, leased.message_version):
                made = self._compose(message, leased)
            if isinstance(made, (Skipped, RenderError)):
                return made
            return _Made(made, digest(made, leased.key), message.topic)
        except MessageError as error:  # a layout that is gone may come back
            return Misconfigured(str(error), channel=leased.content)
        except OutboxError:
            raise
        except Exception as error:  # one delivery must not stop all others
            log.exception("rendering of %s failed", leased.key)
            return RenderError(f"broke: {type(error).__name__}")

    def _compose(self, message: Message, leased: Leased) -> Rendered | Skipped | RenderError:
        about = cast(About, unpack(leased.about))
        about["key"] = leased.send_key
        about.setdefault("now", moment(leased.rendered_for))
        user = unpack_user(leased.user)
        made = self.composer.render(message, user, contents=[leased.content], **about)
        for _, key, rendered in made:
            if key == leased.key:
                return rendered
        return Skipped("the user has no such device any more")

    async def _message(self, leased: Leased) -> Message:
        known = self._messages.get((leased.message_id, leased.message_version))
        if known is not None:
            return known
        document = await self.journal.patiently(
            self.outbox.document, leased.message_id, leased.message_version
        )
        if document is None:
            raise MessageError(f"version {leased.message_version} is not in the outbox")
        # not on the thread: msgspec crashes where two threads decode a type for the first time
        message = from_resource(json.loads(document))
        self._keep(leased.message_id, leased.message_version, message)
        return message

    def _keep(self, id_: str, version: str, message: Message) -> None:
        if len(self._messages) >= _KEPT:
            self._messages.clear()
        self._messages[id_, version] = message


def _outcome(result: Result, outcome: Sent) -> observe.Outcome:
    """What the log may say of it."""
    leased, began = result.leased, result.started_at
    return observe.Outcome(
        key=leased.key,
        content=leased.content,
        state=result.state,
        channel=result.channel,
        attempt=leased.attempts + (began is not None),
        seconds=None if began is None else (result.ended_at - began) / 1000,
        error=type(outcome).__name__ if isinstance(outcome, Exception) else "",
    )


def _recipients(rendered: Rendered) -> tuple[str, ...]:
    """Digests of their addresses; none of a request, which goes to a machine."""
    match rendered:
        case RenderedEmail():
            return tuple(digest_of("email", address) for address in rendered.recipients)
        case RenderedSms(to=number):
            return (digest_of("sms", number),)
        case RenderedPush(device=device) if device is not None:
            return (digest_of("push", device.token),)
    return ()
