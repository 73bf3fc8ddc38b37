"""For people: each finding with the author's line, or on one line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from vero_deliver.check.finding import Finding, Place, Report, Severity
from vero_deliver.reading import display

Paint = Callable[[str, str], str]  # text and colour

_WIDTH: Final = 88  # columns of an excerpt
_COLOURS: Final[dict[Severity, str]] = {"error": "red", "warning": "yellow", "info": "cyan"}


def plain(text: str, colour: str) -> str:
    """No colour."""
    del colour
    return text


def full(report: Report, paint: Paint = plain, clean: Callable[[str], str] = str) -> str:
    """Each finding with its place, the line there and what to do; a sum at the end.

    clean: what becomes of text that is not ours.
    """
    blocks = ["\n".join(_block(report, finding, paint, clean)) for finding in report.findings]
    return "\n\n".join([*blocks, _sum(report)]) + "\n"


def concise(report: Report) -> str:
    """A line for each finding, as compilers write them."""
    lines = (f"{shown(report, f.place)}: {f.severity} {f.name} {words(f)}" for f in report.findings)
    return "\n".join([*lines, _sum(report)]) + "\n"


def statistics(report: Report) -> str:
    """How many findings each rule has, most first."""
    counted = Counter((f.name, f.severity) for f in report.findings)
    rows = [f"{count:>5}  {severity:<7}  {name}" for (name, severity), count in _by_count(counted)]
    return "\n".join([*rows, _sum(report)]) + "\n"


def words(finding: Finding) -> str:
    """What is wrong, and for whom."""
    detail = f": {finding.detail}" if finding.detail else ""
    who = f" ({finding.who})" if finding.who else ""
    return " ".join(f"{finding.text}{detail}{who}".split())


def shown(report: Report, place: Place) -> str:
    """The place as it would be typed, from the working directory."""
    path = display(report.root / place.file)
    return ":".join([path, *(str(n) for n in (place.line, place.column) if n)])


def _block(
    report: Report, finding: Finding, paint: Paint, clean: Callable[[str], str]
) -> Iterator[str]:
    colour, place = _COLOURS[finding.severity], finding.place
    yield f"{paint(f'{finding.severity} {finding.name}', colour)} {clean(words(finding))}"
    line = report.line(place)
    margin = " " * len(str(place.line)) if line else ""
    yield f"{margin} --> {clean(shown(report, place))}{' (near)' if place.near else ''}"
    if line:
        excerpt, caret = _excerpt(line, place.column)
        yield f"{margin} |"
        yield f"{place.line} | {clean(excerpt)}"
        if place.column:
            yield f"{margin} | {' ' * caret}{paint('^', colour)}"
    if finding.hint:
        yield f"{margin} = {clean(finding.hint)}"


def _excerpt(line: str, column: int) -> tuple[str, int]:
    """What of a line is shown, and how many blanks stand before its caret."""
    text = line.replace("\t", " ").rstrip()
    at = column - 1 if column else len(text) - len(text.lstrip())
    if len(text) <= _WIDTH:
        return text, at
    begin = max(0, min(at - _WIDTH // 3, len(text) - _WIDTH))
    before, after = "…" if begin else "", "…" if begin + _WIDTH < len(text) else ""
    return f"{before}{text[begin : begin + _WIDTH]}{after}", at - begin + len(before)


def _sum(report: Report) -> str:
    counted = report.counted()
    looked = f"in {_many(report.messages, 'message')} with {_many(report.samples, 'sample')}"
    if not report.findings:
        return f"Nothing found {looked}."
    kinds: tuple[Severity, ...] = ("error", "warning", "info")
    parts = [_many(counted[kind], kind) for kind in kinds if counted.get(kind)]
    return f"{', '.join(parts)} {looked}."


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 or noun == "info" else f"{count} {noun}s"


def _by_count(counted: Counter[tuple[str, Severity]]) -> list[tuple[tuple[str, Severity], int]]:
    return sorted(counted.items(), key=lambda row: (-row[1], row[0]))
