"""The two sides of the comparison: the plain pipeline, and the one that compiles once.

Only this file knows how they are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from inspect import signature
from typing import Any

from vero_deliver.errors import MessageError, RenderError
from vero_deliver.message import Email, Message
from vero_deliver.render import Renderer
from vero_deliver.rendered import Skipped
from vero_deliver.source import Source
from vero_deliver.user import User

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ADA = User(id="1", email="ada@example.com", attributes={"first_name": "Ada"})
SUBJECT = "{{ subject | default('News') }} for {{ user.first_name }}"
HAS_ENGINE = hasattr(Renderer, "explain")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a message is not compiled once; where: "email.mjml:12"."""

    detail: str
    where: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the engine says of a message before any user comes into play."""

    compiled: bool
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """One email, or the error in its place."""

    subject: str = ""
    html: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    error: str = ""


def plain() -> Renderer:
    """Every step for every user."""
    options: dict[str, Any] = {}
    if "compile_once" in signature(Renderer).parameters:
        options["compile_once"] = False
    return Renderer(**options)


def once() -> Renderer:
    """Compiles once where it can."""
    return Renderer()


def message(source: str, ending: str) -> Message:
    """The source as a body, read from `email.mjml` or `email.html`."""
    body: dict[str, Any] = {ending: Source(source, f"email.{ending}")}
    return Message(title="Fuzz", email=Email(from_="shop@example.com", subject=SUBJECT, **body))


def explain(renderer: Renderer, wanted: Message) -> Verdict:
    """Without an engine all is compiled, and both sides are the plain pipeline.

    Raises MessageError for a template that is no template.
    """
    if not HAS_ENGINE:
        return Verdict(compiled=True)
    found = getattr(renderer, "explain")(wanted)  # noqa: B009  # not there on every branch
    return Verdict(found.compiled, tuple(Reason(r.detail, r.where) for r in found.reasons))


def render(renderer: Renderer, wanted: Message, data: Mapping[str, Any]) -> Result:
    """For Ada. An error of the library is a result; any other is a bug and passes."""
    try:
        email = renderer.render(wanted, ADA, "email", data=data, now=NOW, key="k")
    except (MessageError, RenderError) as error:
        return Result(error=f"{type(error).__name__}: {error}")
    if isinstance(email, Skipped):
        return Result(error=f"Skipped: {email.reason}")
    return Result(email.subject, email.html, email.text)
