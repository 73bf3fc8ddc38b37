"""What pushing costs: `python -m benchmarks.push [--json] [--rounds N]`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as new_ec_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as new_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks.push import fields
from benchmarks.push.clients import CLIENTS
from benchmarks.push.job import PROJECT, Job
from benchmarks.push.server import GOAWAY_EVERY, Server, running
from benchmarks.render.case import Unavailable

FLIGHT = 200
COUNTS = {"vero": 20_000, "h2load": 50_000, "node_apn": 10_000, "firebase_admin_async": 1_000}
COUNT = 5_000  # of all others
RESTLESS = {"firebase_admin_async": 2_000}  # of the run with GOAWAY; COUNT of all others
GOALS = {"aioapns": 15.0, "node_apn": 5.0, "firebase_admin_async": 40.0, "h2load": 1 / 3}
"""How many times as many pushes a CPU second ours should send."""
Figures = dict[str, Any]


def write_accounts(server: Server) -> None:
    """The keys that clients sign with."""
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (server.folder / "apns.p8").write_bytes(new_ec_key(SECP256R1()).private_bytes(*form))
    account = {
        "type": "service_account", "project_id": PROJECT, "private_key_id": "0a1b",
        "private_key": new_rsa_key(65537, 2048).private_bytes(*form).decode(),
        "client_email": f"push@{PROJECT}.iam.gserviceaccount.com", "client_id": "1",
        "token_uri": f"https://localhost:{server.port}/token",
    }  # fmt: skip
    (server.folder / "account.json").write_text(json.dumps(account))


def done(job: Job) -> Figures:
    """What came of a job, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.push.clients", job.command()]
    found = subprocess.run(command, check=False, text=True, capture_output=True, timeout=300)
    if found.returncode:
        last = (found.stderr.strip().splitlines() or ["no word"])[-1]
        return {"note": f"it failed: {last[:200]}"}
    result: Figures = json.loads(found.stdout)
    return result


def through_goaway(server: Server, service: str, client: str) -> Figures:
    """Accepted, lost and doubled, at a server that goes away after every 1,000 requests."""
    count = RESTLESS.get(client, COUNT)
    server.arrived()
    found = done(Job(service, client, server.restless, count, FLIGHT, str(server.folder), True))
    if "note" in found:
        return {"accepted": None, "lost": None, "doubled": None, "note": found["note"]}
    arrived = server.arrived()
    if service == "apns":
        doubled = sum(times - 1 for times in arrived.values())
    else:  # without ids: more than were sent, beside the one that warms up
        doubled = max(0, arrived.total() - count - 1)
    accepted = found["accepted"]
    return {"accepted": accepted, "lost": count - accepted, "doubled": doubled}


def measure(server: Server, service: str, rounds: int) -> dict[str, Figures]:
    """Every client, in turns; figures are medians."""
    turns: dict[str, list[Figures]] = {client: [] for client in CLIENTS[service]}
    for _ in range(rounds):
        for client, results in turns.items():
            if results and "note" in results[-1]:
                continue
            count = COUNTS.get(client, COUNT)
            job = Job(service, client, server.port, count, FLIGHT, str(server.folder))
            result = done(job)
            if result.get("accepted", count) != count:  # it would be quick at failing
                result = {"note": f"only {result['accepted']} of {count} were accepted"}
            results.append(result)
    rows: dict[str, Figures] = {}
    for client, results in turns.items():
        notes = [each["note"] for each in results if "note" in each]
        good = [each for each in results if "note" not in each]
        row: Figures = dict.fromkeys(("per_s", "cpu_us", "accepted", "lost", "doubled"))
        if good:
            row["per_s"] = round(median(each["per_s"] for each in good), 1)
            row["cpu_us"] = round(median(each["cpu_us"] for each in good), 2)
            if client == "h2load":
                row["note"] = "knows no GOAWAY"
            else:
                row |= through_goaway(server, service, client)
        elif notes:
            row["note"] = notes[0]
        rows[client] = row
    return rows


def table(found: dict[str, dict[str, Figures]]) -> Iterator[str]:
    """Lines for people."""
    yield (
        f"{f'{FLIGHT} in flight, one connection':28}{'per s':>9}{'CPU us':>9}{'ours is':>10}"
        f"{'wanted':>8}   GOAWAY every {GOAWAY_EVERY}: accepted, lost, doubled"
    )
    for service, rows in found.items():
        own = rows["vero"]["cpu_us"]
        for client, row in rows.items():
            name = f"{service}: {client}"
            if row["cpu_us"] is None:
                yield f"{name:28}{'-':>9}   {row.get('note', '')}"
                continue
            times = f"{row['cpu_us'] / own:.2f} x" if own else "-"
            goal = f"{GOALS[client]:.2f}" if client in GOALS else ""
            fate = ", ".join(str(row[each]) for each in ("accepted", "lost", "doubled"))
            yield (
                f"{name:28}{row['per_s']:9.0f}{row['cpu_us']:9.1f}"
                f"{times:>10}{goal:>8}   {row.get('note', fate)}"
            )


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.push", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each client (default 3)")
    asked = parser.parse_args()
    try:
        with running() as server:
            write_accounts(server)
            found = {service: measure(server, service, asked.rounds) for service in CLIENTS}
    except Unavailable as missing:
        sys.exit(f"benchmarks.push: {missing}")
    if asked.json:
        print(json.dumps(found, indent=2))
        return
    print("\n".join(table(found)))
    block = fields.microseconds()
    print(f"\nheader block of a push: {block['ours']:.1f} us, by hpack {block['hpack']:.1f} us")


if __name__ == "__main__":
    main()
