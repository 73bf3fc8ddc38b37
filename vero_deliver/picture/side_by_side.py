"""Two pictures side by side, with marks where they differ."""

from __future__ import annotations

import base64
from importlib.resources import files
from typing import Final

from vero_deliver.picture.browser import Browser, Look

_PAGE: Final = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; padding: 12px; display: flex; gap: 12px; align-items: flex-start;
  background: #8a8f98; width: max-content }
figure { margin: 0; position: relative; line-height: 0; background: #fff }
i { position: absolute; box-sizing: border-box; border: 2px solid #d6006c;
  background: rgb(214 0 108 / 12%); border-radius: 3px }
</style>"""


def side_by_side(browser: Browser, before: bytes, after: bytes, *, scale: float = 2) -> bytes:
    """One PNG of two. scale: device pixels of one CSS pixel in them. Errors as Browser.png.

    What is new, gone or other is marked on either side; what only moved up or down is not.
    """
    figures = "".join(
        f'<figure><img src="data:image/png;base64,{base64.b64encode(png).decode()}"></figure>'
        for png in (before, after)
    )
    script = (files("vero_deliver.picture") / "side_by_side.js").read_text(encoding="utf-8")
    return browser.png(_PAGE + figures, Look(100, scale), script=f"({script})({scale})")
