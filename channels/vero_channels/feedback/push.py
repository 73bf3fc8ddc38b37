"""What apps report about pushes: shown on the device, opened. See push_guide/payload.md.

A JSON array of {"token", "event", "at", "action"}; the token, which the push carried, is signed
with our secret and names channel and delivery. Any page may post: a token is all that it needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final

from vero_channels.transport import webhook_json as json
from vero_channels.transport.keys import named as named_by
from vero_channels.transport.webhooks import Answers, Post, need_secrets
from vero_deliver.errors import NotAuthentic, NotUnderstood
from vero_deliver.feedback import Feedback, Kind
from vero_deliver.push_reports import Reported, checked, read_token
from vero_deliver.secret import Secret

MOST: Final = 100  # reports in one post
_EVENTS: Final[dict[str, Kind]] = {"delivered": "delivered", "opened": "opened"}
_FIELDS: Final = ("event", "at", "action")
_LONGEST: Final = 100  # characters of a field: anybody with a token may write them


@dataclass(frozen=True, slots=True, kw_only=True)
class PushReports:
    """Reads the posts of apps.

    secrets: the channels' `report_secret`, and former ones while tokens of theirs are under way.
    """

    secrets: Sequence[Secret]
    name: str = "push reports"

    answers: ClassVar[Answers] = Answers(any_origin=True)

    def __post_init__(self) -> None:
        need_secrets(self.secrets, "secrets")
        for secret in self.secrets:
            checked(secret)

    async def read(self, post: Post) -> list[Feedback]:
        """The reports whose tokens are ours, without the others.

        Raises NotAuthentic where none is, NotUnderstood where there is no report or too many.
        """
        reports = json.objects(json.decoded(post.body, self.name), self.name)
        if not 0 < len(reports) <= MOST:
            raise NotUnderstood(f"1 to {MOST} reports in a post", channel=self.name)
        found, why = [], ""
        for report in reports:
            try:
                named = read_token(json.text(report, "token"), self.secrets, now=post.at)
            except ValueError as error:
                why = str(error)
            else:
                found += self._feedback(report, named, post)
        if why and not found:
            raise NotAuthentic(why, channel=self.name)
        return found

    def _feedback(self, report: dict[str, Any], named: Reported, post: Post) -> list[Feedback]:
        kind = _EVENTS.get(json.text(report, "event"))
        action = json.text(report, "action")[:_LONGEST] if kind == "opened" else ""
        if kind is None:  # of a later version of the app
            return []
        who = named_by(named.key)
        return [
            Feedback(
                kind=kind,
                channel=named.channel,
                # the first one counts: an app repeats what it does not know to have arrived
                id=json.own_id({"key": named.key, "event": kind, "action": action}),
                at=_between(named.at, json.moment(report, "at", post), post.at),
                key=who.key,
                digest=who.digest,
                machine=False if kind == "opened" else None,
                metadata={"action": action} if action else {},
                raw={
                    name: json.text(report, name)[:_LONGEST] for name in ("event", "at", "action")
                },
            )
        ]


def _between(first: datetime, at: datetime, last: datetime) -> datetime:
    """A device's clock may be wrong by years."""
    return min(max(first, at), last)
