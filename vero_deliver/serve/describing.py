"""What the app answers, as OpenAPI 3.1 has it."""

from __future__ import annotations

from typing import Any, Final


def _operation(summary: str, *statuses: int, form: bool = False) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": summary,
        "responses": {str(status): {"description": "-"} for status in statuses},
    }
    if form:
        kind = "application/x-www-form-urlencoded"
        fields = {
            "List-Unsubscribe": {"type": "string", "enum": ["One-Click"]},
            "do": {"type": "string", "enum": ["save", "none"]},
            "wanted": {"type": "array", "items": {"type": "string"}},
        }
        schema = {"type": "object", "properties": fields}
        found["requestBody"] = {"content": {kind: {"schema": schema}}}
    return found


def _path(**operations: dict[str, Any]) -> dict[str, Any]:
    token = {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}}
    return {"parameters": [token], **operations}


OPENAPI: Final[dict[str, Any]] = {
    "openapi": "3.1.0",
    "info": {"title": "vero-deliver serve", "version": "1"},
    "paths": {
        "/o/{token}.gif": _path(get=_operation("Tells of an open: a pixel.", 200)),
        "/c/{token}": _path(get=_operation("Follows a link, which the token holds.", 302, 404)),
        "/u/{token}": _path(
            get=_operation("The page of preferences.", 200, 404, 503),
            post=_operation(
                "Unsubscribes (RFC 8058), or saves the page.",
                200,
                400,
                404,
                408,
                413,
                503,
                form=True,
            ),
        ),
        "/v/{token}": _path(get=_operation("An email in the browser.", 200, 404, 410)),
        "/feedback/{token}": _path(
            post=_operation("A provider's webhook.", 200, 400, 401, 403, 404, 408, 413, 429, 500)
        ),
        "/healthz": {"get": _operation("Whether it runs.", 200)},
        "/readyz": {"get": _operation("Whether the outbox can be reached.", 200, 503)},
        "/openapi.json": {"get": _operation("This.", 200)},
    },
}
