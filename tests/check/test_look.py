"""How text looks, as far as style attributes tell."""

from __future__ import annotations

import pytest

from vero_deliver.check.dom import Page
from vero_deliver.check.look import Look, contrast, hex_of, texts


def seen(html: str) -> dict[str, Look]:
    return {text: look for _, text, look in texts(Page(html))}


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#ffffff", "#ffffff", 1), ("#777777", "#ffffff", 4.48),
     ("#949494", "#ffffff", 3.03)],
)  # fmt: skip
def test_contrast_is_what_wcag_says(one: str, other: str, ratio: float) -> None:
    """The ratios that are published for these colors, whichever way round."""
    html = f'<p style="color: {one}; background: {other}">text</p>'
    look = seen(html)["text"]
    assert look.color
    assert look.background
    assert contrast(look.color, look.background) == pytest.approx(ratio, abs=0.01)
    assert contrast(look.background, look.color) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(
    ("style", "color"),
    [("color: RED", "#ff0000"), ("color: #f00 !important", "#ff0000"),
     ("color: rgb(255, 0, 0)", "#ff0000"), ("color: inherit", "#0000ff"),
     ("color: rgba(255, 255, 255, 0.5)", "#ffffff"), ("color: currentColor", "#0000ff")],
)  # fmt: skip
def test_colors(style: str, color: str) -> None:
    """However they are written; what is not opaque lets the background through."""
    look = seen(f'<div style="color: blue"><p style="{style}">text</p></div>')["text"]
    assert look.color
    assert hex_of(look.color) == color


@pytest.mark.parametrize(
    "html",
    ['<p style="background: url(x.png) white">text</p>', '<td background="x.png">text</td>',
     '<p style="background-image: linear-gradient(red, blue)">text</p>',
     '<style>.dark { background: black }</style><p class="dark">text</p>',
     '<style>td p { background-color: black }</style><td><p>text</p></td>'],
)  # fmt: skip
def test_a_background_that_is_not_known(html: str) -> None:
    """A picture, a gradient, and what a sheet says that was not inlined."""
    assert seen(html)["text"].background is None


@pytest.mark.parametrize(
    "css",
    ["@media (prefers-color-scheme: dark) { p { background: black } }",
     "p:hover { background: black }", ".other { background: black }", "p { margin: 0 }"],
)  # fmt: skip
def test_a_sheet_that_is_not_about_it(css: str) -> None:
    """Dark mode, a pointer above it, other elements."""
    assert seen(f"<style>{css}</style><p>text</p>")["text"].background == (1, 1, 1)


@pytest.mark.parametrize(
    ("html", "size"),
    [('<p style="font-size: 12pt">text</p>', 16), ('<p style="font-size: 0.5rem">text</p>', 8),
     ('<p style="font-size: 20px"><b style="font-size: .5em">text</b></p>', 10),
     ('<p style="font-size: 20px"><b style="font-size: 50%">text</b></p>', 10),
     ("<h1>text</h1>", 32), ('<p style="font-size: small">text</p>', 13),
     ('<p style="font-size: calc(1px + 1em)">text</p>', 16)],
)  # fmt: skip
def test_sizes(html: str, size: float) -> None:
    """In px; what cannot be told is as around it."""
    assert seen(html)["text"].size == pytest.approx(size)


@pytest.mark.parametrize(
    "style", ["display:none", "visibility: hidden", "font-size:0", "font-size: 1px", "max-height:0"]
)
def test_hidden_text_is_not_seen(style: str) -> None:
    """However a preheader is hidden."""
    assert seen(f'<div style="{style}">text</div>') == {}


def test_a_link_is_blue_unless_it_says() -> None:
    """Its color is its own: what is around it does not count."""
    look = seen('<p style="color: white"><a href="https://x.example">text</a></p>')["text"]
    assert look.color
    assert hex_of(look.color) == "#0000ee"


def test_a_size_inside_of_none() -> None:
    """MJML closes the gaps between its cells with font-size:0; what is in them has its own."""
    assert (
        seen('<td style="font-size:0px"><div style="font-size: 9px">text</div></td>')["text"].size
        == 9
    )
