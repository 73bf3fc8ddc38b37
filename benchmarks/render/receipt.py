"""The receipt: one message, and as many orders as wanted, no two alike."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vero_deliver import Email, Message, Renderer, User

TEMPLATES = Path(__file__).parent / "templates"
AT = datetime(2026, 3, 1, 9, 30, 15, tzinfo=UTC)
LINES = 10
SHOP = {
    "name": "Bob's <Shop> & Co",
    "url": "https://shop.example.com/",
    "logo": "https://cdn.example.com/logo.png",
    "address": "1 Main Street, Springfield",
    "campaign": "spring & summer/26",
    "email": "orders@shop.example.com",
}
COLORS = (("#b3123f", "#1155cc"), ("#0a7f3f", "#0a5c7f"), ("teal", "#333399"), ("#663399", "navy"))
SUBJECT = "Your order {{ order.id }} from {{ shop.name }}"

# what templates must escape, and what MIME must encode
_WORDS = (
    "amber", '"Aurora"', "basket", "<blue>", "candle", "&", "cotton", "dots", "garden", "Jana",
    "lamp", "linen", "maple", "O'Brien", "oak", "paper", "&", "Piña", "silver", "<tall>", "tea",
    "walnut", "wool", "Žluťoučký", "日本", "příbor", "café", "größe", "round", "green",
)  # fmt: skip


@dataclass(frozen=True)
class Order:
    """One person's order: what every implementation's templates see, and its key.

    context: plain dicts, lists, strings and numbers, so that JSON carries it to node.
    """

    key: str
    context: Mapping[str, Any]

    @property
    def user(self) -> User:
        """What our renderer is given beside `data`."""
        fields = self.context["user"]
        return User(
            id=fields["id"],
            email=fields["email"],
            attributes={name: fields[name] for name in ("name", "vip", "points")},
        )

    @property
    def data(self) -> dict[str, Any]:
        """Everything but the user, each by its name."""
        return {name: value for name, value in self.context.items() if name != "user"}


def template(name: str) -> str:
    """A file of the folder of templates."""
    return (TEMPLATES / name).read_text("utf-8")


def message() -> Message:
    """The receipt as Vero Deliver has it."""
    email = Email(
        from_="Bob's Shop <orders@shop.example.com>",
        subject=SUBJECT,
        mjml=template("receipt.mjml"),
        text=template("receipt.txt"),
    )
    return Message(title="Receipt", email=email)


def renderer(**options: Any) -> Renderer:
    """A renderer that reads the receipt's partials."""
    return Renderer(templates=TEMPLATES, **options)


def dollars(value: float, currency: str = "USD") -> str:
    """An amount, as the filter `money` of the peers prints it."""
    assert currency == "USD"
    return f"${value:,.2f}"


def order(number: int) -> Order:
    """An order of ten lines; every other one is a VIP's."""
    chance = random.Random(number)
    words = _phrases(chance)
    lines = [_line(chance, words, index) for index in range(LINES)]
    name, person = words(2), f"{number:07}"
    color, link_color = COLORS[number % len(COLORS)]
    context = {
        "user": {
            "id": person,
            "email": f"user{person}@example.com",
            "name": name,
            "vip": number % 2 == 0,
            "points": chance.choice((40, 900, 25_000)),
        },
        "shop": {**SHOP, "color": color, "link_color": link_color},
        "order": {
            "id": f"A-{person}",
            "date": f"2026-02-{1 + number % 28:02}",
            "url": f"https://shop.example.com/orders/A-{person}?from=mail&lang=en",
            "lines": lines,
            "total": round(sum(line["quantity"] * line["price"] for line in lines), 2),
        },
        "recommendations": [_recommendation(chance, words, index) for index in range(number % 3)],
        "unsubscribe_url": f"https://shop.example.com/u?t={chance.getrandbits(64):016x}&l=2",
    }
    return Order(f"order-{person}-placed", context)


def _phrases(chance: random.Random) -> Callable[[int], str]:
    # choices() costs a tenth of as many choice(): --memory makes a million of them
    return lambda count: " ".join(chance.choices(_WORDS, k=count))


def _line(chance: random.Random, words: Callable[[int], str], index: int) -> dict[str, Any]:
    return {
        "url": f"https://shop.example.com/p/{chance.randrange(10_000)}?pos={index}&ref=receipt",
        "name": words(3),
        "note": words(4) if index % 3 == 1 else "",
        "quantity": chance.randint(1, 4),
        "price": chance.randint(100, 99_999) / 100,
    }


def _recommendation(
    chance: random.Random, words: Callable[[int], str], index: int
) -> dict[str, Any]:
    return {
        "url": f"https://shop.example.com/r/{index}?q=mail&z={chance.randrange(1_000)}",
        "image": f"https://cdn.example.com/r{chance.randrange(1_000)}.png",
        "name": words(2),
        "blurb": words(8),
        "price": (12.5, 49.0)[index],
    }
