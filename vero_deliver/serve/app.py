"""The app: pixels, clicks, unsubscribing, mails in the browser, webhooks, and whether it is well.

Whatever a token does not say is not done: forged ones get a page, and change nothing. GET changes
nothing but counts: link scanners follow every link.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol

from vero_deliver.feedback import Feedback
from vero_deliver.feedback.machines import is_prefetched, machine_by_agent
from vero_deliver.rendered import ContentName
from vero_deliver.serve import page
from vero_deliver.serve.describing import OPENAPI
from vero_deliver.serve.http import Answer, Asgi, Receive, Scope, Send, form_of, headers_of, path_of
from vero_deliver.serve.words import Languages, Words
from vero_deliver.tracking import CLICK, LEAVE, OPEN, VIEW, Leaving, Tracking

CHANNEL: Final = "web"  # what feedback of ours calls it
_PIXEL: Final = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
_PATIENCE: Final = 2.0  # seconds for the store, before somebody's click goes on without it
_HTML: Final = "text/html; charset=utf-8"
_OWN: Final = ("healthz", "readyz", "openapi.json")
_PATHS: Final = {*_OWN, OPEN, CLICK, LEAVE, VIEW}
_GET, _POST = ("GET", "HEAD"), ("GET", "HEAD", "POST")

log = logging.getLogger("vero_deliver.serve")


class Consent(Protocol):
    """What the page of preferences asks of suppressions. Blocking; raises where the store fails."""

    def choose(
        self,
        content: ContentName,
        address: str,
        wanted: Mapping[str, bool],
        *,
        digest: str,
        source: str,
    ) -> None:
        """Note what somebody chose."""

    def topics(self, content: ContentName, address: str, *, digest: str) -> Mapping[str, bool]:
        """What they ever unsubscribed from, to whether it still is."""
        ...


class App:
    """Answers what links in mails lead to, and mounts the app of feedback at /feedback.

    take: keeps feedback; the same may come twice. consent: who wants what. mail: the HTML of a
    delivery, by the digest of its key; None where there is none. sent: whether that delivery was
    handed over; what is told of others, of a preview, is not kept. ready: raises where the store
    fails. topics: what may be left by itself, name to words. title: whose pages they are, in
    which of the languages the reader asks for.
    Without tracking there are only feedback and health.
    """

    def __init__(
        self,
        *,
        take: Callable[[Sequence[Feedback]], Awaitable[None]],
        ready: Callable[[], Awaitable[None]],
        tracking: Tracking | None = None,
        consent: Consent | None = None,
        mail: Callable[[str], Awaitable[str | None]] | None = None,
        sent: Callable[[str], Awaitable[bool]] | None = None,
        feedback: Asgi | None = None,
        topics: Mapping[str, str] | None = None,
        title: str = "",
        languages: Languages | None = None,
    ) -> None:
        self._take, self._ready, self._tracking = take, ready, tracking
        self._consent, self._mail, self._feedback = consent, mail, feedback
        self._sent = sent
        self._topics, self._title = dict(topics or {}), title
        self._languages = languages or Languages()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI 3."""
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        first, _, rest = path_of(scope).partition("/")
        began = time.monotonic()
        if first == "feedback" and self._feedback is not None:
            below = {**scope, "path": f"/{rest}", "raw_path": None, "root_path": ""}
            await self._feedback(below, receive, send)
            return
        answer = await self._answer(first, rest, scope, receive)
        took = 1000 * (time.monotonic() - began)
        shown = first if first in _PATHS else "..."  # anybody may ask for anything
        log.info("%s /%s %d %.0f ms", scope["method"], shown, answer.status, took)
        await answer.send(send, with_body=scope["method"] != "HEAD")

    async def _answer(self, first: str, rest: str, scope: Scope, receive: Receive) -> Answer:
        method, words = scope["method"], self._words(scope)
        if first in _OWN and not rest:
            return await self._own(first) if method in _GET else _not_allowed(_GET)
        tracking = self._tracking
        if tracking is None or first not in (OPEN, CLICK, LEAVE, VIEW):
            return self._nothing(words)
        allowed = _POST if first == LEAVE else _GET
        if method not in allowed:
            return _not_allowed(allowed)
        try:
            if first == OPEN:
                return await self._open(tracking.opened(rest.removesuffix(".gif")), scope)
            if first == CLICK:
                return await self._click(*tracking.clicked(rest), scope)
            if first == VIEW:
                return await self._view(tracking.viewed(rest), words)
            return await self._leave(tracking.leaving(rest), words, scope, receive)
        except ValueError:  # forged, cut off, of another purpose or environment
            if first == OPEN:
                return _pixel()
            return self._nothing(words)

    async def _own(self, name: str) -> Answer:
        if name == "openapi.json":
            return Answer(200, json.dumps(OPENAPI).encode(), "application/json")
        if name == "readyz":
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._ready()
            except Exception:  # whatever it is, it is not ready
                log.exception("not ready")
                return Answer(503, b"the outbox cannot be reached\n")
        return Answer(200, b"ok\n")

    async def _open(self, delivery: str, scope: Scope) -> Answer:
        if scope["method"] == "GET":
            await self._count("opened", delivery, scope)
        return _pixel()

    async def _click(self, delivery: str, url: str, scope: Scope) -> Answer:
        if scope["method"] == "GET":
            await self._count("clicked", delivery, scope, url)
        return Answer(302, headers={"location": url})

    async def _count(self, kind: str, delivery: str, scope: Scope, url: str = "") -> None:
        """Keep it, once a minute; where that fails they still get the picture, or get there."""
        headers = headers_of(scope)
        agent = headers.get("user-agent", "")[:500]
        machine = True if is_prefetched(headers) else machine_by_agent(agent)
        now = datetime.now(UTC)
        # whoever asks again and again does not fill the outbox
        same = f"{kind} {delivery} {machine} {now:%Y-%m-%d %H:%M} {url}"
        seen = Feedback(
            kind="clicked" if kind == "clicked" else "opened",
            channel=CHANNEL,
            id=hashlib.sha256(same.encode()).hexdigest()[:24],
            at=now,
            digest=delivery,
            url=url,
            user_agent=agent,
            machine=machine,
        )
        try:
            async with asyncio.timeout(_PATIENCE):
                if self._sent is None or await self._sent(delivery):
                    await self._take([seen])
        except Exception:  # logged whole
            log.exception("not counted: %s of %s", kind, delivery)

    async def _view(self, delivery: str, words: Words) -> Answer:
        html = await self._mail(delivery) if self._mail is not None else None
        if html is None:
            text = "This email can no longer be shown here."
            return self._page(410, page.notice(self._title, "No longer here", text, words))
        headers = {"content-security-policy": page.MAIL_CSP}
        return Answer(200, html.encode("utf-8", "replace"), _HTML, headers)

    async def _leave(self, who: Leaving, words: Words, scope: Scope, receive: Receive) -> Answer:
        if self._consent is None:
            return self._nothing(words)
        try:
            if scope["method"] != "POST":
                return self._page(200, await self._preferences(who, words, saved=False))
            form = await form_of(receive, headers_of(scope).get("content-type", ""))
            if isinstance(form, Answer):
                return form
            return await self._chosen(who, words, form)
        except Exception:  # logged whole; whoever asked has to ask again
            log.exception("a choice was not kept")
            text = "Your choice could not be saved. Please try again in a few minutes."
            answer = page.notice(self._title, "Not saved", text, words)
            return self._page(503, answer, {"retry-after": "120"})

    async def _chosen(self, who: Leaving, words: Words, form: Mapping[str, list[str]]) -> Answer:
        # RFC 8058 section 3.1: one click, and nothing is asked
        if form.get("List-Unsubscribe") == ["One-Click"]:
            await self._choose(who, {who.topic: False})
            return Answer(200, b"unsubscribed\n")
        wanted = set(form.get("wanted", []))
        match form.get("do"):
            case ["none"]:
                choice = dict.fromkeys(await self._known(who), False)
            case ["save"]:
                choice = {topic: topic in wanted for topic in await self._known(who)}
            case _:
                return Answer(400, b"say List-Unsubscribe=One-Click, or use the page\n")
        choice[""] = any(choice.values())  # without it what they have chosen now would not come
        await self._choose(who, choice)
        return self._page(200, await self._preferences(who, words, saved=True))

    async def _choose(self, who: Leaving, choice: Mapping[str, bool]) -> None:
        assert self._consent is not None  # noqa: S101  # _leave has looked
        about = {"digest": who.address, "source": f"{CHANNEL} {who.delivery}"}
        await asyncio.to_thread(self._consent.choose, "email", "", choice, **about)
        told = [
            Feedback(
                kind="resubscribed" if yes else "unsubscribed",
                channel=CHANNEL,
                id=secrets.token_hex(12),
                at=datetime.now(UTC),
                digest=who.delivery,
                topic=topic,
            )
            for topic, yes in choice.items()
            if not yes or topic
        ]
        await self._take(told)

    async def _known(self, who: Leaving) -> dict[str, bool]:
        """Topics that may be chosen, to whether each is wanted now; "" where there are none."""
        assert self._consent is not None  # noqa: S101  # as above
        left = await asyncio.to_thread(self._consent.topics, "email", "", digest=who.address)
        names = dict.fromkeys([*self._topics, *filter(None, (who.topic, *left))])
        everything = left.get("", False)
        if not names:
            return {"": not everything}
        return {name: not everything and not left.get(name, False) for name in names}

    async def _preferences(self, who: Leaving, words: Words, *, saved: bool) -> bytes:
        shown = {
            name: (self._topics.get(name) or name or "News and offers", wanted)
            for name, wanted in (await self._known(who)).items()
        }
        return page.preferences(self._title, shown, words, saved=saved)

    def _words(self, scope: Scope) -> Words:
        return self._languages.of(headers_of(scope).get("accept-language", ""))

    def _nothing(self, words: Words) -> Answer:
        text = "This link leads nowhere. It may have been cut off on its way to you."
        return self._page(404, page.notice(self._title, "Nothing here", text, words))

    @staticmethod
    def _page(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        return Answer(status, body, _HTML, {"content-security-policy": page.CSP, **(headers or {})})


def _pixel() -> Answer:
    return Answer(200, _PIXEL, "image/gif")


def _not_allowed(methods: Sequence[str]) -> Answer:
    return Answer(405, headers={"allow": ", ".join(methods)})
