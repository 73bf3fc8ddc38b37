"""The studio as an ASGI application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from vero_deliver.errors import RenderError, VeroDeliverError
from vero_deliver.picture.dark import by_media_query, forced_dark
from vero_deliver.picture.gmail import gmail
from vero_deliver.picture.views import embedded, of_text
from vero_deliver.studio.drawing import Drawing, look_of
from vero_deliver.studio.guard import Guard, frame_policy, page_policy
from vero_deliver.studio.live import Live
from vero_deliver.studio.made import Made
from vero_deliver.studio.panes import sent
from vero_deliver.studio.state import State
from vero_deliver.studio.workspace import Workspace

_HERE: Final = Path(__file__).parent


class Studio:
    """The endpoints. Each reads the project as it is on disk; none changes anything."""

    def __init__(self, workspace: Workspace, live: Live) -> None:
        self.workspace, self.live = workspace, live
        pages = Environment(
            loader=FileSystemLoader(_HERE / "pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._drawing = Drawing(pages, workspace, live)

    def page(self, request: Request) -> Response:
        """One message, one person, one tab."""
        state = State.of(request.query_params)
        return HTMLResponse(
            self._drawing.page(state),
            headers={"content-security-policy": page_policy(images=bool(state.images))},
        )

    def findings(self, request: Request) -> Response:
        """How many findings the lints have for a message: "2 errors"; empty for none."""
        state = State.of(request.query_params)
        try:
            counted = self.workspace.read().report(state.message).counted()
        except VeroDeliverError:
            return PlainTextResponse("!")
        serious = counted.get("error", 0) + counted.get("warning", 0)
        return PlainTextResponse(str(serious or ""))

    def frame(self, request: Request) -> Response:
        """The HTML part as it is sent, but for its own images; or as a client would show it."""
        state = State.of(request.query_params)
        try:
            if state.file:
                return _framed(sent.html_of(self._captured(state)), state)
            email = self._made(state).email
        except VeroDeliverError as error:
            return _framed("", state, status=404 if state.file else 422, detail=str(error))
        if email is None:
            return _framed("", state, status=404)
        html = email.html or of_text(email.text)
        if state.client == "gmail":
            html = gmail(html)
        if state.scheme == "forced":
            html = forced_dark(html)
        elif _needs_rewriting(request):
            html = by_media_query(html, "dark" if state.scheme == "dark" else "light")
        return _framed(embedded(html, email.attachments), state)

    def eml(self, request: Request) -> Response:
        """The email's bytes, or those of a captured file, to keep."""
        state = State.of(request.query_params)
        try:
            if state.file:
                raw, name = self._captured(state), state.file
            else:
                made = self._made(state)
                item = made.first("email")
                raw = item.raw if item else b""
                name = f"{made.message.id}-{made.person.id}.eml"
        except VeroDeliverError as error:
            return PlainTextResponse(f"{error}\n", 422)
        if not raw:
            return PlainTextResponse("There is no email.\n", 404)
        kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.@") else "_" for c in name)
        return Response(
            raw,
            media_type="message/rfc822",
            headers={"content-disposition": f'attachment; filename="{kept}"'},
        )

    async def events(self, request: Request) -> Response:
        """Whatever is saved, as server-sent events."""
        del request
        return StreamingResponse(self.live.events(), media_type="text/event-stream")

    def _made(self, state: State) -> Made:
        made = look_of(self.workspace.read(), state).made
        if made is None:
            raise RenderError("there is nobody to make it for")
        return made

    def _captured(self, state: State) -> bytes:
        raw = sent.read(self.workspace.read().project, state.file)
        if raw is None:
            raise RenderError(f"there is no captured file {state.file!r}")
        return raw


def application(workspace: Workspace, *, hosts: Collection[str], live: Live) -> Starlette:
    """The studio. hosts: the values of Host, port included, that are answered."""
    studio = Studio(workspace, live)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        watching = asyncio.create_task(live.watch(workspace.places))
        yield
        live.stop()
        await asyncio.wait([watching], timeout=2.0)
        watching.cancel()

    return Starlette(
        routes=[
            Route("/", studio.page),
            Route("/frame", studio.frame),
            Route("/message.eml", studio.eml),
            Route("/findings", studio.findings),
            Route("/events", studio.events),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ],
        middleware=[Middleware(Guard, hosts=hosts)],
        lifespan=lifespan,
    )


def _needs_rewriting(request: Request) -> bool:
    """Safari does not tell a frame which colours its page has chosen for it."""
    agent = request.headers.get("user-agent", "")
    return "Safari/" in agent and "Chrome/" not in agent and "Chromium/" not in agent


def _framed(html: str, state: State, *, status: int = 200, detail: str = "") -> Response:
    headers: Mapping[str, Any] = {
        "content-security-policy": frame_policy(images=bool(state.images)),
        "content-type": "text/html; charset=utf-8" if not detail else "text/plain; charset=utf-8",
    }
    body = detail or html
    return Response(body.encode("utf-8", "replace"), status, headers=headers)
