"""email, deliver, and the links of marketing."""

from __future__ import annotations

from typing import Final

from check.projects import FLAWLESS, Change, Defect

_TITLE: Final = 'title = "Order shipped"\n'
_SUBJECT: Final = 'subject = "Your order {{ order.id }} is on its way"'
_FOOTER: Final = '<p style="font-size: 14px">Shop, 4 Hedge Lane, Ludlow SY8 1AA</p>'
_WAY_OUT: Final = (
    '<p><a href="{{ url.unsubscribe_link }}" style="color: #1a4fa0">Unsubscribe</a></p>'
)
_PREHEADER: Final = "It should be with you on Thursday, between nine and noon."
_MARKETING: Final = {
    "message.toml": (_TITLE, f'{_TITLE}kind = "marketing"\n'),
    "email.html": (_FOOTER, f"{_FOOTER}\n{_WAY_OUT}"),
}
_DOMAIN: Final = '[domains."{}"]\nspf = "include:spf.shop.example"\n'


def toml(old: str, new: str) -> dict[str, Change]:
    return {"message.toml": (old, new)}


def subject(new: str) -> dict[str, Change]:
    return toml(_SUBJECT, f"subject = {new}")


def marketing(**change: list[tuple[str, str]]) -> dict[str, Change]:
    """The message as marketing, with more pairs of old and new in `toml` or `html`."""
    return {
        "message.toml": [_MARKETING["message.toml"], *change.get("toml", [])],
        "email.html": [_MARKETING["email.html"], *change.get("html", [])],
    }


def attached(name: str, content: bytes) -> dict[str, Change]:
    table = f'[[email.attachments]]\nfile = "{name}"\n\n[data.order]'
    return {"message.toml": ("[data.order]", table), name: content}


def header(name: str, value: str) -> tuple[str, str]:
    return "[data.order]", f'[email.headers]\n{name} = "{value}"\n\n[data.order]'


def project(text: str) -> Change:
    return FLAWLESS["/vero-deliver.toml"] + "\n" + text


DEFECTS: Final = (
    Defect(
        "email/gmail-clip",
        "email.html:1",
        {
            "email.html": ("this morning", "this morning" + " and more words" * 7000),
        },
        words="cuts it",
    ),
    Defect(
        "email/gmail-clip",
        "email.html:1",
        {
            "email.html": ("this morning", "this morning" + " and more words" * 6100),
        },
        words="near",
    ),
    Defect("email/subject-length", "message.toml:4", subject(f'"{"A long subject " * 5}"')),
    Defect("render/error", "message.toml:4", subject("\"{{ '' }}\""), words="comes out empty"),
    Defect("email/subject-caps", "message.toml:4", subject('"OPEN IT RIGHT NOW"')),
    Defect("email/subject-newline", "message.toml:4", subject('"Your\\norder {{ order.id }}"')),
    Defect(
        "email/preheader-missing",
        "message.toml:3",
        {
            "message.toml": (
                'preheader = "It should be with you on Thursday, between nine and noon."\n',
                "",
            )
        },
    ),
    Defect(
        "email/preheader-repeats",
        "message.toml:5",
        toml(
            _PREHEADER,
            "Your order {{ order.id }} is on its way!",
        ),
    ),
    Defect(
        "email/preheader-short",
        "email.html:1",
        {
            "message.toml": (
                'preheader = "It should be with you on Thursday, between nine and noon."\n',
                "",
            ),
            "email.html": ("<div role", '<div style="display: none">On its way</div>\n<div role'),
        },
    ),
    Defect(
        "email/text-missing",
        "email.html:1",
        {
            "email.html": '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><title>x</title>'
            '<meta name="color-scheme" content="light"></head><body>'
            "<p style=\"font-size: 16px\">{{ ''.join([]) }}</p></body></html>",
        },
    ),
    Defect(
        "email/text-unlike",
        "email.txt:1",
        {
            "email.txt": "Win a holiday in the mountains, only today, for {{ user.first_name }}.\n",
        },
    ),
    Defect(
        "email/free-sender",
        "message.toml:4",
        toml("[email]\n", '[email]\nfrom = "Shop <our.shop@gmail.com>"\n'),
    ),
    Defect(
        "email/no-reply",
        "message.toml:4",
        toml("[email]\n", '[email]\nfrom = "Shop <no-reply@shop.example>"\n'),
    ),
    Defect(
        "email/one-click-unsubscribe",
        "message.toml:8",
        marketing(
            toml=[header("List-Unsubscribe", "<mailto:u@shop.example>")],
        ),
        words="no https",
    ),
    Defect(
        "email/one-click-unsubscribe",
        "message.toml:8",
        marketing(
            toml=[header("List-Unsubscribe", "<https://shop.example/u>")],
        ),
        words="Post is missing",
    ),
    Defect(
        "render/error",
        "message.toml:1",
        toml(*header("List-Unsubscribe", f"<https://shop.example/{'x' * 1000}>")),
        words="a line holds 998",
    ),
    Defect("email/attachment-size", "message.toml:7", attached("plan.pdf", bytes(11_000_000))),
    Defect("email/attachment-type", "message.toml:7", attached("setup.exe", b"MZ")),
    Defect(
        "email/postal-address",
        "email.html:1",
        marketing(
            html=[("Shop, 4 Hedge Lane, Ludlow SY8 1AA", "Shop")],
        ),
    ),
    Defect(
        "email/color-scheme",
        "email.html:1",
        {
            "email.html": ('<meta name="color-scheme" content="light">\n', ""),
        },
    ),
    Defect(
        "email/viewport",
        "email.html:1",
        {
            "email.html": ('<meta name="viewport" content="width=device-width">\n', ""),
        },
    ),
    Defect(
        "links/unsubscribe-visible",
        "email.txt:1",
        marketing()
        | {"email.html": None, "email.txt": "Ludlow SY8 1AA, {{ user.first_name }}: spring!\n"},
    ),
    Defect("links/unsubscribe-visible", "email.html:1", marketing(html=[(_WAY_OUT, "")])),
    Defect(
        "links/utm",
        "email.html:14",
        marketing(
            html=[
                (
                    _FOOTER,
                    '<p><a href="https://shop.example/a" style="color: #1a4fa0">Offers</a></p>\n'
                    + _FOOTER,
                ),
                ("{{ order.link }}", "{{ order.link }}?utm_source=mail"),
            ]
        ),
    ),
    Defect(
        "links/tracking-domain",
        "message.toml:4",
        {
            "message.toml": ("[email]\n", "[email]\ntrack_clicks = true\n"),
            "/vero-deliver.toml": project(_DOMAIN.format("shop.example")),
        },
    ),
    Defect(
        "deliver/unaligned",
        "message.toml:3",
        {
            "/vero-deliver.toml": project(_DOMAIN.format("news.example")),
        },
        words="shop.example",
    ),
)
