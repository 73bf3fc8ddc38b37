"""Runs the rules over messages, groups what they find over samples, drops what is ignored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from vero_deliver.audience import samples
from vero_deliver.check.dom import Element
from vero_deliver.check.finding import Finding, Hit, Place, Report
from vero_deliver.check.rule import Rule, matches, rules
from vero_deliver.check.seen import Options, Seen, Shown, ShownEmail
from vero_deliver.project import Project
from vero_deliver.render import About

_Key = tuple[str, str, Place]


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

    select, ignore: names of families, rules or parts. now: the clock that samples are rendered
    for. Raises ConfigError for a message or a name that is not there.
    """
    asked = options or Options()
    chosen = [rule for rule in rules() if _runs(rule, select, asked)]
    about = About(now=now or datetime.now(UTC))
    renderer = project.renderer()
    found: list[Finding] = []
    names = list(messages) or project.message_ids()
    count = 0
    for name in names:
        message = project.message(name)
        people = samples(project.folder(message.id), declared=message.data)
        seen = Seen(project, renderer, message, people, asked, about)
        count += len(people)
        found += _findings(seen, chosen)
    kept = [finding for finding in found if not _is_ignored(finding, ignore)]
    kept.sort(key=lambda finding: (finding.message, finding.place, finding.name))
    return Report(project.messages.parent, tuple(kept), len(names), count)


def _runs(rule: Rule, select: Sequence[str], options: Options) -> bool:
    asked = not rule.needs or getattr(options, rule.needs)
    return asked and (not select or any(matches(name, rule) for name in select))


def _is_ignored(finding: Finding, ignore: Sequence[str]) -> bool:
    family = finding.rule.partition("/")[0]
    return bool({family, finding.rule, finding.name} & set(ignore))


def _findings(seen: Seen, chosen: Sequence[Rule]) -> Iterator[Finding]:
    for rule in chosen:
        try:
            yield from _grouped(seen, rule, rule.run(seen))
        except Exception as error:  # noqa: BLE001  # a rule that breaks is no reason to stop
            text = f"the rule {rule.id} broke: {type(error).__name__}: {error}"
            place = Place(seen.toml)
            yield Finding(rule.id, rule.id, "error", text, place, seen.message.id)


def _grouped(seen: Seen, rule: Rule, hits: Iterable[Hit]) -> Iterator[Finding]:
    groups: dict[_Key, list[Hit]] = {}
    for hit in hits:
        name = f"{rule.id}-{hit.part}" if hit.part else rule.id
        groups.setdefault((name, hit.text, _place(seen, hit)), []).append(hit)
    for (name, text, place), same in groups.items():
        who = dict.fromkeys(hit.on.sample.label for hit in same if hit.on)
        first = same[0]
        severity = first.severity or rule.severity
        yield Finding(
            rule.id, name, severity, text, place, seen.message.id, tuple(who), len(seen.samples),
            first.detail, first.hint,
        )  # fmt: skip


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
