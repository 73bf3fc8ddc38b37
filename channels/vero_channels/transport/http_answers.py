"""What an HTTP answer means: an error named by what happens next, and when to come back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from vero_deliver.errors import Deferred, DeliveryError, Misconfigured, Refused, Uncertain

MAX_WAIT = 7 * 24 * 3600.0  # seconds; what asks for more is a mistake
_MAX_DETAIL = 300  # characters
# seconds, or a moment in Unix time: SendGrid, Resend (RateLimit fields), Brevo
_RESETS = ("x-ratelimit-reset", "ratelimit-reset", "x-sib-ratelimit-reset")
_EPOCH = 1_000_000_000  # a larger figure is a moment, a smaller one a number of seconds
_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, in the provider's words; `HttpChannel.said` makes it fit to show."""

    code: str
    detail: str


def body(response: httpx.Response) -> Any:
    """The JSON body. ValueError where it is none: too deep or not UTF-8 included."""
    try:
        return json.loads(response.content)
    except RecursionError:
        raise ValueError("JSON that is nested too deep") from None


def problem(response: httpx.Response) -> Problem:
    """The code and the text of an error, wherever this provider puts them."""
    status = str(response.status_code)
    try:
        found = body(response)
    except ValueError:
        return Problem(status, response.content.decode("utf-8", "replace"))
    return told(found, status)


def told(found: Any, status: str) -> Problem:
    """Code and text of an error as JSON; `status` where it has no code."""
    if isinstance(found, dict):
        nested = next((found[k] for k in ("errors", "Errors", "error") if found.get(k)), None)
        inner = nested[0] if isinstance(nested, list) else nested
        found = {**found, **inner} if isinstance(inner, dict) else found
        code = _first(found, "ErrorCode", "code", "name") or status
        text = _first(found, "description", "message", "Message", "ErrorMessage", "error")
        summary = _first(found, "message", "Message")
        if text and summary and summary not in text:
            text = f"{summary}: {text}"
        return Problem(code, text or json.dumps(found))
    return Problem(status, found if isinstance(found, str) else json.dumps(found))


def _first(found: Mapping[str, Any], *names: str) -> str:
    values = (found.get(name) for name in names)
    return next((str(v) for v in values if v and isinstance(v, (str, int)) and v is not True), "")


def shortened(text: str) -> str:
    """One line of at most 300 characters."""
    text = _UNSAFE.sub(" ", text[: _MAX_DETAIL * 9]).strip()
    return text if len(text) <= _MAX_DETAIL else f"{text[:_MAX_DETAIL]}..."


def retry_after(response: httpx.Response, now: datetime | None = None) -> float | None:
    """Seconds to wait: Retry-After (RFC 9110 10.2.3), else a provider's reset field, else None."""
    now = now or datetime.now(UTC)
    value = response.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), MAX_WAIT)
    if value:
        try:
            moment = parsedate_to_datetime(value)
        except (TypeError, ValueError, OverflowError):
            return None
        return _until((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp(), now)
    for name in _RESETS:
        value = response.headers.get(name, "").strip()
        if _SECONDS.fullmatch(value):
            figure = float(value)
            return _until(figure, now) if figure > _EPOCH else min(figure, MAX_WAIT)
    return None


def _until(moment: float, now: datetime) -> float:
    return min(max(0.0, moment - now.timestamp()), MAX_WAIT)


def verdict(response: httpx.Response, found: Problem, *, channel: str) -> DeliveryError:
    """The error that a status other than 2xx stands for, whoever the provider is.

    401, 402, 403 and redirects: Misconfigured. 408, 425, 429, 503: Deferred. Any other 5xx:
    Uncertain, since the provider may have accepted before it failed, and even where a repeat is
    harmless another channel would deliver again. Any other 4xx: Refused.
    """
    status, code = response.status_code, found.code
    detail = found.detail or f"HTTP {status}"
    if status < 400:
        to = shortened(response.headers.get("location", ""))
        detail = f"HTTP {status}{f' to {to}' if to else ''}: check base_url; nothing is followed"
        return Misconfigured(detail, channel=channel, code=str(status))
    if status in (401, 402, 403):
        return Misconfigured(detail, channel=channel, code=code)
    if status in (408, 425, 429, 503):
        wait = retry_after(response)
        return Deferred(detail, channel=channel, code=code, retry_after=wait)
    if status >= 500:
        return Uncertain(
            f"HTTP {status}, it may have been accepted: {detail}", channel=channel, code=code
        )
    return Refused(detail, channel=channel, code=code)
