"""What the lints find in the message, for all of its samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vero_deliver.studio.look import Look


def checks(look: Look) -> Mapping[str, Any]:
    """The findings, the worst first."""
    report = look.reading.report(look.message.id)
    worse = ("error", "warning", "info")
    found = sorted(report.findings, key=lambda finding: worse.index(finding.severity))
    return {"report": report, "findings": found, "counted": report.counted()}
