"""push and sms: what is short, and is paid for or cut."""

from __future__ import annotations

from typing import Final

from check.projects import Change, Defect

_DEVICE: Final = '"phone": "+447700900123"'


def push(fields: str, title: str = "On its way", body: str = "Order {{ order.id }}") -> Change:
    """[push] with those fields; its title stands in line 8, its body in line 9."""
    return added(f'[push]\ntitle = "{title}"\nbody = "{body}"\n{fields}')


def sms(body: str, more: str = "") -> Change:
    """[sms]; its body stands in line 8."""
    return added(f'[sms]\nbody = "{body}"\n{more}')


def added(table: str) -> Change:
    return "[data.order]", f"{table}\n\n[data.order]"


def on_web(fields: str) -> dict[str, Change]:
    web = f'{_DEVICE}, "devices": [{{"token": "https://push.example/x", "platform": "web"}}]'
    return {"message.toml": push(fields), "samples/ada.json": (_DEVICE, web)}


def marketing(body: str) -> dict[str, Change]:
    return {
        "email.html": None,
        "message.toml": 'title = "Sale"\nkind = "marketing"\n[sms]\n'
        f'body = "{body}"\n[data.order]\nid = "string"\nlink = "string"\n',
    }


DEFECTS: Final = (
    Defect(
        "push/payload-size",
        "message.toml:9",
        {"message.toml": push("", body="{{ order.id * 1500 }}")},
        words="ios: the payload has more than 4096 bytes",
        also=("push/body-length",),
    ),
    Defect(
        "push/payload-size",
        "message.toml:9",
        {"message.toml": push('[push.data]\nx = "{{ order.id * 1100 }}"')},
        words="android: data and notification have more than 4096 bytes",
    ),
    Defect(
        "push/payload-size",
        "message.toml:9",
        {"message.toml": push('[push.data]\nx = "{{ order.id * 985 }}"')},
        words="web: the payload has more than 3993 bytes",
    ),
    Defect(
        "push/refused",
        "message.toml:10",
        {"message.toml": push('[push.data]\nfrom = "{{ order.id }}"')},
        words="push.data.from: the name is taken",
    ),
    Defect(
        "push/title-length",
        "message.toml:8",
        {"message.toml": push("", title="Your order has left us and is on its way to your home")},
    ),
    Defect(
        "push/body-length",
        "message.toml:9",
        {"message.toml": push("", body="It is on its way. " * 10)},
        words="lock screen",
    ),
    Defect(
        "push/body-length",
        "message.toml:9",
        {
            "message.toml": push(
                'image = "https://shop.example/x.png"', body="It is on its way. " * 4
            )
        },
        words="a banner shows about 65",
    ),
    Defect(
        "push/collapse",
        "message.toml:10",
        {"message.toml": push("collapse = \"{{ '' if order.id == 'BR-1' else 'order' }}\"")},
        words="empty",
        who=("ada",),
    ),
    Defect(
        "push/collapse",
        "message.toml:10",
        {"message.toml": push(f'collapse = "{"order" * 14}"')},
        words="more than 64 bytes",
    ),
    Defect(
        "push/link",
        "message.toml:10",
        {"message.toml": push('link = "orders/{{ order.id }}"')},
        words="is no link",
    ),
    Defect(
        "push/link",
        "message.toml:10",
        {"message.toml": push('link = "http://localhost:8000/x"')},
        words="own network",
    ),
    Defect(
        "push/link",
        "message.toml:10",
        {"message.toml": push('link = "http://shop.example/x"')},
        words="is http",
    ),
    Defect(
        "push/link",
        "message.toml:10",
        on_web('link = "shop://orders/{{ order.id }}"'),
        words="a browser opens no shop: link",
        who=("ada",),
    ),
    Defect(
        "push/image",
        "message.toml:10",
        {"message.toml": push('image = "http://shop.example/x.png"')},
        words="not https",
    ),
    Defect(
        "push/image",
        "message.toml:10",
        {"message.toml": push('image = "https://shop.example/x.webp"')},
        words="webp",
    ),
    Defect(
        "sms/unlimited",
        "message.toml:8",
        {"message.toml": sms("Your order is on its way. " * 7)},
        words="2 segments of GSM-7",
    ),
    Defect(
        "render/error",
        "message.toml:8",
        {"message.toml": sms("Your order is on its way. " * 7, "max_segments = 1")},
        words="takes 2 segments of GSM-7, max_segments is 1",
    ),
    Defect(
        "sms/gsm7",
        "message.toml:8",
        {"message.toml": sms("{{ user.first_name }}’s order: " + "on its way " * 8)},
        words="'’' U+2019 makes it UCS-2",
        also=("sms/unlimited",),
    ),
    Defect(
        "sms/gsm7",
        "message.toml:8",
        {
            "message.toml": sms("{{ user.first_name }}, it is there."),
            "samples/jana.json": ('"Jana"', '"Ján"'),
        },
        words="'á' U+00E1",
        who=("jana",),
    ),
    Defect(
        "sms/gsm7",
        "message.toml:8",
        {"message.toml": sms("Your parcel is there 📦")},
        words="U+1F4E6",
    ),
    Defect("sms/opt-out", "message.toml:4", marketing("Sale {{ order.id }} {{ order.link }}")),
    Defect(
        "sms/shortener",
        "message.toml:8",
        {"message.toml": sms("Follow it at bit.ly/3xYz")},
    ),
    Defect("sms/link", "message.toml:8", {"message.toml": sms("See http://localhost:8000/x")}),
)
