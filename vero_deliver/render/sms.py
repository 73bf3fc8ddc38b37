"""A text message composed for one user."""

from __future__ import annotations

from vero_deliver.message import Sms
from vero_deliver.render.draft import Draft
from vero_deliver.rendered import RenderedSms, Skipped


def compose(draft: Draft, sms: Sms, *, default_from: str) -> RenderedSms | Skipped:
    """The text message, or Skipped where the user has no phone number."""
    to = draft.line(sms.to, "sms.to")
    if not to:
        return Skipped("the user has no phone number")
    body = draft.text(sms.body, "sms.body").strip()
    if not body:
        raise draft.wrong(sms.body, "sms.body", "comes out empty")
    return RenderedSms(
        to=to,
        from_=draft.line(sms.from_ or default_from, "sms.from"),
        body=body,
        max_segments=sms.max_segments,
        **draft.common(),
    )
