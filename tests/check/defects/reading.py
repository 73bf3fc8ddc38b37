"""a11y and images: what is read, and what is looked at."""

from __future__ import annotations

from typing import Final

from check.projects import Change, Defect

_LINK: Final = '<a href="{{ order.link }}" style="color: #1a4fa0">Follow the parcel</a>'


def html(old: str, new: str) -> dict[str, Change]:
    return {"email.html": (old, new)}


def added(markup: str) -> dict[str, Change]:
    return html("left us this morning.", f"left us this morning. {markup}")


DEFECTS: Final = (
    Defect("a11y/lang", "email.html:1", html('<html lang="en">', "<html>"), words="no lang"),
    Defect(
        "a11y/lang",
        "email.html:2",
        html('<html lang="en">', '<html lang="English, please">'),
        words="is no language",
    ),
    Defect("a11y/title", "email.html:1", html("<title>Order shipped</title>\n", "")),
    Defect(
        "a11y/img-alt",
        "email.html:12",
        added('<img src="https://shop.example/x.png" width="90" height="40">'),
        words="no alt",
    ),
    Defect(
        "a11y/img-alt",
        "email.html:12",
        added('<img src="https://shop.example/x.png" alt="IMG_1.png" width="90" height="40">'),
        words="name of a file",
    ),
    Defect(
        "a11y/img-alt",
        "email.html:12",
        added('<img src="https://shop.example/x.png" alt="Image" width="90" height="40">'),
        words="says nothing",
    ),
    Defect(
        "a11y/link-name",
        "email.html:12",
        added(
            '<a href="https://shop.example"><img src="https://shop.example/x.png" alt="" '
            'width="90" height="40"></a>'
        ),
    ),
    Defect("a11y/link-text", "email.html:13", html("Follow the parcel", "Click here!")),
    Defect(
        "a11y/link-text",
        "email.html:13",
        html("Follow the parcel", "{{ order.link }}/and/some/more/of/it"),
        words="bare address",
        also=("vars/html-in-text",),
    ),
    Defect(
        "a11y/table-role",
        "email.html:12",
        added("<table><tr><td>One</td><td>Two</td></tr></table>"),
    ),
    Defect(
        "a11y/heading-order",
        "email.html:12",
        html("<p>Your", '<h3 style="font-size: 18px">Details</h3><p>Your'),
    ),
    Defect(
        "a11y/contrast",
        "email.html:12",
        html("<p>Your", '<p style="color: #999">Your'),
        words="#999999 on #ffffff has a contrast of 2.8:1, 4.5:1",
    ),
    Defect(
        "a11y/contrast",
        "email.html:11",
        html('<h1 style="', '<h1 style="background: gray; color: #777; '),
        words="3:1 is asked for",
    ),
    Defect(
        "a11y/contrast",
        "email.html:13",
        html("color: #1a4fa0", "color: #1a4fa0; background-color: black"),
        words="#1a4fa0 on #000000",
    ),
    Defect(
        "a11y/font-size",
        "email.html:14",
        html("font-size: 14px", "font-size: 8pt"),
        words="text of 10.7 px",
    ),
    Defect(
        "a11y/font-size",
        "email.html:12",
        html("font-size: 16px", "font-size: 13px"),
        words="most of the text has 13 px",
    ),
)
