"""One leased delivery: render it as promised, hand it over, file what became of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, Unpack, cast

from vero_deliver.channel import Channel, Receipt
from vero_deliver.delivery import Sent
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
from vero_deliver.rendered import ContentName, Rendered, Skipped, digest
from vero_deliver.resource import from_resource
from vero_deliver.routes.guard import Guarded
from vero_deliver.user import User

_KEPT: Final = 256  # messages

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
        made = await self._rendered(leased)
        if not isinstance(made, tuple):
            return await self._file(leased, made)
        channel = self.channels.get(leased.content)
        if channel is None:
            return await self._file(leased, Skipped(f"no channel carries {leased.content}"))
        if isinstance(channel, Guarded) and (shut := await channel.shut()) is not None:
            return await self._file(leased, shut)
        repeats = self.policy.repeats(leased.kind)
        if leased.in_doubt and leased.channel != channel.name and not repeats:
            detail = f"{channel.name} cannot know whether {leased.channel} has delivered it"
            return await self._file(leased, Uncertain(detail, channel=leased.channel))
        start = Start(leased, channel.name, repeatable=channel.idempotent or repeats)
        if not await self._may_start(start):
            return None
        return await self._hand_over(leased, channel, *made)

    async def _may_start(self, start: Start) -> bool:
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

    async def _hand_over(
        self, leased: Leased, channel: Channel[Any], rendered: Rendered, digest: str
    ) -> Sent:
        about: dict[str, Any] = {"channel": channel, "digest": digest}
        about["started_at"] = self.outbox.now()
        outcome: Receipt | DeliveryError
        try:
            outcome = await channel.send(rendered, leased.key)
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
        return outcome

    async def _rendered(
        self, leased: Leased
    ) -> tuple[Rendered, str] | Skipped | RenderError | Misconfigured:
        """What to hand over and its digest, or why there is nothing."""
        try:
            message = await self._message(leased)
            made = self._compose(message, leased)
            if isinstance(made, (Skipped, RenderError)):
                return made
            return made, digest(made, leased.key)
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
