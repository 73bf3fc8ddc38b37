"""Kill workers, disturb providers, count what went wrong: `python -m benchmarks.chaos`.

For each store one run: workers of several processes send over SMTP, two HTTP APIs and HTTP/2 push,
are killed at random, and some stand still for longer than their lease; providers refuse, put off,
drop the connection before and after they took a message, answer late or never. Then the providers'
own logs are compared with the outbox. Ends with 1 where anything was lost or doubled.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.chaos.run import Run, run

sys.path.append(str(Path(__file__).parents[2] / "tests"))

from postgres_server import postgres, programs

STORES = ("sqlite", "postgresql")


@contextmanager
def database(store: str, folder: str) -> Iterator[str]:
    """The URL of an empty one."""
    if store == "sqlite":
        yield f"sqlite:///{folder}/outbox.db"
        return
    with postgres() as url:
        yield url


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--workers", type=int, default=3, help="processes at a time")
    parser.add_argument("--store", choices=STORES, help="only this one")
    parser.add_argument("--seed", default="", help="of chance; another one each time if left out")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    given = parser.parse_args()
    seed = given.seed or str(random.SystemRandom().randrange(10**9))
    found: dict[str, Run] = {}
    for store in [given.store] if given.store else STORES:
        if store == "postgresql" and programs() is None:
            print("PostgreSQL is not installed", file=sys.stderr)
            continue
        with TemporaryDirectory() as folder, database(store, folder) as url:
            found[store] = run(
                url, Path(folder), deliveries=given.deliveries, kills=given.kills,
                workers=given.workers, seed=seed,
            )  # fmt: skip
    if given.json:
        print(json.dumps({"seed": seed, **{name: one.shown() for name, one in found.items()}}))
    else:
        print(f"seed {seed}")
        for name, one in found.items():
            print(f"{name}: {one.shown()}")
    return 1 if any(one.verdict.mistakes for one in found.values()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
