"""How long `import vero_deliver` and `vero-deliver --help` take, beside an empty interpreter."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROUNDS = 15
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import vero_deliver": [sys.executable, "-c", "import vero_deliver"],
    "import of every public name": [sys.executable, "-c", "from vero_deliver import *"],
    "vero-deliver --help": [str(Path(sys.executable).with_name("vero-deliver")), "--help"],
}
LIMITS = {"import vero_deliver": 150.0, "vero-deliver --help": 120.0}  # ms, on a quiet machine


def milliseconds(command: list[str]) -> float:
    """Wall time of one run of a command."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - started) * 1_000


def main() -> None:
    """Print the medians; rounds are interleaved, so that noise falls on all alike."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            times[name].append(milliseconds(command))
    empty = median(times["python -c pass"])
    print(f"{'start-up, median of ' + str(ROUNDS):32}{'ms':>8}{'x empty':>9}{'limit':>8}")
    for name, runs in times.items():
        limit = f"{LIMITS[name]:.0f}" if name in LIMITS else ""
        print(f"{name:32}{median(runs):8.1f}{median(runs) / empty:9.1f}{limit:>8}")


if __name__ == "__main__":
    main()
