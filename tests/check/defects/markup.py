"""html and links."""

from __future__ import annotations

from typing import Final

from check.projects import Change, Defect

_LINK: Final = '<a href="{{ order.link }}" style="color: #1a4fa0">Follow the parcel</a>'


def body(old: str, new: str) -> dict[str, Change]:
    return {"email.html": (old, new)}


def link(new: str) -> dict[str, Change]:
    return body(_LINK, f"{new} or {_LINK}")


DEFECTS: Final = (
    Defect("html/unclosed", "email.html:12", body("left us this", "left <b>us this"), words="<b>"),
    Defect(
        "html/parse-error",
        "email.html:12",
        body("morning.</p>", "morning.</span></p>"),
        words="</span> closes nothing",
    ),
    Defect(
        "html/parse-error",
        "email.html:11",
        body('<h1 style="font-size: 24px"', '<h1 style="font-size: 24px" style="margin: 0"'),
        words="style twice",
    ),
    Defect(
        "html/dup-id",
        "email.html:12",
        {"email.html": [("<h1 ", '<h1 id="top" '), ("<p>Your", '<p id="top">Your')]},
    ),
    Defect("html/doctype", "email.html:1", body("<!doctype html>", "Draft\n<!doctype html>")),
    Defect(
        "html/doctype",
        "email.html:1",
        body("<!doctype html>", '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.0 Transitional//EN">'),
        words="quirks",
    ),
    Defect("html/charset", "email.html:1", body('<meta charset="utf-8">\n', ""), words="no <meta"),
    Defect(
        "html/charset",
        "email.html:1",
        body(
            'charset="utf-8"', 'http-equiv="Content-Type" content="text/html; charset=iso-8859-1"'
        ),
        words="iso-8859-1",
    ),
    Defect(
        "html/mso-comment-balance",
        "email.html:11",
        body("<h1 style", "<!--[if mso]><p>Outlook</p>-->\n<h1 style"),
    ),
    Defect("links/https", "email.html:13", link('<a href="http://shop.example/a">More offers</a>')),
    Defect("links/empty", "email.html:13", link('<a href="#">More offers</a>')),
    Defect("links/empty", "email.html:13", link('<a href="#below">More offers</a>'), words="below"),
    Defect("links/relative", "email.html:13", link('<a href="www.shop.example/a">More offers</a>')),
    Defect(
        "links/local", "email.html:13", link('<a href="http://localhost:8000/a">More offers</a>')
    ),
    Defect("links/local", "email.html:13", link('<a href="https://10.0.0.7/a">More offers</a>')),
    Defect("links/shortener", "email.html:13", link('<a href="https://bit.ly/x">More offers</a>')),
    Defect(
        "links/mismatch",
        "email.html:13",
        link('<a href="https://tracker.example/x">www.shop.example/sale</a>'),
    ),
    Defect("links/mailto", "email.html:13", link('<a href="mailto:help@@shop.example">Ask</a>')),
)
