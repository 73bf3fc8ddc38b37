"""Requests to hosts that recipients choose: their trouble is not the channel's."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from vero_channels.transport.http import HttpChannel
from vero_deliver.channel import Receipt
from vero_deliver.errors import Deferred, Uncertain
from vero_deliver.rendered import Rendered

R = TypeVar("R", bound=Rendered)


class HttpAnywhere(HttpChannel[R]):
    """An HttpChannel without a base_url. timeout: as there; the whole may take twice as long."""

    def __init__(self, *, name: str, timeout: float, **others: Any) -> None:
        super().__init__(name=name, base_url=None, timeout=timeout, **others)
        self._patience = 2 * timeout

    def is_chosen(self, rendered: R) -> bool:
        """Whether the recipient chose the host; else its trouble is the channel's."""
        del rendered
        return True

    async def send(self, rendered: R, key: str) -> Receipt:
        """As every channel; Uncertain where the whole exchange takes more than twice `timeout`."""
        try:
            # whoever chose the host may answer an octet at a time
            async with asyncio.timeout(self._patience):
                return await super().send(rendered, key)
        except TimeoutError:
            detail = f"no answer within {self._patience:g} s; it may have been accepted"
            error = Uncertain(detail, channel=self._name, personal=self.is_chosen(rendered))
            raise error from None
        except (Deferred, Uncertain) as error:
            error.personal |= self.is_chosen(rendered)
            raise
