"""Several messages in one call, for providers where each may have its own body."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from vero_channels.transport.email_api import EmailApi
from vero_channels.transport.http import UNREADABLE, identified
from vero_deliver.channel import Receipt
from vero_deliver.errors import DeliveryError, Refused, Uncertain
from vero_deliver.rendered import RenderedEmail

Batch = Sequence[tuple[RenderedEmail, str]]


class BatchEmailApi(EmailApi):
    """A BatchChannel. `capabilities.batch` messages, `max_batch_bytes` octets go in one call."""

    max_batch_bytes: int = 10_000_000

    @abstractmethod
    def batch_request(self, batch: Batch) -> httpx.Request:
        """The call for these messages, without credentials. Pure; errors as `request`."""

    @abstractmethod
    def outcomes(self, response: httpx.Response, batch: Batch) -> list[str | DeliveryError]:
        """The id or the error of each message, in order, out of an answer that has them.

        KeyError, ValueError and the like where it does not have them.
        """

    def each(
        self, answers: Sequence[Any], outcome: Callable[[Any], str]
    ) -> list[str | DeliveryError]:
        """What `outcome` gives or raises for each answer; Uncertain for one it cannot read."""
        found: list[str | DeliveryError] = []
        for answer in answers:
            try:
                found.append(identified(outcome(answer)))
            except DeliveryError as error:
                found.append(error)
            except UNREADABLE:
                detail = self.shown(f"an answer without an id; it may be accepted: {answer}")
                found.append(Uncertain(detail, channel=self._name))
        return found

    def batchable(self, rendered: RenderedEmail) -> bool:
        """False for what the provider takes only alone."""
        del rendered
        return True

    async def send_many(self, batch: Batch) -> list[Receipt | DeliveryError]:
        """As `send` of each, in the same order, in as few calls as the provider allows.

        Nothing is raised for a message: what would be stands in its place.
        """
        results: dict[int, Receipt | DeliveryError] = {}
        together: list[tuple[int, int]] = []
        for number, (rendered, key) in enumerate(batch):
            try:
                size = len(self._made(rendered, key).content)
            except DeliveryError as error:
                results[number] = error
                continue
            if self.batchable(rendered):
                together.append((number, size))
            else:
                results[number] = await self._alone(rendered, key)
        for chunk in self._chunks(together):
            found = await self._call([batch[number] for number in chunk])
            results.update(zip(chunk, found, strict=True))
        return [results[number] for number in range(len(batch))]

    def _chunks(self, sizes: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
        """The messages of each call, by number."""
        chunk: list[int] = []
        total = 0
        for number, size in sizes:
            full = len(chunk) == self.capabilities.batch or total + size > self.max_batch_bytes
            if chunk and full:
                yield chunk
                chunk, total = [], 0
            chunk.append(number)
            total += size
        if chunk:
            yield chunk

    async def _alone(self, rendered: RenderedEmail, key: str) -> Receipt | DeliveryError:
        try:
            return await self.send(rendered, key)
        except DeliveryError as error:
            return error

    async def _call(self, batch: Batch) -> list[Receipt | DeliveryError]:
        if len(batch) == 1:
            return [await self._alone(*batch[0])]
        try:
            found = self._outcomes(await self._exchange(self.batch_request(batch)), batch)
        except Refused:  # the whole call: none was accepted; find those that it was for
            return [await self._alone(*each) for each in batch]
        except DeliveryError as error:
            return [error] * len(batch)
        moment = datetime.now(UTC)
        return [
            Receipt(self._name, each, moment) if isinstance(each, str) else each for each in found
        ]

    def _outcomes(self, response: httpx.Response, batch: Batch) -> list[str | DeliveryError]:
        try:
            found = self.outcomes(response, batch)
            if len(found) == len(batch):
                return found
        except UNREADABLE:
            pass  # as if there were too few
        if not response.is_success:
            raise self._error(response)
        detail = f"HTTP {response.status_code}, but not one id for each message"
        raise Uncertain(detail, channel=self._name, code=str(response.status_code))
