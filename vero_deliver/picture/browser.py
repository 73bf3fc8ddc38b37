"""Pictures of HTML, made by the browser of this machine: scripts and network off."""

from __future__ import annotations

import base64
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self

from vero_deliver.errors import PictureError
from vero_deliver.picture.chromium import find_chromium
from vero_deliver.picture.pipe import Message, Pipe, Session

_URL: Final = "https://message.invalid/"  # answered by us, whatever else is asked for is not
_POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data:; sandbox"
)
_LARGEST: Final = 16384  # pixels of a side, which is what its graphics can do


@dataclass(frozen=True, slots=True)
class Look:
    """How to look at it.

    width: of the window, in CSS pixels; the height is that of the email. scale: device pixels of
    one CSS pixel; less where the picture would have a side above 16,384 pixels. dark: whether the
    reader prefers dark.
    """

    width: int = 640
    scale: float = 2
    dark: bool = False


class Browser:
    """Starts with its first picture, and again where it has ended. Threads may share it.

    program: the browser, else the one that is found. timeout: seconds for one picture.
    """

    def __init__(self, program: str = "", *, timeout: float = 30.0) -> None:
        self._program = program
        self.timeout = timeout
        self._lock = threading.Lock()
        self._pipe: Pipe | None = None

    def png(self, html: str, look: Look = Look(), *, script: str = "") -> bytes:
        """The picture of an HTML document; the same bytes whenever this browser makes it.

        Images are shown where they are data: URLs. script: an expression of ours to be run in the
        document before; it runs none of its own. Raises ConfigError where there is no browser,
        PictureError where it ends or takes too long; it is then started anew for the next one.
        """
        deadline = time.monotonic() + self.timeout
        while True:
            pipe, is_new = self._running()
            try:
                return _Tab(pipe, html, look, script, deadline).picture()
            except PictureError:
                ended_before = pipe.is_gone and not is_new  # and not by this picture
                self._forget(pipe)
                if not ended_before:
                    raise

    def close(self) -> None:
        """End the browser. Idempotent."""
        with self._lock:
            pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _running(self) -> tuple[Pipe, bool]:
        """The browser, and whether it was started just now."""
        with self._lock:
            is_new = self._pipe is None
            if self._pipe is None:
                self._pipe = Pipe(self._program or find_chromium())
            return self._pipe, is_new

    def _forget(self, pipe: Pipe) -> None:
        with self._lock:
            if self._pipe is pipe:
                self._pipe = None
        pipe.close()


class _Tab:
    """One tab for one picture."""

    def __init__(self, pipe: Pipe, html: str, look: Look, script: str, deadline: float) -> None:
        self._browser, self._tab = Session(pipe), Session(pipe)
        self._tab.on_event = self._event
        self._html, self._look, self._script, self._deadline = html, look, script, deadline
        self._served = self._loaded = False

    def picture(self) -> bytes:
        profile = self._browser.call("Target.createBrowserContext", self._deadline)
        context = profile["browserContextId"]
        tab = self._browser.call(
            "Target.createTarget", self._deadline, url="about:blank", browserContextId=context
        )
        self._tab.attach(tab["targetId"], self._deadline)
        try:
            self._prepare()
            self._load()
            self._run()
            return self._capture()
        finally:
            self._tab.detach()
            with suppress(PictureError):  # where it hangs, it is ended as a whole
                self._browser.send(
                    "Target.disposeBrowserContext", self._deadline, browserContextId=context
                )

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._tab.call(method, self._deadline, **params)

    def _prepare(self) -> None:
        look = self._look
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=look.width,
            height=1,  # else a short email is padded to the window
            deviceScaleFactor=look.scale,
            mobile=False,
        )
        scheme = "dark" if look.dark else "light"
        self._call(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ],
        )
        self._call("Emulation.setScriptExecutionDisabled", value=not self._script)
        self._call("Animation.enable")
        self._call("Animation.setPlaybackRate", playbackRate=0)
        self._call("Page.enable")
        self._call("Fetch.enable", patterns=[{"urlPattern": "*"}])

    def _load(self) -> None:
        self._tab.send("Page.navigate", self._deadline, url=_URL)
        while not self._loaded:
            self._tab.next(self._deadline, "load")

    def _run(self) -> None:
        if self._script:
            done = self._call("Runtime.evaluate", expression=self._script, awaitPromise=True)
            if "exceptionDetails" in done:
                raise PictureError(f"the script failed: {done['result'].get('description')}")

    def _event(self, event: Message) -> None:
        params = event["params"]
        match event["method"]:
            case "Page.loadEventFired":
                self._loaded = True
            case "Inspector.targetCrashed":
                raise PictureError("the browser's tab crashed")
            case "Fetch.requestPaused" if not self._served and params["request"]["url"] == _URL:
                self._served = True
                self._tab.send(
                    "Fetch.fulfillRequest",
                    self._deadline,
                    requestId=params["requestId"],
                    responseCode=200,
                    responseHeaders=[
                        {"name": "Content-Type", "value": "text/html; charset=utf-8"},
                        {"name": "Content-Security-Policy", "value": _POLICY},
                    ],
                    body=base64.b64encode(self._html.encode("utf-8", "replace")).decode(),
                )
            case "Fetch.requestPaused":  # "Aborted" keeps the page where it was to be left
                self._tab.send(
                    "Fetch.failRequest",
                    self._deadline,
                    requestId=params["requestId"],
                    errorReason="Aborted",
                )
            case _:
                pass

    def _capture(self) -> bytes:
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        width, height = max(self._look.width, size["width"]), max(1, size["height"])
        longest = max(width, height) * self._look.scale
        shot = self._call(
            "Page.captureScreenshot",
            format="png",
            captureBeyondViewport=True,
            clip={
                "x": 0, "y": 0, "width": width, "height": height,
                "scale": min(1.0, _LARGEST / longest),
            },
        )  # fmt: skip
        return base64.b64decode(shot["data"])
