"""What the lints find about themselves."""

from __future__ import annotations

from collections.abc import Iterator

from vero_deliver.check.finding import Hit
from vero_deliver.check.rule import known_names, matches, rule, rules
from vero_deliver.check.seen import Seen
from vero_deliver.plain import nearest


@rule("check/unknown-rule", "warning")
def unknown_rule(seen: Seen) -> Iterator[Hit]:
    """A comment or [check] names a rule that there is not.

    It ignores nothing: a misspelt name leaves the finding, and a rule that was renamed comes back
    unnoticed.
    """
    known = known_names()
    for named in seen.named:
        if named.name not in known and not any(matches(named.name, found) for found in rules()):
            yield Hit(
                f"there is no rule {named.name!r}{nearest(named.name, known)}", at=named.place
            )


@rule("check/broken-rule", "error")
def broken_rule(seen: Seen) -> Iterator[Hit]:
    """A rule could not look at a message.

    That is a bug of Vero Deliver; the other rules have run.
    """
    for name, error in seen.broken:
        words = f"{type(error).__name__}: {error}"
        yield Hit(f"the rule {name} broke", detail=words, hint="report it, with the message")
