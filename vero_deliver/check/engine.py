"""Runs the rules over messages, groups what they find over samples, drops what is ignored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from vero_deliver.check.chosen import Chosen, by_line, in_table
from vero_deliver.check.clients import support
from vero_deliver.check.dom import Element
from vero_deliver.check.finding import Finding, Hit, Place, Report
from vero_deliver.check.rule import Rule, known_names, matches, rules
from vero_deliver.check.seen import Seen
from vero_deliver.check.shown import CLIENTS, Options, Shown, ShownEmail
from vero_deliver.errors import ConfigError
from vero_deliver.plain import nearest
from vero_deliver.project import Project
from vero_deliver.render import About

if TYPE_CHECKING:
    from vero_deliver.check.network import Network

ALWAYS = ("render/message", "render/sample")  # what stands in the way of all other rules


def check(
    project: Project,
    messages: Iterable[str] = (),
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    options: Options | None = None,
    now: datetime | None = None,
) -> Report:
    """What the rules find in those messages, all where none is named.

    select, ignore: families, rules or parts of rules; both go over, and beside, what the project
    and the message say in [check]. now: the clock that samples are rendered for.
    Raises ConfigError for a message, a name or a mail client that is not there,
    and where a spam filter is asked for and none is.
    """
    for name in (*select, *ignore):
        _refuse_unknown(name)
    ours = project.settings.check
    for key, given in (("select", ours.select), ("ignore", ours.ignore)):
        for index, name in enumerate(given):
            _refuse_unknown(name, project.config.where(("check", key, index)))
    asked = options or Options()
    if tuple(asked.clients) != CLIENTS:
        support.chosen(asked.clients)  # refuses one that there is not
    if asked.spam:
        _refuse_without_filter(project)
    network = _network(project) if asked.online else None
    known = project.message_ids()
    names = [_id(project, name) for name in messages] or known
    renderer, about = project.renderer(), About(now=now or datetime.now(UTC))
    found: list[Finding] = []
    looked_at = 0
    for name in names:
        seen = Seen(project, renderer, name, asked, about, network)
        found += _checked(seen, _chosen(seen, select, ignore))
        looked_at += len(seen.samples)
    found.sort(key=lambda finding: (finding.message, finding.place, finding.name, finding.text))
    return Report(project.messages.parent, tuple(found), len(names), looked_at)


def _id(project: Project, name: str) -> str:
    """The id of a message, which may be broken. Raises ConfigError where it is not there."""
    return name if name in project.message_ids() else project.message(name).id


def _refuse_unknown(name: str, where: str = "") -> None:
    known = known_names()
    if name not in known and not any(matches(name, rule) for rule in rules()):
        detail = f"there is no rule {name!r}{nearest(name, known)}"
        raise ConfigError(f"{where}: {detail}" if where else detail)


def _network(project: Project) -> Network:
    from vero_deliver.check.network import Network  # httpx

    return Network(project.settings.check.allow)


def _refuse_without_filter(project: Project) -> None:
    from vero_deliver.check.filters import find  # httpx

    find(project.settings.check.spamd, project.settings.check.rspamd)


def _chosen(seen: Seen, select: Sequence[str], ignore: Sequence[str]) -> Chosen:
    ours, theirs = seen.project.settings.check, seen.check_table
    return Chosen(
        select=tuple(select) or in_table(theirs, "select") or ours.select,
        ignore=(*ignore, *in_table(theirs, "ignore"), *ours.ignore),
        lines=by_line(seen.comments),
    )


def _checked(seen: Seen, chosen: Chosen) -> Iterator[Finding]:
    for rule in rules():
        wanted = chosen.runs(rule) and (not rule.needs or getattr(seen.options, rule.needs))
        if rule.id in ALWAYS:
            yield from _found(seen, rule)
        elif wanted and not seen.trouble:
            yield from filter(chosen.wants, _found(seen, rule))


def _found(seen: Seen, rule: Rule) -> list[Finding]:
    try:
        return list(_grouped(seen, rule, rule.run(seen)))
    except Exception as error:  # noqa: BLE001  # told by check/broken-rule; the others go on
        seen.broken.append((rule.id, error))
        return []


def _grouped(seen: Seen, rule: Rule, hits: Iterable[Hit]) -> Iterator[Finding]:
    groups: dict[tuple[str, str, Place], list[Hit]] = {}
    for hit in hits:
        name = f"{rule.id}-{hit.part}" if hit.part else rule.id
        groups.setdefault((name, hit.text, _place(seen, hit)), []).append(hit)
    for (name, text, place), (first, *others) in groups.items():
        labels = dict.fromkeys(hit.who for hit in (first, *others) if hit.who)
        yield Finding(
            rule=rule.id,
            name=name,
            severity=first.severity or rule.severity,
            text=text,
            place=place,
            message=seen.id,
            samples=tuple(labels),
            of=len(seen.samples),
            detail=first.detail,
            hint=first.hint,
        )


def _place(seen: Seen, hit: Hit) -> Place:
    on: Shown[Any] | None = hit.on
    match hit.at:
        case Place():
            return hit.at
        case Element():
            return on.origins.place(hit.at) if isinstance(on, ShownEmail) else Place(seen.toml)
        case str() if on:
            return on.field(hit.at)
        case str():
            return seen.field(*hit.at.split("."))
        case None:
            return Place(seen.toml, 1)
