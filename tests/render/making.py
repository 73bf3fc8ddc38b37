"""Small makers that the renderer's tests share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from vero_deliver.message import Email, Message
from vero_deliver.render import Renderer
from vero_deliver.rendered import RenderedEmail
from vero_deliver.user import User

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ADA = User(id="1", email="ada@example.com", attributes={"first_name": "Ada"})


def email(renderer: Renderer | None = None, *, user: User = ADA, **fields: Any) -> RenderedEmail:
    """One email with these fields, rendered for Ada."""
    data = fields.pop("data", {})
    given = {"from_": "shop@example.com", "subject": "Hello", "html": "<p>Hi</p>", **fields}
    message = Message(title="Hello", email=Email(**given))
    rendered = (renderer or Renderer()).render(message, user, "email", data=data, now=NOW, key="k")
    assert isinstance(rendered, RenderedEmail), rendered
    return rendered


def text(template: str, *, renderer: Renderer | None = None, user: User = ADA, **data: Any) -> str:
    """What a template prints, in a text part."""
    return email(renderer, user=user, html="", text=template, data=data).text
