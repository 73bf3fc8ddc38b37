"""How `check` asks the network: public addresses only, a few at once, little of each answer.

Whoever wrote a template, or the sample that fills it, chose these URLs: an address is checked when
it is dialled, each redirect is one more URL to be checked, and no cookies are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import httpx

from vero_deliver.registry import guarded_transport

_AT_ONCE: Final = 6
_REDIRECTS: Final = 5
_SECONDS: Final = 20.0  # for a URL with all its redirects
_BETWEEN: Final = 10.0  # seconds to connect, and between two pieces of an answer
_MOST: Final = 5_000_000  # bytes read of one answer
_MOVED: Final = frozenset((301, 302, 303, 307, 308))
_FIELDS: Final = {
    "user-agent": "vero-deliver check",
    "accept": "*/*",
    "accept-encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a URL answered.

    status: 0 where there was no answer, and `trouble` says why. url: where redirects led.
    size: bytes of the body, as its length says or as far as it was read.
    """

    url: str
    status: int = 0
    trouble: str = ""
    content_type: str = ""
    size: int = 0


class Network:
    """Asks each URL once, however many letters hold it."""

    def __init__(
        self,
        allow: Iterable[str] = (),
        *,
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
    ) -> None:
        """allow: hosts and networks of one's own that may be asked too; ConfigError for none."""
        self._transport = transport or partial(guarded_transport, tuple(allow))
        self._transport()  # refuses what is no host and no network
        self._known: dict[str, Fetched] = {}

    def fetch(self, urls: Iterable[str]) -> dict[str, Fetched]:
        """What each http(s) URL answers; others are left out. Blocks."""
        wanted = list(dict.fromkeys(url for url in urls if _is_http(url)))
        new = [url for url in wanted if url not in self._known]
        if new:
            self._known |= dict(zip(new, _run(self._all(new)), strict=True))
        return {url: self._known[url] for url in wanted}

    async def _all(self, urls: list[str]) -> list[Fetched]:
        turns = asyncio.Semaphore(_AT_ONCE)
        transport = self._transport()

        async def one(url: str) -> Fetched:
            async with turns:
                return await _fetched(transport, url)

        try:
            return await asyncio.gather(*map(one, urls))
        finally:
            await transport.aclose()


def _run(work: Coroutine[Any, Any, list[Fetched]]) -> list[Fetched]:
    """In a thread of its own where this one has a loop already."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _fetched(transport: httpx.AsyncBaseTransport, url: str) -> Fetched:
    try:
        async with asyncio.timeout(_SECONDS):
            return await _headed(transport, url) or await _followed(transport, "GET", url)
    except TimeoutError:
        return Fetched(url, trouble=f"no answer in {_SECONDS:g} seconds")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return Fetched(url, trouble=str(error) or type(error).__name__)


async def _headed(transport: httpx.AsyncBaseTransport, url: str) -> Fetched | None:
    """What HEAD answers; None where only GET tells, as of servers that do not know HEAD."""
    try:
        found = await _followed(transport, "HEAD", url)
    except (httpx.ReadError, httpx.RemoteProtocolError):
        return None
    has_no_size = found.content_type.startswith("image/") and not found.size
    return None if found.status >= 400 or has_no_size else found


async def _followed(transport: httpx.AsyncBaseTransport, method: str, url: str) -> Fetched:
    for _ in range(_REDIRECTS + 1):
        request = httpx.Request(
            method,
            url,
            headers=_FIELDS,
            extensions={"timeout": httpx.Timeout(_BETWEEN).as_dict()},
        )
        answer = await transport.handle_async_request(request)
        try:
            onward = answer.headers.get("location", "")
            if answer.status_code in _MOVED and onward:
                url = str(request.url.join(onward))
                if not _is_http(url):
                    return Fetched(url, trouble=f"it leads to {url[:80]}")
                continue
            size = await _size(answer, method)
        finally:
            await answer.aclose()
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Fetched(url, answer.status_code, content_type=kind, size=size)
    return Fetched(url, trouble=f"more than {_REDIRECTS} redirects")


async def _size(answer: httpx.Response, method: str) -> int:
    told = answer.headers.get("content-length", "")
    if told.isdecimal() or method == "HEAD":
        return int(told[:15]) if told.isdecimal() else 0
    size = 0
    async for piece in answer.aiter_raw():
        size += len(piece)
        if size >= _MOST:
            break
    return size


def _is_http(url: str) -> bool:
    return url.lower().startswith(("http://", "https://"))
