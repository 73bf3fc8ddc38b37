"""Promise, kill, settle: one run over one database."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.chaos import worker
from benchmarks.chaos.lines import CONTENTS, LINES, MESSAGES, POLICY, USER, Place
from benchmarks.chaos.verdict import Verdict, judge
from vero_deliver import Outbox
from vero_deliver.desk.orders import Terms, orders
from vero_deliver.render import About
from vero_deliver.states import OPEN

BATCH = 250
SETTLE = 180.0  # seconds that what is left may take once nobody is killed any more
LOOKS = 10  # two seconds in which nothing changes
STILL = 1.0  # seconds without progress after which somebody is killed all the same
_CONTEXT = multiprocessing.get_context("forkserver")


@dataclass
class Run:
    """What happened. freezes: workers that stood still for longer than their lease."""

    verdict: Verdict = field(default_factory=Verdict)
    kills: int = 0
    freezes: int = 0
    seconds: float = 0.0

    def shown(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.verdict.shown(), "kills": self.kills, "freezes": self.freezes,
                "seconds": round(self.seconds, 1)}  # fmt: skip


def run(
    database: str, folder: Path, *, deliveries: int, kills: int, workers: int, seed: str,
    lease: float = 2.0,
) -> Run:  # fmt: skip
    """Send so many deliveries with so many kills. folder: for logs and certificates."""
    started = time.monotonic()
    done = Run()
    logs = {line: folder / f"{line}.log" for line in LINES}
    promised = {line: len(range(n, deliveries, len(LINES))) for n, line in enumerate(LINES)}
    with _providers(logs, seed, folder) as (ports, ca_file):
        place = Place(database, str(ca_file), ports, _p8(), lease)
        outbox = Outbox(database)
        outbox.create()
        sender = threading.Thread(target=promise, args=(database, promised))
        sender.start()
        with Crowd(place, workers, random.Random(seed)) as crowd:
            per_kill = 0.8 * deliveries / max(kills, 1)
            while done.kills < kills:
                crowd.wait(logs, per_kill)
                if done.kills % 10 == 9:
                    crowd.freeze()
                    done.freezes += 1
                crowd.kill()
                done.kills += 1
            sender.join()
            crowd.settle(database)
        done.verdict = judge(outbox, promised, logs)
        outbox.close()
    done.seconds = time.monotonic() - started
    return done


def promise(database: str, promised: dict[str, int]) -> None:
    """Record every delivery, some of them twice."""
    for first in range(0, max(promised.values()), BATCH):
        for line, many in promised.items():
            outbox = Outbox(database, env=line)
            terms = Terms.of(outbox.now(), choose="all", not_before=None, expires=POLICY.expires)
            message, batch = MESSAGES[line], []
            for n in range(first, min(first + BATCH, many)):
                about: About = {"key": f"{line}-{n}", "data": {"n": n}}
                batch += orders(message, USER, (CONTENTS[line],), about, terms)
            for again in range(1 + (first // BATCH) % 2):
                added = outbox.add(message, batch)
                assert len(added) == (0 if again else len(batch))
            outbox.close()


class Crowd:
    """Worker processes; whoever is killed is replaced."""

    def __init__(self, place: Place, many: int, chance: random.Random) -> None:
        self._place, self._chance = place, chance
        _CONTEXT.set_forkserver_preload(["benchmarks.chaos.worker"])
        self._all = [self._start() for _ in range(many)]
        self._frozen: dict[int, float] = {}  # by process id: until when
        self._seen = 0

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._all:
            one.kill()
            one.join()

    def wait(self, logs: dict[str, Path], messages: float) -> None:
        """Until the providers have seen so many more, about, or see nothing more."""
        wanted = self._chance.uniform(0.3, 1.7) * messages * 55  # octets of a line of a log
        deadline = time.monotonic() + STILL
        before = self._seen
        while True:
            self._thaw()
            size = sum(log.stat().st_size for log in logs.values() if log.exists())
            if size > self._seen:
                self._seen, deadline = size, time.monotonic() + STILL
            if size >= before + wanted or time.monotonic() > deadline:
                break
            time.sleep(0.005)
        time.sleep(self._chance.uniform(0, 0.02))

    def kill(self) -> None:
        """One of them, as kill -9 does."""
        at = self._chance.randrange(len(self._all))
        victim = self._all[at]
        assert victim.exitcode is None, "a worker ended by itself"
        victim.kill()
        victim.join()
        self._frozen.pop(victim.pid or 0, None)
        self._all[at] = self._start()

    def freeze(self) -> None:
        """Let one stand still until its leases are lost."""
        process = self._chance.choice(self._all).pid
        assert process
        os.kill(process, signal.SIGSTOP)
        self._frozen[process] = time.monotonic() + 1.5 * self._place.lease

    def settle(self, database: str) -> None:
        """Until everything has ended, or nothing more will."""
        deadline = time.monotonic() + SETTLE
        outboxes = [Outbox(database, env=line) for line in LINES]
        still = 0  # looks in a row that found nothing open
        while still < LOOKS and time.monotonic() < deadline:
            self._thaw()
            # who wakes up late may yet say that something was put off
            busy = self._frozen or any(set(one.count()) & set(OPEN) for one in outboxes)
            still = 0 if busy else still + 1
            time.sleep(0.2)
        for outbox in outboxes:
            outbox.close()
        for one in self._all:
            one.terminate()
            one.join(30)
            # one that has just begun does not know the signal yet
            assert one.exitcode in (0, -signal.SIGTERM), f"a worker ended with {one.exitcode}"

    def _thaw(self) -> None:
        for process, until in list(self._frozen.items()):
            if time.monotonic() > until:
                os.kill(process, signal.SIGCONT)
                del self._frozen[process]

    def _start(self) -> ForkServerProcess:
        process = _CONTEXT.Process(target=worker.main, args=(self._place,), daemon=True)
        process.start()
        return process


@contextmanager
def _providers(
    logs: dict[str, Path], seed: str, folder: Path
) -> Iterator[tuple[dict[str, int], Path]]:
    """Their ports by line, and the file of the authority that they are certified by."""
    authority = trustme.CA()
    certificate, ca_file = folder / "server.pem", folder / "ca.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    authority.cert_pem.write_to_path(ca_file)
    module = "benchmarks.chaos.providers"
    running = [
        subprocess.Popen(
            [sys.executable, "-m", module, line, seed, log, certificate],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[2],
        )
        for line, log in logs.items()
    ]
    try:
        ports = {}
        for line, process in zip(logs, running, strict=True):
            assert process.stdout
            ports[line] = int(process.stdout.readline())
        yield ports, ca_file
    finally:
        for process in running:
            process.kill()
            process.communicate()


def _p8() -> str:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
