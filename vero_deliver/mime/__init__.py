"""MIME as it goes over the wire: a pure function of the rendered email and its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vero_deliver.rendered import RenderedEmail


def build(email: RenderedEmail, key: str) -> bytes:
    raise NotImplementedError
