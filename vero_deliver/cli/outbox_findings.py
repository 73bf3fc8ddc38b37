"""What `doctor` finds about the outbox, and what comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from vero_deliver.cli.finding import Finding
from vero_deliver.errors import VeroDeliverError
from vero_deliver.project import Project

if TYPE_CHECKING:
    from vero_deliver.outbox.checkup import Checkup

_LATE: Final = 300.0  # seconds that a due delivery may wait
_SKEW: Final = 5.0  # seconds; a lease lasts sixty


def outbox_findings(project: Project) -> Iterator[Finding]:
    """Reachable, of this version, writable, worked off; channels that rest. None without one."""
    if project.settings.outbox is None:
        return
    try:
        outbox = project.outbox()
        assert outbox is not None  # noqa: S101  # the settings have it
        from vero_deliver.outbox.checkup import checkup  # an extra

        found = checkup(outbox)
        outbox.close()
    except VeroDeliverError as error:
        yield Finding("problem", "outbox", str(error))
        return
    problems = [*_storage(found), *_work(found)]
    yield from problems
    if not problems:
        due, oldest = found.backlog
        waiting = f"{due} due, the first for {oldest:.0f} s" if due else "nothing due"
        senders = f"; {len(found.senders)} at work" if found.senders else ""
        yield Finding("ok", "outbox", f"{outbox}: writable; {waiting}{senders}")
    for rest in found.resting:
        until = rest.until.isoformat(sep=" ", timespec="seconds")
        detail = f"left alone until {until}: {rest.reason or 'it failed again and again'}"
        yield Finding("problem", f"channel {rest.channel}", detail)


def web_findings(project: Project) -> Iterator[Finding]:
    """The links that come back to `serve`, and each reader of feedback, made."""
    tracking = project.settings.tracking
    if tracking is not None:
        try:
            project.tracking()
        except VeroDeliverError as error:
            yield Finding("problem", "tracking", str(error))
        else:
            signed = (
                "signed with the first of the secrets" if len(tracking.secrets) > 1 else "signed"
            )
            yield Finding("ok", "tracking", f"links at {tracking.url}; {signed}")
    for name, table in project.settings.feedback.items():
        where = f"{tracking.url.rstrip('/')}/feedback/{name}" if tracking else ""
        where = where or "no [tracking] says at which URL `serve` is reached"
        what = f"feedback {name}"
        try:
            project.feedback_reader(name)
        except VeroDeliverError as error:
            yield Finding("problem", what, str(error))
        else:
            yield Finding("ok", what, f"read by {table['reader']}; {where}")


def _storage(found: Checkup) -> Iterator[Finding]:
    if found.read_only:
        yield Finding("problem", "outbox", "the database takes no writes: is it a replica?")
    if found.journal not in ("", "wal"):
        yield Finding(
            "problem",
            "outbox",
            f"SQLite writes by {found.journal}, not wal: is the file on a network disk? "
            "Put it on a local one, or use PostgreSQL",
        )
    if abs(found.skew) > _SKEW:
        way = "ahead of" if found.skew > 0 else "behind"
        yield Finding(
            "problem",
            "outbox",
            f"this clock is {abs(found.skew):.0f} s {way} the database's: leases end at other "
            "moments for each worker; have both follow NTP",
        )


def _work(found: Checkup) -> Iterator[Finding]:
    due, oldest = found.backlog
    if oldest > _LATE:
        workers = f"{len(found.senders)} at work" if found.senders else "no worker holds a lease"
        yield Finding(
            "problem",
            "outbox",
            f"{due} due, the first for {oldest:.0f} s; {workers}: run `vero-deliver work`, or more",
        )
