"""How long `vero-deliver check` of the examples takes, in a process of its own, all samples."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROUNDS = 5
LIMIT = 2.0  # seconds, on a quiet machine
EXAMPLES = Path(__file__).parents[1] / "examples"
COMMAND = [str(Path(sys.executable).with_name("vero-deliver")), "-C", str(EXAMPLES), "check"]


def seconds() -> float:
    """Wall time of one run, which finds nothing that fails it."""
    started = time.perf_counter()
    subprocess.run(COMMAND, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Print the median; with --json a document."""
    found = median(seconds() for _ in range(ROUNDS))
    if "--json" in sys.argv:
        print(json.dumps({"check_examples_s": round(found, 3), "limit_s": LIMIT}))
    else:
        print(f"check of the examples: {found:.2f} s (limit {LIMIT:.0f} s)")


if __name__ == "__main__":
    main()
