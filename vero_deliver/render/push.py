"""A push composed for one user; which device it goes to is decided later."""

from __future__ import annotations

import re

from vero_deliver.message import Push
from vero_deliver.plain import kind_of
from vero_deliver.render.draft import Draft
from vero_deliver.render.filters.numbers import shown
from vero_deliver.rendered import Action, RenderedPush

_BADGE = re.compile(r"[0-9]{1,9}")
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def compose(draft: Draft, push: Push) -> RenderedPush:
    """The push, with `device` left open."""
    return RenderedPush(
        title=_required(draft, push.title, "push.title"),
        subtitle=draft.line(push.subtitle, "push.subtitle"),
        body=draft.text(push.body, "push.body").strip(),
        image=draft.line(push.image, "push.image"),
        link=draft.line(push.link, "push.link"),
        data={name: draft.text(text, f"push.data.{name}") for name, text in push.data.items()},
        badge=_badge(draft, push),
        sound=draft.line(push.sound, "push.sound"),
        collapse=draft.line(push.collapse, "push.collapse"),
        ttl=seconds(draft, push.ttl),
        priority=push.priority,
        category=draft.line(push.category, "push.category"),
        timezone=draft.timezone,
        actions=tuple(
            Action(
                id=str(action.id),
                title=draft.line(action.title, "push.actions.title"),
                link=draft.line(action.link, "push.actions.link"),
            )
            for action in push.actions
        ),
        ios=draft.tree(push.ios, "push.ios"),
        android=draft.tree(push.android, "push.android"),
        web=draft.tree(push.web, "push.web"),
        **draft.common(),
    )


def seconds(draft: Draft, ttl: int | str | None) -> int | None:
    """3600, "3600", "30s", "15m", "2h" or "7d" as seconds."""
    if ttl is None or isinstance(ttl, int):
        return ttl
    number, unit = (ttl[:-1], ttl[-1:]) if ttl[-1:] in _UNITS else (ttl, "s")
    if not number.isdecimal():
        raise draft.wrong(ttl, "push.ttl", f"{ttl!r} is no duration; write 30s, 15m, 2h or 7d")
    return int(number) * _UNITS[unit]


def _badge(draft: Draft, push: Push) -> int | None:
    if push.badge is None or isinstance(push.badge, int):
        return push.badge
    value = draft.value(push.badge, "push.badge")
    if value is None or value == "":
        return None
    if isinstance(value, str) and _BADGE.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
        got = shown(value) if isinstance(value, str) else kind_of(value)
        raise draft.wrong(push.badge, "push.badge", f"takes a number of 1 to 9 digits, not {got}")
    return value


def _required(draft: Draft, template: str, field: str) -> str:
    text = draft.line(template, field)
    if not text:
        raise draft.wrong(template, field, "comes out empty")
    return text
