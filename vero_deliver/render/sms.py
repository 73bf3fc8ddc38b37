"""A text message composed for one user."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vero_deliver.message import Sms
from vero_deliver.phone import e164
from vero_deliver.render.draft import Draft
from vero_deliver.rendered import RenderedSms, Skipped
from vero_deliver.segments import smart_encoded, too_many

_REGION = re.compile(r"[-_]([A-Za-z]{2})$")  # of a locale: "en-GB"


def compose(draft: Draft, sms: Sms, *, default_from: str, region: str) -> RenderedSms | Skipped:
    """The text message, or Skipped where the user has no phone number.

    region: of numbers without +, where the user has neither a country nor one in the locale.
    """
    given = draft.line(sms.to, "sms.to")
    if not given:
        return Skipped("the user has no phone number")
    try:
        to = e164(given, _region(draft.variables["user"]) or region)
    except ValueError as error:
        raise draft.wrong(sms.to, "sms.to", str(error)) from None
    body = draft.text(sms.body, "sms.body").strip()
    if sms.smart_encoding:
        body = smart_encoded(body)
    if not body:
        raise draft.wrong(sms.body, "sms.body", "comes out empty")
    if wrong := too_many(body, sms.max_segments):
        raise draft.wrong(sms.body, "sms.body", wrong)
    return RenderedSms(
        to=to,
        from_=draft.line(sms.from_ or default_from, "sms.from"),
        body=body,
        max_segments=sms.max_segments,
        timezone=draft.timezone,
        **draft.common(),
    )


def _region(user: Mapping[str, Any]) -> str:
    country = user.get("country")
    if isinstance(country, str) and len(country) == 2:
        return country.upper()
    found = _REGION.search(user["locale"])
    return found[1].upper() if found else ""
