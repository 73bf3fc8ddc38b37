"""One template rendered by both sides for several users, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from once import engines
from once.dom import difference
from once.engines import Reason, Result
from vero_deliver.errors import MessageError

Outcome = Literal["accepted", "fallback", "refused"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """outcome: refused where the plain pipeline has an error for everybody.

    wrong: the first difference between the two sides, "" for none. data: for whom it shows.
    """

    outcome: Outcome
    renders: int
    reasons: tuple[Reason, ...] = ()
    wrong: str = ""
    data: Mapping[str, Any] | None = None


def judge(source: str, ending: str, contexts: Iterable[Mapping[str, Any]]) -> Judgement:
    """Both sides made anew, so that no case knows of another."""
    message = engines.message(source, ending)
    plain, once = engines.plain(), engines.once()
    compiled, reasons = False, tuple[Reason, ...]()
    try:
        verdict = engines.explain(once, message)
        compiled, reasons = verdict.compiled, verdict.reasons
    except MessageError:
        pass  # rendering says it too
    renders, served = 0, False
    wrong, data = "", None
    for context in contexts:
        expected = engines.render(plain, message, context)
        actual = engines.render(once, message, context)
        renders += 1
        served = served or not expected.error
        if not wrong:
            wrong = compare(expected, actual)
            data = context if wrong else None
    outcome: Outcome = "accepted" if compiled else "fallback"
    return Judgement(outcome if served else "refused", renders, reasons, wrong, data)


def compare(expected: Result, actual: Result) -> str:
    """What is different in words, "" where all is the same."""
    if expected.error != actual.error:
        return f"error: expected {expected.error or 'none'}, got {actual.error or 'none'}"
    for name in ("subject", "text"):
        left, right = getattr(expected, name), getattr(actual, name)
        if left != right:
            at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), 0)
            here = slice(max(0, at - 60), at + 60)
            return f"{name}, character {at}: expected {left[here]!r}, got {right[here]!r}"
    found = difference(expected.html, actual.html)
    return f"html, {found}" if found else ""
