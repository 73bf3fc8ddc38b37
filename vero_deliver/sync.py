"""The desk for code that does not use async: the same names, called plainly.

One background event loop lives as long as the object, so connections survive between calls, and
it works inside a running loop (a notebook) and from several threads.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Unpack

from anyio.from_thread import BlockingPortal, start_blocking_portal

from vero_deliver import deliver
from vero_deliver.deliver import Channels, Sending
from vero_deliver.delivery import Delivery
from vero_deliver.message import Message
from vero_deliver.render import Renderer
from vero_deliver.user import User

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from vero_deliver.desk.policy import Policy
    from vero_deliver.outbox.store import Outbox


class Deliverer:
    """vero_deliver.Deliverer, blocking. A context manager: leaving it closes the channels."""

    def __init__(
        self,
        renderer: Renderer | None = None,
        *,
        outbox: Outbox | None = None,
        policy: Policy | None = None,
        **channels: Unpack[Channels],
    ) -> None:
        self._deliverer = deliver.Deliverer(renderer, outbox=outbox, policy=policy, **channels)
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None

    @classmethod
    def over(cls, deliverer: deliver.Deliverer) -> Deliverer:
        """The blocking face of an async one: `Deliverer.over(Project.find().deliverer())`."""
        self = cls(deliverer.renderer)
        self._deliverer = deliverer
        return self

    def send(self, message: Message, user: User, **sending: Unpack[Sending]) -> list[Delivery]:
        """As the async send()."""
        return self._open().call(partial(self._deliverer.send, message, user, **sending))

    def enqueue(
        self,
        message: Message,
        user: User,
        *,
        into: Connection | Session | None = None,
        not_before: datetime | None = None,
        **sending: Unpack[Sending],
    ) -> list[Delivery]:
        """As the async enqueue(), in this thread."""
        record = self._deliverer.recording(message, user, not_before=not_before, **sending)
        return record(into)

    def close(self) -> None:
        """Close every channel and end the background loop. Idempotent."""
        if self._portal is not None:
            self._portal.call(self._deliverer.aclose)
            self._portal = None
        self._stack.close()

    def _open(self) -> BlockingPortal:
        if self._portal is None:
            self._portal = self._stack.enter_context(start_blocking_portal())
        return self._portal

    def __enter__(self) -> Deliverer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
