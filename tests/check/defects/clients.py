"""client: what mail clients do not support."""

from __future__ import annotations

from typing import Final

from check.projects import MJML, Change, Defect
from vero_deliver.check import Options

_WORDS: Final = "left us this morning"


def styled(style: str) -> dict[str, Change]:
    return {"email.html": ("<p>Your", f'<p style="{style}">Your')}


def sheet(css: str) -> dict[str, Change]:
    return {"email.html": ("</head>", f"<style>\n{css}\n</style>\n</head>")}


def added(markup: str) -> dict[str, Change]:
    return {"email.html": (_WORDS, f"{_WORDS} {markup}")}


def compiled(old: str, new: str) -> dict[str, Change]:
    return {"email.html": None, "email.mjml": MJML.replace(old, new)}


DEFECTS: Final = (
    Defect("client/css-display-grid", "email.html:12", styled("display: grid"), words="Outlook"),
    Defect("client/css-gap", "email.html:12", styled("gap: 4px"), words="Yahoo! Mail"),
    Defect("client/css-unit-vh", "email.html:12", styled("height: 50vh")),
    Defect("client/css-function-clamp", "email.html:12", styled("width: clamp(1px, 2em, 9px)")),
    Defect(
        "client/css-variables",
        "email.html:9",
        sheet("p { color: var(--ink) }"),
        words="Gmail",
    ),
    Defect("client/css-border-radius", "email.html:12", styled("border-radius: 4px")),
    Defect(
        "client/css-pseudo-element-before",
        "email.html:9",
        sheet("p::before { color: #222222 }"),
    ),
    Defect(
        "client/css-at-keyframes",
        "email.html:9",
        sheet("@keyframes fade { to { color: #222222 } }"),
    ),
    Defect(
        "client/css-background-image",
        "email.html:12",
        styled("background: url(https://shop.example/x.png)"),
        also=("client/css-background",),
    ),
    Defect(
        "client/css-display-flex",
        "email.mjml:9",
        compiled("{{ user.first_name }}", '<b style="display: flex">{{ user.first_name }}</b>'),
    ),
    Defect(
        "client/css-opacity",
        "email.html:12",
        styled("opacity: 0.5"),
        options=Options(clients=("outlook.windows",)),
        words="Outlook (Windows)",
    ),
    Defect("client/html-video", "email.html:12", added('<video width="9"></video>')),
    Defect("client/html-form", "email.html:12", added("<form></form>")),
    Defect(
        "client/image-svg",
        "email.html:12",
        added('<img src="https://shop.example/x.svg" alt="A parcel" width="9" height="9">'),
        words="Gmail (Desktop Webmail)",
    ),
    Defect(
        "client/image-webp",
        "email.html:12",
        added('<img src="https://shop.example/x.webp?v=2" alt="A parcel" width="9" height="9">'),
        words="Outlook (Windows)",
    ),
)
