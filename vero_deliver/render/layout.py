"""The layout of a body: that it is there, has the block to fill, and the body fits into it."""

from __future__ import annotations

import re

from vero_deliver.errors import MessageError
from vero_deliver.plain import nearest
from vero_deliver.render.draft import Draft
from vero_deliver.render.mjml_check import plain_source
from vero_deliver.source import where

_ROOTS = {"mjml": ("mjml", "mj-body"), "html": ("html", "body")}
_EXTENDS = re.compile(r"\{%[-+]?\s*extends\b")


def layout_file(draft: Draft, layout: str, source: str, ending: str) -> str:
    """The layout's file name in _layouts/. Raises MessageError where body and layout do not fit.

    ending: of the body, "mjml" or "html"; a layout that is named without one has the same.
    """
    _check_body(draft, source, ending)
    file = layout if "." in layout else f"{layout}.{ending}"
    known = [name.removeprefix("_layouts/") for name in draft.templates.names("_layouts")]
    if file not in known:
        bare = [name.removesuffix(f".{ending}") for name in known if name.endswith(f".{ending}")]
        near = nearest(layout.removesuffix(f".{ending}"), bare)
        hint = near or f"; there are {', '.join(known) or 'none'}"
        raise _wrong(draft, layout, f"there is no _layouts/{file}{hint}")
    template = draft.templates.file(f"_layouts/{file}", "html")
    if "content" not in template.blocks and not _EXTENDS.search(
        draft.templates.text(f"_layouts/{file}")
    ):
        words = "has no block to fill; write {% block content %}{% endblock %} into it"
        raise _wrong(draft, layout, f"_layouts/{file} {words}")
    return file


def _check_body(draft: Draft, source: str, ending: str) -> None:
    root, body = _ROOTS[ending]
    text = plain_source(source)
    found = re.search(rf"<{root}\b", text, re.IGNORECASE)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        place = where(source, line) or f"{draft.name('email.' + ending)}:{line}"
        raise MessageError(
            f"a body with a layout holds no <{root}>; remove `layout`, or keep only what stands "
            f"between <{body}> and </{body}>",
            where=place,
        )


def _wrong(draft: Draft, layout: str, detail: str) -> MessageError:
    own = draft.message.id or draft.message.title
    return MessageError(f"email.layout: {detail}", where=where(layout) or own)
