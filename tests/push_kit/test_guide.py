"""push_guide/README.md has everything that a driver can say, and names files that are there."""

from __future__ import annotations

import re

import pytest
from push_golden import GUIDE

from vero_channels.transport.apns_reasons import REASONS
from vero_channels.transport.fcm_errors import CODES
from vero_deliver.registry import DRIVERS

TEXT = (GUIDE / "README.md").read_text("utf-8")
TROUBLE = TEXT[TEXT.index("## When nothing arrives") :]


@pytest.mark.parametrize("code", [*REASONS, *CODES])
def test_every_code_is_explained(code: str) -> None:
    """Each reason of Apple's and each code of Google's has a row that says what to do."""
    assert re.search(rf"^\|[^|]*`{code}`[^|]*\|[^|]+\|[^|]+\|$", TROUBLE, re.MULTILINE)


def test_quoted_errors_are_said() -> None:
    """What the table quotes are the words of a driver."""
    folders = ("channels/vero_channels", "vero_deliver/routes")
    files = [path for folder in folders for path in (GUIDE.parent / folder).rglob("*.py")]
    sources = "".join(path.read_text("utf-8") for path in files)
    for quoted in re.findall(r'"([^"]+)"', TROUBLE.replace("N bytes", "")):
        assert quoted in sources, quoted


def test_every_push_driver_is_set_up() -> None:
    """The guide has each driver that carries push to a device."""
    drivers = {name for name, driver in DRIVERS.items() if ".push." in driver.target}
    assert set(re.findall(r'driver = "([\w-]+)"', TEXT)) == drivers


def test_every_handler_is_linked() -> None:
    """A file that is to be copied is named in the guide."""
    skipped = {"Package.swift", "PushPayloadTests.swift"}
    for path in GUIDE.rglob("*"):
        if path.suffix in (".kt", ".swift", ".js", ".xml", ".md") and path.name not in skipped:
            folder = path.parent.relative_to(GUIDE).as_posix()
            parts = {path.relative_to(GUIDE).as_posix(), folder, "ios/VeroPush", "README.md"}
            assert any(f"({part})" in TEXT or path.name == part for part in parts), path
