"""What the lints find in the message, for all of its samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vero_deliver.studio.look import Look
from vero_deliver.studio.made import Made


def checks(look: Look, made: Made | None = None) -> Mapping[str, Any]:
    """The findings, the worst first."""
    del made
    report = look.reading.report(look.message.id)
    worse = ("error", "warning", "info")
    found = sorted(report.findings, key=lambda finding: worse.index(finding.severity))
    return {"report": report, "findings": found, "counted": report.counted()}
