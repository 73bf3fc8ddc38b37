"""SparkPost's webhooks: an array of {"msys": {class: event}}; not signed.

Source: "Webhooks" and "Events", developers.sparkpost.com. Access is basic authentication or the
bearer token of OAuth 2. SparkPost repeats a batch for 8 hours, and wants an answer in 10 s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from vero_channels.transport import webhook_json as json
from vero_channels.transport.webhooks import Access, Answers, Post
from vero_deliver.feedback import Feedback, Kind, Reason
from vero_deliver.feedback.status import refusal

_KINDS: Final[dict[str, Kind]] = {
    "injection": "accepted",
    "delivery": "delivered",
    "delay": "deferred",
    "bounce": "bounced",
    "out_of_band": "bounced",
    "policy_rejection": "rejected",
    "generation_rejection": "rejected",
    "generation_failure": "failed",
    "spam_complaint": "complained",
    "list_unsubscribe": "unsubscribed",
    "link_unsubscribe": "unsubscribed",
    "open": "opened",
    "amp_open": "opened",
    "click": "clicked",
    "amp_click": "clicked",
}
_INITIAL: Final = ("initial_open", "amp_initial_open")
# "Bounce Classification Codes": reason, permanent
_CLASSES: Final[dict[str, tuple[Reason, bool | None]]] = {
    "1": ("other", None),
    "10": ("invalid", True),
    "20": ("bounced", False),
    "21": ("timed_out", False),
    "22": ("bounced", False),
    "23": ("bounced", False),
    "24": ("timed_out", False),
    "25": ("blocked", False),
    "30": ("invalid", True),
    "40": ("bounced", False),
    "50": ("blocked", False),
    "51": ("spam", False),
    "52": ("spam", False),
    "53": ("other", False),
    "54": ("blocked", False),
    "70": ("bounced", False),
}
_NO_BOUNCE: Final[dict[str, Kind]] = {
    "60": "autoresponded",
    "80": "resubscribed",
    "90": "unsubscribed",
    "100": "autoresponded",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkPost:
    """Reads the posts of one SparkPost account.

    initial_opens: True also takes `initial_open`, which comes beside `open` for a first open.
    """

    access: Access
    name: str = "sparkpost"
    initial_opens: bool = False

    answers: ClassVar[Answers] = Answers(forged=401)

    async def read(self, post: Post) -> list[Feedback]:
        """Raises NotAuthentic and NotUnderstood. Empty for the probe [{"msys": {}}]."""
        self.access.check(post, self.name)
        wrapped = json.objects(json.decoded(post.body, self.name), self.name)
        events = [
            event
            for one in wrapped
            for event in json.inner(one, "msys").values()
            if isinstance(event, dict)
        ]
        return [
            self._feedback(event, post)
            for event in events
            if self.initial_opens or event.get("type") not in _INITIAL
        ]

    def _feedback(self, event: dict[str, Any], post: Post) -> Feedback:
        told = json.text(event, "type")
        kind = "opened" if told in _INITIAL else _KINDS.get(told, "unknown")
        diagnostic = json.text(event, "raw_reason", "reason")
        why = refusal(diagnostic, code=json.number(event, "error_code"))
        bounce_class = json.text(event, "bounce_class")
        reason: Reason = ""
        permanent: bool | None = None
        if kind == "bounced" and bounce_class in _NO_BOUNCE:
            kind = _NO_BOUNCE[bounce_class]
        elif kind in ("bounced", "deferred"):
            reason, permanent = _CLASSES.get(bounce_class, (why.reason, why.permanent))
            permanent = False if kind == "deferred" else permanent
        elif kind == "rejected":
            reason = _CLASSES.get(bounce_class, ("blocked", None))[0]
        elif kind in ("complained", "failed"):
            reason = "spam" if kind == "complained" else "other"
        who, metadata = json.arguments(json.inner(event, "rcpt_meta"))
        agent = json.text(event, "user_agent")
        prefetched = json.flag(event, "is_prefetched")
        return Feedback(
            kind=kind,
            channel=self.name,
            id=json.text(event, "event_id") or json.own_id(event),
            at=json.moment(event, "timestamp", post),
            key=who.key,
            digest=who.digest,
            provider_id=json.text(event, "transmission_id"),
            recipient=json.text(event, "raw_rcpt_to", "rcpt_to"),
            reason=reason,
            permanent=permanent,
            smtp_code=why.code,
            enhanced_status=why.status,
            diagnostic=diagnostic,
            url=json.text(event, "target_link_url"),
            user_agent=agent,
            ip=json.text(event, "ip_address") if kind in ("opened", "clicked") else "",
            machine=json.machine_by_agent(agent) or prefetched,
            tags=json.texts(event, "campaign_id"),
            metadata=metadata,
            raw=event,
        )
