"""vars: what templates ask for, and what samples have."""

from __future__ import annotations

from typing import Final

from check.projects import Defect

_NAMELESS: Final = ('"first_name": "Jana", ', "")
_UNNAMED: Final = ('"first_name": "Jana"', '"first_name": ""')

DEFECTS: Final = (
    Defect(
        "vars/missing",
        "email.html:11",
        {"samples/jana.json": _NAMELESS},
        words="user.first_name",
        who=("jana",),
    ),
    Defect(
        "vars/missing",
        "message.toml:8",
        {"samples/jana.json": ('"id": "BR-2", ', "")},
        words="order.id is missing",
        who=("jana",),
    ),
    Defect(
        "vars/missing",
        "message.toml:8",
        {"message.toml": ("[data.order]", '[sms]\nbody = "Hi {{ user.nick }}"\n\n[data.order]')},
        words="user.nick",
    ),
    Defect(
        "vars/type",
        "message.toml:10",
        {
            "message.toml": ('link = "string"', 'link = "string"\ncount = "integer"'),
            "samples/ada.json": ('"id": "BR-1"', '"id": "BR-1", "count": "many"'),
            "samples/jana.json": ('"id": "BR-2"', '"id": "BR-2", "count": 2'),
        },
        words="order.count: expected an integer",
        who=("ada",),
    ),
    Defect(
        "vars/type",
        "email.html:12",
        {"email.html": ("<p>Your order {{ order.id }}", "<p>Your order {{ order }}")},
        words="order is printed, and is an object",
    ),
    Defect(
        "vars/possibly-empty",
        "email.html:11",
        {"samples/jana.json": _UNNAMED},
        words="user.first_name is empty",
        who=("jana",),
    ),
    Defect(
        "vars/undeclared",
        "email.html:12",
        {
            "email.html": ("left us", "left {{ depot }}"),
            "samples/ada.json": ('"order"', '"depot": "Ludlow", "order"'),
            "samples/jana.json": ('"order"', '"depot": "Brno", "order"'),
        },
        words="depot is not declared",
    ),
    Defect(
        "vars/undeclared",
        "email.html:12",
        {
            "email.html": ("left us", "left us with {{ order.carier | default('us') }}"),
            "message.toml": ('link = "string"', 'link = "string"\ncarrier = "string"'),
            "samples/ada.json": ('"id": "BR-1"', '"id": "BR-1", "carrier": "x"'),
            "samples/jana.json": ('"id": "BR-2"', '"id": "BR-2", "carrier": "x"'),
        },
        words="did you mean 'carrier'",
    ),
    Defect(
        "vars/unused-sample-key",
        "samples/ada.json:3",
        {"samples/ada.json": ('  "order"', '  "ordr": {},\n  "order"')},
        words="did you mean 'order'",
        who=("ada",),
    ),
    Defect(
        "vars/html-in-text",
        "message.toml:4",
        {"samples/ada.json": ('"id": "BR-1"', '"id": "<b>BR-1</b>"')},
        words="'<b>'",
        who=("ada",),
        also=("vars/html-in-text",),
    ),
    Defect(
        "vars/html-in-text",
        "email.html:12",
        {"email.html": ("{{ order.id }} left", "{{ order.id ~ '&amp;' }} left")},
        words="'&amp;'",
    ),
    Defect(
        "vars/unescaped-safe",
        "email.html:12",
        {"email.html": ("{{ order.id }} left", "{{ order.id | safe }} left")},
    ),
)
