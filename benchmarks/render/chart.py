"""The whole messages as horizontal bars, for the README."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.render import naive, node, ours
from benchmarks.render.case import module
from benchmarks.render.parts import ALL

BARS = {  # what the rows of whole messages are called here
    ours.OURS: "Vero Deliver",
    node.BOTH: "Node: Handlebars + nodemailer\n(HTML compiled beforehand)",
    ALL: "Vero Deliver's renderer with\ninscriptis, EmailMessage, dkimpy",
    naive.CSS_INLINE: "Python: Jinja, MJML, css-inline,\nEmailMessage, dkimpy",
    naive.PREMAILER: "Python: Jinja, MJML, premailer,\nEmailMessage, dkimpy",
}
TITLE = "Receipts per second on one core"
SUBTITLE = (
    "Each with 10 lines: 22 kB of HTML from MJML, text part, MIME, DKIM with RSA-2048. "
    "Longer is better."
)
INK, QUIET, GREY, OWN, LIMIT = "#1f2933", "#52606d", "#a9b4c0", "#0b7a75", "#c2410c"
WIDTH, HEIGHT, DOTS = 8.0, 4.0, 200  # inches, and dots per inch: sharp at 800 px


def draw(document: dict[str, Any], path: Path) -> None:
    """Messages per second and core; what could not be measured has no bar. Raises Unavailable."""
    times = {row["name"]: row["us"] for row in document["rows"]}
    bars = {label: 1e6 / times[name] for name, label in BARS.items() if times.get(name)}
    limit = 1e6 / document["rsa2048_us"]
    module("matplotlib", "matplotlib").use("agg")
    plt: Any = module("matplotlib.pyplot", "matplotlib")
    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 9.5, "text.color": INK})
    figure, axes = plt.subplots(figsize=(WIDTH, HEIGHT), layout="constrained")
    colors = [OWN if label == BARS[ours.OURS] else GREY for label in bars]
    drawn = axes.barh(list(bars), list(bars.values()), color=colors, height=0.66)
    axes.bar_label(drawn, [f"{value:,.0f}" for value in bars.values()], padding=4, weight="bold")
    axes.axvline(limit, color=LIMIT, linewidth=1.2, linestyle=(0, (4, 3)))
    axes.text(
        limit, len(bars) - 0.45, f"RSA-2048 signing alone: {limit:,.0f} ", color=LIMIT, ha="right",
        va="bottom", size=8.5,
    )  # fmt: skip
    axes.set_xlim(0, limit * 1.04)
    axes.set_ylim(len(bars) - 0.1, -0.6)
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelcolor=INK)
    axes.set_xticks([])
    figure.text(0.015, 0.93, TITLE, weight="bold", size=12.5)
    figure.text(0.015, 0.87, SUBTITLE, color=QUIET, size=8.8)
    figure.get_layout_engine().set(rect=(0.012, 0.0, 0.976, 0.84))
    figure.savefig(path, dpi=DOTS, metadata={"Software": None})
    plt.close(figure)
