"""What a spam filter on this machine says of an email."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from vero_deliver.check.finding import Hit
from vero_deliver.check.rule import rule
from vero_deliver.check.seen import Seen

_LITTLE: Final = 1.0  # points; more is a warning


@rule("spam/filter", "warning", needs="spam", parts=True)
def filter_(seen: Seen) -> Iterator[Hit]:
    """A spam filter on this machine counts something against the email.

    spamd, rspamd or the command spamassassin, whichever is there; nothing is sent elsewhere, but
    spamd and rspamd may ask DNS, as they are set up. What they say of a message that was not
    delivered yet, that no server passed it on or nobody signed it, does not count. A score that
    makes it spam is an error.
    """
    from vero_deliver.check.filters import find  # httpx

    table = seen.project.settings.check
    asked = find(table.spamd, table.rspamd)
    for mail in seen.emails:
        try:
            verdict = asked.verdict(mail.rendered.mime(mail.key))
        except (OSError, ValueError) as error:
            yield Hit(
                "the spam filter gave no answer", on=mail, detail=str(error), severity="error"
            )
            return
        if verdict.score >= verdict.required:
            words = f"this is spam to {verdict.filter}"
            score = f"{verdict.score:g} points, {verdict.required:g} are enough"
            yield Hit(words, on=mail, at="body", detail=score, part="score", severity="error")
        for point in verdict.points:
            if point.points > 0:
                yield Hit(
                    f"{point.rule}: {point.words} ({point.points:g})",
                    on=mail,
                    at="body",
                    detail=verdict.filter,
                    part=point.rule.lower().replace("_", "-"),
                    severity=None if point.points > _LITTLE else "info",
                )
