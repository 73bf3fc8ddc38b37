"""Two pictures in one: what is marked, and what is not."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from browsers import chromium, size
from PIL import Image

from vero_deliver.errors import PictureError
from vero_deliver.picture import Browser, Look, side_by_side

MARK = (214, 0, 108)
LOOK = Look(200, scale=1)
Box = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for many pictures."""
    with Browser(chromium()) as made:
        yield made


def page(*rows: str) -> str:
    """Bars of 20 pixels on white, 40 pixels apart, in these colours."""
    bar = "<div style='width:100px;height:20px;margin:0 0 40px 50px;background:{}'></div>"
    return "<!doctype html><body style='margin:0'>" + "".join(map(bar.format, rows))


def together(browser: Browser, before: str, after: str) -> Image.Image:
    """The picture of both."""
    one, two = browser.png(before, LOOK), browser.png(after, LOOK)
    return Image.open(io.BytesIO(side_by_side(browser, one, two, scale=1))).convert("RGB")


def marked(browser: Browser, before: str, after: str) -> list[Box | None]:
    """The box round the marks in each of the two pictures, of its own pixels; None for no mark."""
    both = together(browser, before, after)
    found: list[Box | None] = []
    for left in (12, 12 + 200 + 12):
        spots = [
            (x, y)
            for x in range(200)
            for y in range(both.height - 24)
            if both.getpixel((left + x, 12 + y)) == MARK
        ]
        across, down = [x for x, _ in spots], [y for _, y in spots]
        box = (min(across), min(down), max(across) + 1, max(down) + 1) if spots else None
        found.append(box)
    return found


def test_equal_pictures_have_no_mark(browser: Browser) -> None:
    """Nothing is said to differ."""
    assert marked(browser, page("red", "blue"), page("red", "blue")) == [None, None]


def test_what_differs_is_marked_on_both_sides(browser: Browser) -> None:
    """The mark is as large as what differs, and four pixels of air."""
    box = (46, 56, 154, 84)
    assert marked(browser, page("red", "blue", "red"), page("red", "lime", "red")) == [box, box]


def test_what_only_moved_is_not_marked(browser: Browser) -> None:
    """A bar more moves the others down; it alone is marked."""
    [before, after] = marked(browser, page("red", "blue"), page("red", "lime", "blue"))
    assert before is None
    assert after == (46, 56, 154, 84)


def test_first_and_last_of_many_are_marked_apart(browser: Browser) -> None:
    """What stands unchanged between two changes is no part of a mark."""
    both = together(browser, page("red", "blue", "red"), page("lime", "blue", "lime"))
    column = [both.getpixel((12 + 100, 12 + y)) for y in range(160)]
    assert column[24:116].count(MARK) == 0
    assert MARK in column[:24]
    assert MARK in column[116:]


def test_picture_of_two_has_the_same_bytes_again(browser: Browser) -> None:
    """It can be kept in git as any other."""
    one, two = browser.png(page("red"), LOOK), browser.png(page("lime"), LOOK)
    assert side_by_side(browser, one, two) == side_by_side(browser, one, two)


def test_script_that_fails_is_an_error(browser: Browser) -> None:
    """What we run in a page of ours is told where it breaks; the browser goes on."""
    with pytest.raises(PictureError, match="ReferenceError: nothing"):
        browser.png(page("red"), LOOK, script="nothing()")
    assert size(browser.png(page("red"), LOOK)) == (200, 60)
