"""The rows as a table and as one JSON object."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from benchmarks.render import ours
from benchmarks.render.naive import CSS_INLINE, PREMAILER

PACKAGES = (
    "vero-deliver", "cryptography", "jinja2", "mjml-python", "css-inline", "premailer",
    "inscriptis", "dkimpy", "minijinja", "django",
)  # fmt: skip
KEYS = {
    "rsa2048_us": ours.RSA,
    "receipt_dkim_us": ours.OURS,
    "receipt_nodkim_us": ours.NO_DKIM,
    "naive_premailer_us": PREMAILER,
    "naive_css_inline_us": CSS_INLINE,
}
RATIOS = {  # what is asked of them: at least, at most
    "rsa_share": ("rsa2048_us", "receipt_dkim_us", ">= 0.65"),
    "nodkim_share": ("receipt_nodkim_us", "rsa2048_us", "<= 0.55"),
    "premailer_ratio": ("naive_premailer_us", "receipt_dkim_us", ">= 150"),
    "css_inline_ratio": ("naive_css_inline_us", "receipt_dkim_us", ">= 30"),
}
ASKED = {**{name: asked for name, (*_, asked) in RATIOS.items()}, "two_process_speedup": ">= 1.8"}


@dataclass(frozen=True)
class Row:
    """One line of the table: microseconds, or why there are none."""

    name: str
    covers: str = ""
    base: str = ""
    us: float | None = None
    note: str = ""


def document(rows: Sequence[Row], more: dict[str, Any]) -> dict[str, Any]:
    """What --json prints; a figure that could not be had is null."""
    times = {row.name: row.us for row in rows}
    figures: dict[str, Any] = {key: times.get(name) for key, name in KEYS.items()}
    for name, (above, below, _) in RATIOS.items():
        has = figures[above] and figures[below]
        figures[name] = figures[above] / figures[below] if has else None
    listed = [
        {
            "name": row.name,
            "covers": row.covers,
            "us": row.us,
            "base": row.base,
            "ratio": ratio(row, times),
            "note": row.note,
        }
        for row in rows
    ]
    return {**figures, **more, "rows": listed, "versions": versions()}


def ratio(row: Row, times: dict[str, float | None]) -> float | None:
    """How many times the base row's cost this one's is."""
    base = times.get(row.base)
    return row.us / base if row.us and base else None


def table(document: dict[str, Any]) -> Iterator[str]:
    """Lines for people."""
    rows = document["rows"]
    wide = max(len(row["name"]) for row in rows)
    yield f"{'CPU time of one receipt, median':{wide}} {'us':>9}"
    for row in rows:
        if row["us"] is None:
            yield f"{row['name']:{wide}} {'-':>9}  {row['note']}"
            continue
        times = f"{_times(row['ratio'])} x {row['base']}" if row["ratio"] else ""
        yield f"{row['name']:{wide}} {row['us']:9.0f}  {times:40} {row['covers']}".rstrip()
    yield ""
    for name, asked in ASKED.items():
        value = document.get(name)
        shown = "-" if value is None else _times(value)
        yield f"{name:{wide}} {shown:>9}  asked {asked}"
    for name in ("rss_mb_1m", "rss_mb"):
        if name in document:
            yield f"{name:{wide}} {document[name]:9.1f}"


def _times(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def versions() -> dict[str, str]:
    """What was measured."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
