"""A text message composed for one user."""

from __future__ import annotations

import re

from vero_deliver.message import Sms
from vero_deliver.render.draft import Draft
from vero_deliver.rendered import RenderedSms, Skipped

_FILLING = re.compile(r"[ ().\-\u00a0]")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}|[0-9]{3,8}")  # E.164, or a short code


def compose(draft: Draft, sms: Sms, *, default_from: str) -> RenderedSms | Skipped:
    """The text message, or Skipped where the user has no phone number."""
    given = draft.line(sms.to, "sms.to")
    if not given:
        return Skipped("the user has no phone number")
    to = _FILLING.sub("", given)
    if not _NUMBER.fullmatch(to):
        raise draft.wrong(
            sms.to, "sms.to", f"{given[:40]!r} is no number as E.164 has it: +447700900123"
        )
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
