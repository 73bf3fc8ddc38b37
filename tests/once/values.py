"""The vocabulary that mutated templates speak, and users to render them for."""

from __future__ import annotations

from random import Random
from typing import Any

FLAGS = ("vip", "paid", "gift", "late", "fresh", "member")
LISTS = ("items", "stories", "people")

_TAME = ("Ada", "Grace Hopper", "a blue mug", "Lyon", "seven words that say nothing at all")
_HOSTILE = (
    "<b>bold</b> & \"quoted\" 'single'", "Zoë 日本 🎉", "a < b > c", "{{ count }} {% if %} {# x",
    "</td></tr></table>", "", "  two  spaces ", "line\nbreak", "--><p>x</p>", "&amp; &lt; &copy=2",
    "]]>", "O'Brien", "vJ1Q", "<!--[if mso]>", "\u200fمرحبا", "x" * 300, "=?utf-8?q?=0A?=",
    "100% \\0 $1 \\g<1>",
)  # fmt: skip
_URLS = (
    "https://shop.example/o/1", "https://shop.example/o/1?a=1&b=2&copy=3", "mailto:a@b.example",
)  # fmt: skip
_HOSTILE_URLS = (
    "https://shop.example/with space/é?q=<x>", "javascript:alert(1)", " JaVaScript:alert('x')",
    "/relative?x='y'", 'https://x.example/"onmouseover="x', "", "data:text/html,<b>x</b>",
)  # fmt: skip
_COLOURS = ("#1155cc", "#abc", "red", "rgb(1, 2, 3)")
_HOSTILE_COLOURS = ("red;display:none", "", "expression(alert(1))", '"', "#1", "url(//x)")
_SAFE = ("plain", "<em>so</em> nice", "a &amp; b<br>c")


def contexts(rng: Random) -> list[dict[str, Any]]:
    """Six users' data: all flags on, all off, lists of 0 to 3, tame and hostile values."""
    return [
        _data(rng, [True] * 6, length=1, hostile=False),
        _data(rng, [False] * 6, length=0, hostile=False),
        _data(rng, [True, False] * 3, length=2, hostile=False),
        _data(rng, [False, True] * 3, length=3, hostile=True),
        _data(rng, [rng.random() < 0.5 for _ in FLAGS], length=None, hostile=True),
        _data(rng, [rng.random() < 0.5 for _ in FLAGS], length=None, hostile=True),
    ]


def _data(rng: Random, flags: list[bool], length: int | None, *, hostile: bool) -> dict[str, Any]:
    texts = (*_TAME, *_HOSTILE) if hostile else _TAME
    urls = (*_URLS, *_HOSTILE_URLS) if hostile else _URLS
    colours = (*_COLOURS, *_HOSTILE_COLOURS) if hostile else _COLOURS

    def item(number: int) -> dict[str, Any]:
        return {
            "name": rng.choice(texts),
            "note": rng.choice(texts),
            "url": rng.choice(urls),
            "colour": rng.choice(colours),
            "price": rng.choice((0, 9.99, 1200)),
            "flag": bool(number % 2),
        }

    def many() -> list[dict[str, Any]]:
        return [item(n) for n in range(rng.randint(0, 3) if length is None else length)]

    return {
        **dict(zip(FLAGS, flags, strict=True)),
        **{name: many() for name in LISTS},
        **{name: rng.choice(texts) for name in ("name", "note", "city", "subject")},
        **{name: rng.choice(urls) for name in ("link", "image")},
        **{name: rng.choice(colours) for name in ("colour", "accent")},
        "count": rng.choice((0, 1, 2, 5)),
        "points": rng.choice((0, 250, 9000.5)),
        "price": rng.choice((0, 12.5)),
        "size": rng.choice((10, 24, 150)),
        "plan": rng.choice(("pro", "free")),
        "html_note": rng.choice(_SAFE),
        "links": {"main": rng.choice(urls)},
        "nothing": None,
    }


def expression(rng: Random, loops: tuple[str, ...]) -> str:
    """Something to print in a text; of the innermost loop's item where there is one."""
    if loops and rng.random() < 0.7:
        one = loops[-1]
        return rng.choice(
            (f"{one}.name", f"{one}.note", f"{one}['name']", f"{one}.price | money('EUR')",
             "loop.index", "loop.last", f"{one}.name | default('x')", f"{one}.url")
        )  # fmt: skip
    return rng.choice(
        ("name", "note", "city | upper", "user.first_name", "count", "count + 1", "nothing",
         "name | default('friend')", "missing | fallback('friend')", "price | money('EUR')",
         "note | truncate(12)", "city ~ ', ' ~ name", "'yes' if vip else 'no'", "name or 'x'",
         "points | format_number", "items | length", "'a < b & c'", 'links["main"]',
         "items | map(attribute='name') | join(', ')", "note | e", "link | encode", "note[:3]")
    )  # fmt: skip


def condition(rng: Random, loops: tuple[str, ...]) -> str:
    """Something that is true for some users."""
    if loops and rng.random() < 0.5:
        one = loops[-1]
        return rng.choice(
            ("loop.first", "not loop.last", "loop.index < 2", f"{one}.flag", f"{one}.price > 5")
        )
    flag, other = rng.sample(FLAGS, 2)
    return rng.choice(
        (flag, flag, flag, f"not {flag}", f"{flag} and {other}", f"{flag} or not {other}",
         "count > 1", "count < 2", "name == 'Ada'", 'plan == "pro"', "items", "missing is defined",
         "stories | length > 1", "points >= 250")
    )  # fmt: skip
