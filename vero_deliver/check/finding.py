"""What a rule finds, and what the engine makes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from vero_deliver.check.dom import Element
    from vero_deliver.check.shown import Shown

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where the author wrote it.

    file: as errors name it, below the folder that holds messages/. line, column: from 1; 0 where
    that is not known. near: the line is of what stands around it, or of the compiled HTML where
    `file` says so.
    """

    file: str
    line: int = 0
    column: int = 0
    near: bool = False

    def __str__(self) -> str:
        return ":".join(map(str, filter(None, (self.file, self.line, self.column))))


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that a rule found, for one sample or for the message.

    text: the same for every sample, so that they are grouped; what differs stands in `detail`.
    on: what it was seen on; None for the message itself.
    at: an element of `on.page`, a field of the content ("subject"), or a place.
    hint: what to do. part: makes `client/css` the finding `client/css-grid`.
    severity: where it is another one than the rule's. sample: its label, where there is no `on`.
    """

    text: str
    on: Shown[Any] | None = None
    at: Element | Place | str | None = None
    detail: str = ""
    hint: str = ""
    part: str = ""
    severity: Severity | None = None
    sample: str = ""

    @property
    def who(self) -> str:
        """The label of the sample that it was seen for; empty for the message."""
        return self.on.sample.label if self.on else self.sample


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a message, in one place of its source.

    rule: "links/https"; name: with the hit's part, "client/css-grid".
    samples: who it was seen for, of so many; empty where it is of the message itself.
    """

    rule: str
    name: str
    severity: Severity
    text: str
    place: Place
    message: str
    samples: tuple[str, ...] = ()
    of: int = 0
    detail: str = ""
    hint: str = ""

    @property
    def who(self) -> str:
        """ "ada", "ada and jana", "3 of 40 users"; empty where it is everybody."""
        if not self.samples or len(self.samples) == self.of > 1:
            return ""
        if len(self.samples) <= 2:
            return " and ".join(self.samples)
        return f"{len(self.samples)} of {self.of} users"


@dataclass(frozen=True, slots=True)
class Report:
    """What `check` found, by message and place.

    root: what the files of places are below. messages, samples: how many were looked at, each
    user once for every message.
    """

    root: Path
    findings: tuple[Finding, ...] = ()
    messages: int = 0
    samples: int = 0

    def counted(self) -> Mapping[Severity, int]:
        """How many findings of each severity."""
        return Counter(finding.severity for finding in self.findings)

    def line(self, place: Place) -> str:
        """The author's line at that place; empty where there is none."""
        try:
            lines = (self.root / place.file).read_text(encoding="utf-8-sig").splitlines()
        except (OSError, ValueError):
            return ""
        return lines[place.line - 1] if 0 < place.line <= len(lines) else ""

    def fails(self, at: Severity) -> bool:
        """Whether there is a finding of that severity or a worse one."""
        worse = ("error", "warning", "info")
        return any(worse.index(f.severity) <= worse.index(at) for f in self.findings)
