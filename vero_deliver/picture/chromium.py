"""The browser of this machine that makes pictures: where it is, and how it is started."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from vero_deliver.errors import ConfigError

VARIABLE: Final = "VERO_DELIVER_CHROME"

_NAMES: Final = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
    "chrome-headless-shell", "microsoft-edge", "microsoft-edge-stable", "msedge", "brave-browser",
)  # fmt: skip
_APPS: Final = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Chromium.app/Contents/MacOS/Chromium",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)

# the same bytes on every call, nothing sent anywhere, and nothing asked of the person
OPTIONS: Final = (
    "--headless",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # 64 MB in a container
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--disable-lcd-text",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--blink-settings=imageAnimationPolicy=2",  # the first frame of a GIF
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--password-store=basic",
    "--use-mock-keychain",
)


def find_chromium(environ: Mapping[str, str] = os.environ) -> str:
    """The program to start. Raises ConfigError where there is none.

    VERO_DELIVER_CHROME names it; else it is Chromium, Chrome or Edge, from PATH or, on macOS, from
    the applications.
    """
    chosen = environ.get(VARIABLE, "")
    if chosen:
        found = shutil.which(chosen, path=environ.get("PATH"))
        if found is None:
            raise ConfigError(f"{VARIABLE}={chosen}: there is no such program")
        return found
    for name in _NAMES:
        found = shutil.which(name, path=environ.get("PATH"))
        if found:
            return found
    for folder in (Path("/Applications"), Path.home() / "Applications"):
        for app in _APPS if sys.platform == "darwin" else ():
            if (folder / app).is_file():
                return str(folder / app)
    raise ConfigError(
        "pictures need Chromium, Google Chrome or Microsoft Edge, and none is on PATH: install "
        f"one (apt install chromium, brew install --cask chromium), or set {VARIABLE}=/path/to/it"
    )


def arguments(profile: str) -> list[str]:
    """The options of a start; profile: an empty folder."""
    # its sandbox does not start as root, which is who containers are
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return [*OPTIONS, *root, f"--user-data-dir={profile}", "about:blank"]
