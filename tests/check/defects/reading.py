"""a11y and images: what is read, and what is looked at."""

from __future__ import annotations

from typing import Final

from check.projects import MJML, PNG, Change, Defect

_LINK: Final = '<a href="{{ order.link }}" style="color: #1a4fa0">Follow the parcel</a>'

_PICTURE: Final = '<img src="https://shop.example/x.png" alt="A parcel" width="90" height="40">'


def html(old: str, new: str) -> dict[str, Change]:
    return {"email.html": (old, new)}


def added(markup: str) -> dict[str, Change]:
    return html("left us this morning.", f"left us this morning. {markup}")


def picture(
    src: str = "https://shop.example/x.png", size: str = 'width="90" height="40"'
) -> dict[str, Change]:
    return added(f'<img src="{src}" alt="A parcel" {size}>')


def compiled(old: str, new: str) -> dict[str, Change]:
    return {"email.html": None, "email.mjml": MJML.replace(old, new, 1)}


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
        words="#999999 on #ffffff has a contrast of 2.85:1, 4.5:1",
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
    Defect("images/missing", "email.html:12", picture(src="assets/logo.png"), words="no scheme"),
    Defect("images/missing", "email.html:12", picture(src=""), words="no src"),
    Defect("images/missing", "email.html:12", picture(src="http://localhost/x.png"), words="own"),
    Defect("images/http", "email.html:12", picture(src="http://shop.example/x.png")),
    Defect("images/dimensions", "email.html:12", picture(size="")),
    Defect("images/dimensions", "email.html:12", picture(size='style="width: 90px"')),
    Defect(
        "images/data-uri",
        "email.html:12",
        picture(src=f"data:image/png;base64,{'A' * 9000}"),
        also=("client/image-base64",),
    ),
    Defect(
        "images/weight",
        "message.toml:7",
        {
            **picture(src="cid:map"),
            "map.png": PNG + bytes(1_100_000),
            "message.toml": (
                "[data.order]",
                '[[email.attachments]]\nfile = "map.png"\ncid = "map"\n\n[data.order]',
            ),
        },
    ),
    Defect(
        "images/text-ratio",
        "email.html:12",
        {
            "email.html": [
                ("<p>Your order {{ order.id }} left us this morning.</p>", _PICTURE),
                ('<p style="font-size: 14px">Shop, 4 Hedge Lane, Ludlow SY8 1AA</p>', ""),
            ]
        },
    ),
    Defect(
        "a11y/contrast",
        "email.mjml:9",
        compiled('color="#222222">{{ user', 'color="#999999">{{ user'),
        words="#999999 on #ffffff",
    ),
    Defect(
        "a11y/font-size",
        "email.mjml:9",
        compiled(
            'font-size="16px" color="#222222">{{ user', 'font-size="9px" color="#222">{{ user'
        ),
    ),
    Defect(
        "a11y/img-alt",
        "email.mjml:9",
        compiled(
            "<mj-text", '<mj-image src="https://shop.example/x.png" width="50px" />\n<mj-text'
        ),
    ),
    Defect("a11y/title", "email.mjml:1", compiled("<mj-title>Order shipped</mj-title>", "")),
)
