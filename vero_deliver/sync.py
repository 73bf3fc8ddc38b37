"""The desk for code that does not use async: the same names, called plainly.

One background event loop lives as long as the object, so connections survive between calls, and
it works inside a running loop (a notebook) and from several threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Unpack

from anyio.from_thread import BlockingPortal, start_blocking_portal

from vero_deliver import deliver
from vero_deliver.deliver import Channels, Delivery
from vero_deliver.message import Message
from vero_deliver.render import About, Renderer
from vero_deliver.rendered import ContentName
from vero_deliver.user import User


class Deliverer:
    """vero_deliver.Deliverer, blocking. A context manager: leaving it closes the channels."""

    def __init__(self, renderer: Renderer | None = None, **channels: Unpack[Channels]) -> None:
        self._deliverer = deliver.Deliverer(renderer, **channels)
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None

    @classmethod
    def over(cls, deliverer: deliver.Deliverer) -> Deliverer:
        """The blocking face of an async one: `Deliverer.over(Project.find().deliverer())`."""
        self = cls(deliverer.renderer)
        self._deliverer = deliverer
        return self

    def send(
        self,
        message: Message,
        user: User,
        *,
        contents: Sequence[ContentName] | None = None,
        **about: Unpack[About],
    ) -> list[Delivery]:
        """As the async send()."""
        call = partial(self._deliverer.send, message, user, contents=contents, **about)
        return self._open().call(call)

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
