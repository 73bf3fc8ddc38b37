"""render, i18n and check."""

from __future__ import annotations

from typing import Final

from check.projects import Change, Defect

_TITLE: Final = 'title = "Order shipped"\n'
_CZECH: Final = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Language: cs\\n"

msgid "Follow the parcel"
msgstr "{}"
"""


def translated(translation: str, **change: tuple[str, str]) -> dict[str, Change]:
    """In English and Czech, with one text in the catalog."""
    locales = (_TITLE, f'{_TITLE}locales = ["en", "cs"]\n')
    link = ("Follow the parcel", "{% trans %}Follow the parcel{% endtrans %}")
    return {
        "message.toml": locales,
        "email.html": [link, *([change["html"]] if "html" in change else [])],
        "samples/jana.json": ('"id": "2"', '"id": "2", "locale": "cs"'),
        "/locales/cs/LC_MESSAGES/messages.po": _CZECH.format(translation),
    }


DEFECTS: Final = (
    Defect(
        "render/message",
        "email.html:12",
        {
            "email.html": ("{{ order.id }} left", "{% if order.id %} left"),
        },
    ),
    Defect("render/message", "message.toml:4", {"message.toml": ("subject", "subjct")}),
    Defect("render/sample", "samples/ada.json:3", {"samples/ada.json": ('  "order"', '  order"')}),
    Defect(
        "render/no-samples",
        "message.toml:1",
        {
            "samples/ada.json": None,
            "samples/jana.json": None,
        },
    ),
    Defect(
        "render/error",
        "email.html:12",
        {
            "email.html": ("{{ order.id }} left", "{{ order.id | int / 0 }} left"),
        },
        words="division by zero",
    ),
    Defect(
        "render/per-recipient",
        "email.html:12",
        {
            "email.html": (
                "{{ order.id }}",
                "{% macro id() %}{{ caller() }}{% endmacro %}"
                "{% call id() %}{{ order.id }}{% endcall %}",
            ),
        },
    ),
    Defect(
        "i18n/missing-locale",
        "message.toml:2",
        {
            "message.toml": (_TITLE, f'{_TITLE}locales = ["en", "cs"]\n'),
            "samples/jana.json": ('"id": "2"', '"id": "2", "locale": "cs"'),
        },
    ),
    Defect(
        "i18n/missing-key",
        "email.html:12",
        translated(
            "Sledovat balík",
            html=("this morning.", "{% trans %}this morning.{% endtrans %}"),
        ),
    ),
    Defect(
        "i18n/no-sample",
        "message.toml:2",
        {
            "message.toml": (_TITLE, f'{_TITLE}locales = ["en", "cs"]\n'),
            "email.cs.html": '<!doctype html>\n<html lang="cs"><body>Dobrý den</body></html>',
        },
    ),
    Defect(
        "i18n/longer",
        "email.html:13",
        translated("Kliknutím sem můžete sledovat svou zásilku na mapě"),
    ),
    Defect(
        "i18n/rtl-dir",
        "email.html:1",
        {
            "message.toml": (_TITLE, f'{_TITLE}locales = ["ar"]\n'),
        },
    ),
    Defect(
        "i18n/unformatted",
        "email.html:12",
        {
            "email.html": ("this morning", "on {{ order.day }}"),
            "message.toml": ('link = "string"', 'link = "string"\nday = "date"'),
            "samples/ada.json": ('"id": "BR-1"', '"id": "BR-1", "day": "2026-11-26"'),
            "samples/jana.json": ('"id": "BR-2"', '"id": "BR-2", "day": "2026-11-27"'),
        },
        words="order.day is a date",
    ),
    Defect(
        "check/unknown-rule",
        "email.html:12",
        {
            "email.html": ("this morning.", "this morning. {# vero: ignore[links/htps] #}"),
        },
        words="did you mean 'links/https'",
    ),
    Defect(
        "check/unknown-rule",
        "message.toml:11",
        {
            "message.toml": ('link = "string"\n', 'link = "string"\n[check]\nignore = ["emial"]\n'),
        },
        words="did you mean 'email'",
    ),
)
